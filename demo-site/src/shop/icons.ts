/** The shop's few signs. */
import { type Html, raw } from '../html';

const lines =
  'fill="none" stroke="currentColor" stroke-width="1.800" stroke-linecap="round" stroke-linejoin="round"';

const signs = {
  owl: '<circle cx="7.500" cy="11" r="5" fill="#ffc845"/><circle cx="16.500" cy="11" r="5" fill="#ffc845"/><circle cx="8.500" cy="11.500" r="2.200" fill="#1c1940"/><circle cx="15.500" cy="11.500" r="2.200" fill="#1c1940"/><path d="M10.200 16h3.600L12 19.500z" fill="#f08a5d"/>',
  cart: `<path d="M5 8h14l-1.300 11.200H6.300L5 8Zm3.500 0a3.500 3.500 0 0 1 7 0" ${lines}/>`,
  lamp: `<path d="M8.500 4h7l3 8h-13l3-8ZM12 12v7M8 19.500h8" ${lines}/>`,
  fit: `<path d="M4 7h9m4 0h3M4 12h3m4 0h9M4 17h10m4 0h2" ${lines}/><circle cx="15" cy="7" r="2" ${lines}/><circle cx="9" cy="12" r="2" ${lines}/><circle cx="16" cy="17" r="2" ${lines}/>`,
  arrow: `<path d="M5 12h14m-5-5 5 5-5 5" ${lines}/>`,
  plus: `<path d="M12 5v14M5 12h14" ${lines}/>`,
  minus: `<path d="M5 12h14" ${lines}/>`,
  check: `<path d="m5 12.500 4.500 4.500L19 7.500" ${lines}/>`,
  close: `<path d="m6 6 12 12M18 6 6 18" ${lines}/>`,
  pulse: `<path d="M3 12h4l2.500-6 4 12 2.500-6h5" ${lines}/>`,
};

export const icon = (name: keyof typeof signs): Html =>
  raw(`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${signs[name]}</svg>`);
