/** Drawings of the pendants over a table, each on a canvas of 240 × 280. */
import { beam, glow } from './defs';

const supper = `
  <path d="M120 0v76" stroke="#e8e3f7" stroke-width="3"/>
  ${beam('M34 148 4 280h232l-30-132Z')}${glow(120, 150, 92)}
  <path d="M106 70h28l4 18h-36z" fill="url(#brass)"/>
  <path d="M28 148c4-42 42-64 92-64s88 22 92 64Z" fill="#f08a5d"/>
  <path d="M28 148c4-42 42-64 92-64-34 8-56 28-60 64Z" fill="#ffab82"/>
  <ellipse cx="120" cy="148" rx="92" ry="13" fill="#ffd98a"/><ellipse cx="120" cy="149" rx="70" ry="8" fill="#fff6dc"/>`;

const pears = `
  <path d="M60 0v92M122 0v146M184 0v66" stroke="#e8e3f7" stroke-width="3"/>
  ${glow(60, 140, 62)}${glow(122, 196, 68)}${glow(184, 112, 58)}
  ${[
    [60, 92],
    [122, 146],
    [184, 66],
  ]
    .map(
      ([x, y]) =>
        `<g transform="translate(${x} ${y})"><path d="M-7-8H7V8H-7z" fill="url(#brass)"/><path d="M0 4C-12 6-12 22-18 34-27 50-20 74 0 74S27 50 18 34C12 22 12 6 0 4Z" fill="#ffe09a"/><path d="M-4 14C-10 24-14 34-16 44c-3 12 2 20 8 22-4-16-4-34 4-52Z" fill="#fff6dc"/><path d="M-5 40 0 28 5 40" stroke="#f08a5d" stroke-width="2.500" fill="none"/></g>`,
    )
    .join('')}`;

const moon = `
  <path d="M120 0v62" stroke="#e8e3f7" stroke-width="3"/>
  ${glow(120, 146, 128)}
  <circle cx="120" cy="146" r="84" fill="#fff1cd"/>
  <path d="M120 62a84 84 0 0 1 0 168c34-30 44-56 44-84s-10-54-44-84Z" fill="#ffd98a" opacity=".75"/>
  <g fill="none" stroke="#d99b45" stroke-opacity=".55" stroke-width="2">
    <ellipse cx="120" cy="146" rx="84" ry="10"/><path d="M42 116c40 12 116 12 156 0M42 176c40 12 116 12 156 0M62 86c32 10 84 10 116 0M62 206c32 10 84 10 116 0"/></g>
  <path d="M104 60h32v7h-32zM106 226h28v6h-28z" fill="url(#brass)"/>`;

const longtable = `
  <path d="M56 0v120M184 0v120" stroke="#e8e3f7" stroke-width="3"/>
  ${beam('M22 144 0 280h240l-22-136Z')}${glow(70, 142, 54)}${glow(120, 142, 54)}${glow(170, 142, 54)}
  <rect x="16" y="116" width="208" height="22" rx="11" fill="#67b5ad"/><rect x="16" y="116" width="208" height="9" rx="4.500" fill="#93d2c8"/>
  <rect x="26" y="138" width="188" height="8" rx="4" fill="#fff6dc"/>
  <circle cx="56" cy="116" r="6" fill="url(#brass)"/><circle cx="184" cy="116" r="6" fill="url(#brass)"/>
  <path d="M12 248h216v8H12z" fill="#0d2e3b" opacity=".6"/><path d="M58 248c0-16 34-16 34 0zM150 248c0-22 20-22 20 0z" fill="#0d2e3b" opacity=".6"/>`;

export const tableLamps = { supper, pears, moon, longtable };
