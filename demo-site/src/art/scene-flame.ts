/** The hero drawing for small flames: a window sill on a rainy night. */
import { glow, wick } from './defs';

const rain = Array.from({ length: 46 }, (_, drop) => {
  const x = 640 + ((drop * 83) % 520);
  const y = 40 + ((drop * 137) % 300);
  return `<path d="M${x} ${y}l-5 ${14 + (drop % 4) * 5}" stroke="#b7a9e6" stroke-opacity="${0.25 + (drop % 3) * 0.12}" stroke-width="2.500" stroke-linecap="round"/>`;
}).join('');

export const windowSill = `
  <defs><linearGradient id="flame-wall" x1="0" y1="0" x2="1" y2="0"><stop offset="0" stop-color="#3a1029"/><stop offset="1" stop-color="#7b2b49"/></linearGradient></defs>
  <path d="M0 0h1200v520H0z" fill="url(#flame-wall)"/>
  <path d="M616 24h560v376H616z" fill="#1d1a48"/>
  <path d="M616 330c70-40 120-50 180-30s110-50 180-34 120 20 200-20v154H616Z" fill="#2b2660"/><g fill="#ffc845"><rect x="700" y="328" width="9" height="12"/><rect x="852" y="316" width="9" height="12"/><rect x="1010" y="300" width="9" height="12"/><rect x="1100" y="318" width="9" height="12" fill="#ffe09a"/></g>
  ${rain}
  <path d="M896 24v376M616 196h560" stroke="#c98a72" stroke-width="10"/><path d="M616 24h560v376H616z" fill="none" stroke="#c98a72" stroke-width="14"/>
  <path d="M560 0c70 10 84 60 78 140-6 90-30 180-20 276-30 14-62 14-92 4 10-160-10-300-20-420Z" fill="#a83f5c"/><path d="M560 0c40 10 44 80 34 170s-26 160-22 252c-16 2-32 2-46-2 10-160-10-300-20-420Z" fill="#c65b70"/>
  ${glow(800, 250, 130)}${glow(920, 206, 150)}${glow(1062, 318, 120)}
  <path d="M776 290h48v118h-48z" fill="#fbf3e4"/><path d="M776 290h14v118h-14z" fill="#fff"/>${wick(800, 290, 1.8)}
  <path d="M896 246h48v162h-48z" fill="#f5a47c"/><path d="M896 246h14v162h-14z" fill="#ffc8a8"/>${wick(920, 246, 2)}
  <path d="M1022 338h80l-9 70h-62Z" fill="#ffc845" opacity=".85"/><path d="M1022 338h20v70h-11Z" fill="#fff" opacity=".35"/><ellipse cx="1062" cy="338" rx="40" ry="7" fill="#fff6dc"/>${wick(1062, 344, 1.4)}
  <path d="M560 408h640v22H560z" fill="#e0a487"/><path d="M560 430h640v14H560z" fill="#b06e5c"/>
  <g transform="translate(664 288)" fill="#2a1230"><path d="M22 120c-18-40-8-72 14-84-8-14-8-26-4-38l12 10h16l12-10c4 14 4 26-4 38 24 16 30 48 18 84Z"/><path d="M84 116c26 0 34-16 26-36-2-8-10-8-10 0 4 16-2 22-16 22Z"/><circle cx="44" cy="20" r="3" fill="#ffc845"/><circle cx="58" cy="20" r="3" fill="#ffc845"/></g>`;
