/** The hero drawing for pendants: a low lamp over a table that is laid. */
import { glow } from './defs';

const chair = (x: number, facing: 1 | -1): string =>
  `<g transform="translate(${x} 300) scale(${facing} 1)"><path d="M0 0c10-6 22-4 24 8l10 92h60v12H24Z" fill="#0c2f3d"/><path d="M30 112h10l-6 74h-9zM84 112h10l4 74h-9z" fill="#0c2f3d"/></g>`;

export const supperTable = `
  <defs><linearGradient id="table-wall" x1="0" y1="0" x2="1" y2="0"><stop offset="0" stop-color="#0d2b3b"/><stop offset="1" stop-color="#1f6273"/></linearGradient></defs>
  <path d="M0 0h1200v520H0z" fill="url(#table-wall)"/><path d="M0 470h1200v50H0z" fill="#091f2b"/>
  <path d="M600 96h150M620 96v-34h22v34M650 96V50h16v46M676 96V70h34v26" stroke="#3f8fa0" stroke-width="5" fill="none" opacity=".7"/><path d="M1070 150h120" stroke="#3f8fa0" stroke-width="5" opacity=".7"/><path d="M1090 150c-4-20-2-34 14-50 16 16 18 30 14 50z" fill="#3f8fa0" opacity=".5"/>
  <path d="M930 0v110" stroke="#e8e3f7" stroke-width="4"/>
  <path class="glow" d="M814 218 706 400h448L1046 218Z" fill="url(#beam)"/>${glow(930, 220, 190)}
  <path d="M912 102h36l6 22h-48z" fill="url(#brass)"/><path d="M800 218c6-62 60-100 130-100s124 38 130 100Z" fill="#f08a5d"/><path d="M800 218c6-62 60-100 130-100-50 14-84 44-88 100Z" fill="#ffab82"/>
  <ellipse cx="930" cy="218" rx="130" ry="17" fill="#ffd98a"/><ellipse cx="930" cy="219" rx="98" ry="10" fill="#fff6dc"/>
  ${chair(640, 1)}${chair(1222, -1)}
  <path d="M700 372h460v18H700z" fill="#c98950"/><path d="M700 372h460v6H700z" fill="#eab57a"/><path d="M744 390h16l-14 96h-12zM1100 390h16l10 96h-12z" fill="#8d5a2f"/>
  <path d="M800 350h76c0 16-16 22-38 22s-38-6-38-22Z" fill="#f4f2fb"/><path d="M792 350h92v4h-92z" fill="#d8d3ee"/><path d="M812 350c4-14 14-18 26-18s22 4 26 18Z" fill="#e0573e"/>
  <path d="M984 350h76c0 16-16 22-38 22s-38-6-38-22Z" fill="#f4f2fb"/><path d="M976 350h92v4h-92z" fill="#d8d3ee"/><path d="M996 350c6-16 18-20 28-20s20 6 26 20Z" fill="#7fb069"/>
  <path d="M920 312h22v24c8 6 10 14 10 36h-42c0-22 2-30 10-36Z" fill="#2f8a63"/><path d="M920 312h8v60h-18c0-22 2-30 10-36Z" fill="#58b287"/>
  <path d="M888 338h22c0 14-4 18-8 20v10h6v4h-18v-4h6v-10c-4-2-8-6-8-20ZM960 338h22c0 14-4 18-8 20v10h6v4h-18v-4h6v-10c-4-2-8-6-8-20Z" fill="url(#glass)" stroke="#fff" stroke-opacity=".5"/><path d="M889 346h20c0 8-4 10-10 10s-10-2-10-10ZM961 346h20c0 8-4 10-10 10s-10-2-10-10Z" fill="#8e2f4b"/>`;
