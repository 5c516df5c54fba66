/** The gradients that all drawings share, put into the page once. */

/** An invisible drawing that only carries gradients. */
export const sharedGradients = `
<svg width="0" height="0" style="position:absolute" aria-hidden="true" focusable="false"><defs>
  <radialGradient id="glow"><stop offset="0" stop-color="#ffe7ad" stop-opacity=".95"/><stop offset=".35" stop-color="#ffc845" stop-opacity=".45"/><stop offset="1" stop-color="#ffb02e" stop-opacity="0"/></radialGradient>
  <linearGradient id="beam" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#ffdf94" stop-opacity=".75"/><stop offset="1" stop-color="#ffc845" stop-opacity="0"/></linearGradient>
  <linearGradient id="ray" x1="0" y1="1" x2="0" y2="0"><stop offset="0" stop-color="#ffdf94" stop-opacity=".8"/><stop offset="1" stop-color="#ffc845" stop-opacity="0"/></linearGradient>
  <linearGradient id="brass" x1="0" y1="0" x2="1" y2="0"><stop offset="0" stop-color="#e9b765"/><stop offset="1" stop-color="#a8722f"/></linearGradient>
  <linearGradient id="flame" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#fff3c9"/><stop offset=".6" stop-color="#ffc845"/><stop offset="1" stop-color="#f08a5d"/></linearGradient>
  <linearGradient id="glass" x1="0" y1="0" x2="1" y2="0"><stop offset="0" stop-color="#fff" stop-opacity=".38"/><stop offset=".5" stop-color="#fff" stop-opacity=".1"/><stop offset="1" stop-color="#fff" stop-opacity=".28"/></linearGradient>
</defs></svg>`;

/** Soft light around a point; it brightens when the lamp is switched on. */
export const glow = (x: number, y: number, radius: number): string =>
  `<circle class="glow" cx="${x}" cy="${y}" r="${radius}" fill="url(#glow)"/>`;

/** Light falling from a shade, as a closed outline. */
export const beam = (outline: string): string => `<path class="glow" d="${outline}" fill="url(#beam)"/>`;

/** A burning wick at its lower tip. */
export const wick = (x: number, y: number, size = 1): string =>
  `<path class="flame" transform="translate(${x} ${y}) scale(${size})" d="M0 0C-9-3-9-14 0-28 9-14 9-3 0 0Z" fill="url(#flame)"/>`;
