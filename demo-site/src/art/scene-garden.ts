/** The hero drawing for garden lights: a path home between lanterns. */
import { glow } from './defs';

const lantern = (x: number, y: number, size: number): string => `
  <g transform="translate(${x} ${y}) scale(${size})">${glow(0, -92, 92)}<ellipse cx="0" cy="2" rx="60" ry="9" fill="#ffc845" opacity=".25"/>
  <path d="M-4-60h8V0h-8z" fill="#cfd8ea"/><path d="M-24-116h48l-7 56h-34Z" fill="#ffe09a"/><path d="M-24-116h16v56h-9Z" fill="#fff6dc"/><path d="M0-146-34-116h68Z" fill="#e6e9f5"/><circle cx="0" cy="-148" r="5" fill="#ffc845"/></g>`;

const tree = (x: number, y: number, size: number, tone: string): string =>
  `<g transform="translate(${x} ${y}) scale(${size})"><path d="M-6-40H6V40H-6z" fill="#0a2723"/><path d="M0-190C44-150 62-96 50-58 40-24-40-24-50-58-62-96-44-150 0-190Z" fill="${tone}"/></g>`;

export const gardenPath = `
  <defs><linearGradient id="garden-sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#0d2433"/><stop offset=".7" stop-color="#1d4f55"/><stop offset="1" stop-color="#4f8a72"/></linearGradient></defs>
  <path d="M0 0h1200v520H0z" fill="url(#garden-sky)"/>
  <g fill="#fff"><circle cx="110" cy="70" r="2"/><circle cx="320" cy="50" r="1.600"/><circle cx="470" cy="110" r="2"/><circle cx="610" cy="60" r="2.400"/><circle cx="760" cy="96" r="1.600"/><circle cx="880" cy="48" r="2"/><circle cx="1120" cy="70" r="2"/></g>
  <path d="M0 360c200-60 380-40 560-20s400-60 640 0v180H0Z" fill="#153f3b"/>
  ${tree(640, 350, 1, '#1b4a42')}${tree(730, 340, 1.25, '#225a4d')}${tree(1170, 350, 1.3, '#225a4d')}${tree(560, 380, 0.8, '#163f3a')}
  <g><path d="M880 190h200v150H880z" fill="#33285f"/><path d="M860 196 980 108l120 88z" fill="#221b47"/><rect x="908" y="222" width="44" height="50" rx="4" fill="#ffc845"/><rect x="1014" y="222" width="44" height="50" rx="4" fill="#ffe09a"/><path d="M966 262a18 18 0 0 1 36 0v78h-36z" fill="#f08a5d"/>${glow(930, 246, 70)}${glow(1036, 246, 70)}</g>
  <path d="M0 420c240-50 460-60 680-76s360-24 520 4v172H0Z" fill="#1a4d43"/>
  <path d="M962 340h44c4 40-10 60-66 92-40 24-60 50-64 88H706c20-60 80-92 150-120 70-26 106-36 106-60Z" fill="#d8b98a"/><path d="M962 340h20c2 40-26 56-92 90-60 30-90 52-100 90h-84c20-60 80-92 150-120 70-26 106-36 106-60Z" fill="#e9d2aa" opacity=".7"/>
  ${lantern(900, 396, 0.66)}${lantern(1076, 452, 0.96)}${lantern(700, 492, 1.12)}
  <g class="flame" fill="#fff0b8"><circle cx="600" cy="330" r="3"/><circle cx="786" cy="300" r="3"/><circle cx="820" cy="452" r="2.500"/><circle cx="1140" cy="420" r="3"/><circle cx="1110" cy="310" r="2.500"/><circle cx="560" cy="450" r="3"/></g>
  <path d="M1090 520l8-40 10 40M1112 520l4-28 10 28M620 520l8-36 8 36M640 520l3-22 9 22" fill="#2f7564"/>`;
