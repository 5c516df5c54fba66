/** The hero drawing for everybody: a street at dusk with its first windows lit. */
import { glow } from './defs';

const stars = [
  [180, 120],
  [300, 44],
  [410, 96],
  [520, 50],
  [640, 110],
  [700, 40],
  [470, 160],
  [240, 190],
]
  .map(
    ([x, y], turn) =>
      `<circle cx="${x}" cy="${y}" r="${turn % 3 === 0 ? 2.4 : 1.6}" fill="#fff" opacity="${turn % 2 === 0 ? 0.8 : 0.5}"/>`,
  )
  .join('');

/** One house: left edge, roof line, width, colours, and which of its windows are lit. */
function house(x: number, top: number, width: number, wall: string, roof: string, lit: string): string {
  const windows = [...lit].map((state, place) => {
    const column = place % 3;
    const row = Math.floor(place / 3);
    const wide = (width - 56) / 3;
    const left = x + 16 + column * (wide + 12);
    const up = top + 26 + row * 68;
    const pane = `<rect x="${left}" y="${up}" width="${wide}" height="44" rx="4"`;
    if (state === '.') return `${pane} fill="#1c1940" opacity=".55"/>`;
    const light = state === 'o' ? '#ffc845' : '#ffe09a';
    return `${pane} fill="${light}"/><path d="M${left + wide / 2} ${up}v44M${left} ${up + 20}h${wide}" stroke="${wall}" stroke-width="3"/>${glow(left + wide / 2, up + 22, 52)}`;
  });
  return `<path d="M${x - 10} ${top} ${x + width / 2} ${top - 62} ${x + width + 10} ${top}z" fill="${roof}"/><path d="M${x} ${top}h${width}V520H${x}z" fill="${wall}"/>${windows.join('')}`;
}

export const street = `
  <defs><linearGradient id="street-sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#1c1946"/><stop offset=".55" stop-color="#47337f"/><stop offset=".85" stop-color="#b4628c"/><stop offset="1" stop-color="#f29a6f"/></linearGradient></defs>
  <path d="M0 0h1200v520H0z" fill="url(#street-sky)"/>${stars}
  <path d="M1052 48a46 46 0 1 1-52 66 40 40 0 0 0 52-66Z" fill="#fff1cd"/>
  <path d="M0 470c160-44 300-40 460-16s260 10 380-30 240-40 360-10v106H0Z" fill="#33285f"/>
  ${house(590, 352, 130, '#3d2f6e', '#2b2356', '..o.o.')}
  ${house(716, 268, 150, '#54397c', '#33285f', 'o..xo..o.')}
  ${house(866, 316, 128, '#6c3f7c', '#40306c', '.x.o.o')}
  ${house(990, 238, 160, '#40306c', '#2b2356', 'o.x.o.x.oo..')}
  ${house(1150, 330, 130, '#54397c', '#33285f', 'o..o..')}
  <g transform="translate(783 168)"><path d="M-17 40c-6-20-6-34 0-46l7 6h20l7-6c6 12 6 26 0 46z" fill="#231d4c"/><circle cx="-7" cy="9" r="7" fill="#ffc845"/><circle cx="7" cy="9" r="7" fill="#ffc845"/><circle cx="-6" cy="9" r="3" fill="#231d4c"/><circle cx="6" cy="9" r="3" fill="#231d4c"/></g>
  <path d="M0 500h1200v20H0z" fill="#1c1940"/>`;
