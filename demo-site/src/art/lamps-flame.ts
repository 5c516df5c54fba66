/** Drawings of the small flames, each on a canvas of 240 × 280. */
import { glow, wick } from './defs';

const shadow = `<ellipse cx="120" cy="256" rx="78" ry="8" fill="#1d0815" opacity=".45"/>`;

const tapers = `
  ${glow(88, 62, 70)}${glow(154, 92, 66)}${shadow}
  <path d="M80 74h16v142H80z" fill="#fbf3e4"/><path d="M80 74h6v142h-6z" fill="#fff"/>
  <path d="M146 104h16v112h-16z" fill="#f5a47c"/><path d="M146 104h6v112h-6z" fill="#ffc8a8"/>
  <path d="M68 214h40l-6 16H74ZM134 214h40l-6 16h-28Z" fill="url(#brass)"/><path d="M84 230h8v18h-8zM150 230h8v18h-8z" fill="url(#brass)"/>
  <ellipse cx="88" cy="250" rx="32" ry="7" fill="#e9b765"/><ellipse cx="154" cy="250" rx="32" ry="7" fill="#c98f42"/>
  ${wick(88, 74, 1.2)}${wick(154, 104, 1.2)}`;

const harbour = `
  ${glow(120, 122, 104)}${shadow}
  <path d="M92 72c10-12 10-26 10-42h36c0 16 0 30 10 42 20 22 20 66-6 96H98c-26-30-26-74-6-96Z" fill="url(#glass)" stroke="#ffe9ea" stroke-opacity=".6" stroke-width="3"/>
  ${wick(120, 150, 1.9)}
  <path d="M96 164h48v14H96z" fill="url(#brass)"/><path d="M88 176h64v8H88z" fill="#e9b765"/><circle cx="160" cy="172" r="7" fill="#e9b765"/><path d="M144 171h12v3h-12z" fill="#e9b765"/>
  <path d="M82 184h76c22 10 30 34 20 54-4 10-12 16-22 16H84c-10 0-18-6-22-16-10-20-2-44 20-54Z" fill="#4b8fb0"/><path d="M82 184h14c-18 20-20 48-6 70h-6c-10 0-18-6-22-16-10-20-2-44 20-54Z" fill="#83bcd4"/>
  <path d="M102 84c-8 12-10 26-8 42" stroke="#fff" stroke-opacity=".7" stroke-width="4" stroke-linecap="round" fill="none"/>`;

const tealights = `
  ${[46, 120, 194].map((x, row) => glow(x, 180 - (row % 2) * 24, 60)).join('')}${shadow}
  <path d="M10 232h220v12H10z" fill="#a5673f"/><path d="M10 244h220v8H10z" fill="#7a4527"/>
  ${[46, 120, 194]
    .map((x, row) => {
      const top = 182 - (row % 2) * 24;
      const colour = ['#f08a5d', '#ffc845', '#b58be0'][row];
      return `${wick(x, top + 12, 0.95)}<path d="M${x - 30} ${top}h60l-6 ${232 - top}h-48Z" fill="${colour}" opacity=".8"/><path d="M${x - 30} ${top}h14l0 ${232 - top}h-8Z" fill="#fff" opacity=".3"/><ellipse cx="${x}" cy="${top}" rx="30" ry="6" fill="#fff6dc" opacity=".85"/>`;
    })
    .join('')}`;

const owl = `
  ${glow(120, 160, 122)}${shadow}
  <path d="M62 92c-4-22-4-36 2-46 14 6 24 10 32 16 14-4 34-4 48 0 8-6 18-10 32-16 6 10 6 24 2 46 14 30 16 72 4 108-8 24-28 44-62 44s-54-20-62-44c-12-36-10-78 4-108Z" fill="#ffe09a"/>
  <path d="M62 92c-4-22-4-36 2-46 14 6 24 10 32 16-24 40-26 116 4 178-16-8-28-22-34-40-12-36-18-78-4-108Z" fill="#fff1cd"/>
  <circle cx="92" cy="116" r="27" fill="#fff"/><circle cx="148" cy="116" r="27" fill="#fff"/><circle cx="96" cy="118" r="13" fill="#3a1530"/><circle cx="144" cy="118" r="13" fill="#3a1530"/><circle cx="100" cy="113" r="4" fill="#fff"/><circle cx="148" cy="113" r="4" fill="#fff"/>
  <path d="M111 136h18l-9 16Z" fill="#f08a5d"/>
  <path d="M96 178c6 8 14 8 20 0 6 8 14 8 20 0M90 200c6 8 14 8 20 0 6 8 14 8 20 0 6 8 14 8 20 0" fill="none" stroke="#d99b45" stroke-width="4" stroke-linecap="round"/>
  <path d="M74 244h92v10H74z" fill="#a5673f"/>`;

export const flameLamps = { tapers, harbour, tealights, owl };
