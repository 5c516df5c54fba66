/** Drawings of the reading lamps, each on a canvas of 240 × 280. */
import { beam, glow } from './defs';

const heron = `
  ${beam('M50 104 14 262h122L106 112Z')}${glow(77, 110, 70)}
  <ellipse cx="160" cy="258" rx="36" ry="7" fill="#0f0d26" opacity=".35"/>
  <path d="M160 254V92C160 36 98 26 84 62" fill="none" stroke="url(#brass)" stroke-width="6" stroke-linecap="round"/>
  <ellipse cx="160" cy="254" rx="30" ry="6" fill="#e9b765"/>
  <path d="M80 56 46 102c14 14 46 18 62 8L98 60c-4-8-12-10-18-4Z" fill="#f08a5d"/>
  <path d="M80 56 46 102c6 6 14 10 24 12L86 54c-2 0-4 0-6 2Z" fill="#ffab82"/>
  <ellipse cx="77" cy="108" rx="31" ry="7" transform="rotate(8 77 108)" fill="#fff0c2"/>`;

const margin = `
  <path d="M28 196h184v12H28z" fill="#8a63ad"/><path d="M28 208h184v6H28z" fill="#5f3f80"/>
  <path d="M48 118h22v78H48z" fill="#f08a5d"/><path d="M70 104h18v92H70z" fill="#e8e3f7"/><path d="M88 126h26v70H88z" fill="#3f8f8c"/>
  <path d="M118 128l20-5 18 72-20 5z" fill="#ffc845"/><path d="M52 134h14M52 142h14M74 120h10M94 146h14" stroke="#1c1940" stroke-opacity=".35" stroke-width="3"/>
  ${beam('M120 78 74 196h116L166 78Z')}${glow(143, 82, 58)}
  <path d="M196 196V92c0-34-40-42-52-18" fill="none" stroke="url(#brass)" stroke-width="5" stroke-linecap="round"/>
  <path d="M186 184h22v26h-22z" fill="#2a2457"/>
  <path d="M144 44c-16 0-26 16-28 36h56c-2-20-12-36-28-36Z" fill="#b58be0"/><path d="M144 44c-16 0-26 16-28 36h18c2-18 4-34 10-36Z" fill="#d3b5f2"/>
  <ellipse cx="144" cy="80" rx="28" ry="5" fill="#fff0c2"/>`;

const footnote = `
  ${beam('M30 116 6 254h128L88 136Z')}${glow(60, 124, 62)}
  <ellipse cx="150" cy="256" rx="46" ry="7" fill="#0f0d26" opacity=".35"/>
  <path d="M118 254c0-20 64-20 64 0Z" fill="#e8e3f7"/>
  <path d="M150 238 190 150 84 84" fill="none" stroke="#e8e3f7" stroke-width="6" stroke-linejoin="round" stroke-linecap="round"/>
  <path d="M156 240 197 150" stroke="#b9b1dd" stroke-width="2"/>
  <circle cx="190" cy="150" r="9" fill="#ffc845"/><circle cx="150" cy="240" r="7" fill="#ffc845"/>
  <path d="M92 70c-8-8-22-6-28 4L26 112c10 18 40 34 62 28l14-48c4-8 0-16-10-22Z" fill="#3f8f8c"/>
  <path d="M64 74 26 112c5 8 13 15 22 20l32-66c-7 0-13 3-16 8Z" fill="#67b5ad"/>
  <ellipse cx="56" cy="128" rx="35" ry="8" transform="rotate(25 56 128)" fill="#fff0c2"/>`;

const chapter = `
  ${beam('M54 120 30 250h180l-24-130Z')}${glow(120, 122, 84)}
  <ellipse cx="120" cy="256" rx="62" ry="8" fill="#0f0d26" opacity=".35"/>
  <path d="M72 254c0-14 16-18 48-18s48 4 48 18Z" fill="url(#brass)"/>
  <path d="M116 112h8v126h-8z" fill="url(#brass)"/>
  <path d="M40 116c0-34 34-54 80-54s80 20 80 54Z" fill="#2f8a63"/>
  <path d="M40 116c0-34 34-54 80-54-36 6-54 24-56 54Z" fill="#58b287"/>
  <path d="M40 116h160v9H40z" fill="#fff0c2"/>
  <path d="M152 126v38" stroke="#e9b765" stroke-width="2"/><circle cx="152" cy="168" r="5" fill="#ffc845"/>`;

export const readingLamps = { heron, margin, footnote, chapter };
