/** Drawings of the garden lights, each on a canvas of 240 × 280. */
import { beam, glow } from './defs';

const grass = `<path d="M0 262c40-10 70-4 120-6s90-8 120 2v22H0Z" fill="#0c2b28"/><path d="M22 262l6-22 5 22M38 262l2-14 6 14M196 260l4-24 7 24M214 260l1-14 6 14" stroke="#2f7564" stroke-width="3" fill="none" stroke-linejoin="round"/>`;

const post = `
  ${glow(120, 92, 108)}${grass}
  <path d="M115 132h10v130h-10z" fill="#d9d3ee"/><path d="M104 252h32v10h-32z" fill="#b9b1dd"/>
  <path d="M86 60h68l-10 72H96Z" fill="#ffe09a"/><path d="M86 60h20l2 72H96Z" fill="#fff6dc"/>
  <path d="M86 60h68l-10 72H96Z" fill="none" stroke="#d9d3ee" stroke-width="5" stroke-linejoin="round"/><path d="M120 60v72" stroke="#d9d3ee" stroke-width="3"/>
  <path d="M120 22 72 58h96Z" fill="#d9d3ee"/><path d="M120 22 72 58h34Z" fill="#f4f2fb"/><circle cx="120" cy="20" r="6" fill="#ffc845"/>`;

const firefly = `
  ${glow(120, 168, 104)}
  <ellipse cx="120" cy="256" rx="66" ry="8" fill="#071c1a" opacity=".5"/>
  <path d="M76 96c0-60 88-60 88 0" fill="none" stroke="url(#brass)" stroke-width="5"/>
  <path d="M72 112c-14 10-18 22-18 40v74c0 18 12 28 30 28h72c18 0 30-10 30-28v-74c0-18-4-30-18-40Z" fill="url(#glass)" stroke="#cfeae0" stroke-opacity=".55" stroke-width="3"/>
  <path d="M70 92h100v20H70z" fill="url(#brass)"/><path d="M70 98h100M70 105h100" stroke="#7c5220" stroke-width="1.500"/>
  ${[
    [92, 160, 6],
    [128, 142, 5],
    [150, 186, 7],
    [104, 212, 7],
    [134, 226, 5],
    [84, 196, 4],
    [122, 184, 5],
  ]
    .map(
      ([x, y, r]) =>
        `<circle class="flame" cx="${x}" cy="${y}" r="${r}" fill="#fff0b8"/><circle class="glow" cx="${x}" cy="${y}" r="${(r ?? 0) * 3}" fill="url(#glow)"/>`,
    )
    .join('')}
  <path d="M68 132c-4 8-4 20-4 34" stroke="#fff" stroke-opacity=".6" stroke-width="4" stroke-linecap="round" fill="none"/>`;

const hedgehog = `
  ${glow(120, 226, 120)}${grass}
  ${[-62, -36, -12, 12, 36, 62].map((turn) => `<path class="glow" d="M114 240 98 100h44l-16 140Z" transform="rotate(${turn} 120 246)" fill="url(#ray)"/>`).join('')}
  <path d="M56 262c0-40 28-66 64-66s64 26 64 66Z" fill="#e0774a"/><path d="M56 262c0-40 28-66 64-66-26 10-38 34-38 66Z" fill="#f5a47c"/>
  ${[-54, -30, -8, 14, 36, 56].map((turn) => `<rect x="115" y="206" width="10" height="34" rx="5" fill="#fff0b8" transform="rotate(${turn} 120 262)"/>`).join('')}
  <circle cx="190" cy="254" r="4" fill="#1c1940"/>`;

const gatekeeper = `
  <path d="M0 0h104v280H0z" fill="#7d4f52"/><g fill="#8f5f60"><path d="M8 14h40v18H8zM56 14h40v18H56zM-20 40h40v18h-40zM30 40h40v18H30zM80 40h24v18H80zM8 66h40v18H8zM56 66h40v18H56zM-20 92h40v18h-40zM30 92h40v18H30zM8 118h40v18H8zM56 118h40v18H56zM30 144h40v18H30zM80 144h24v18H80zM8 170h40v18H8zM56 170h40v18H56zM30 196h40v18H30zM8 222h40v18H8zM56 222h40v18H56zM30 248h40v18H30zM80 248h24v18H80z"/></g>
  ${beam('M134 190 96 280h128l-34-90Z')}${glow(162, 150, 100)}
  <path d="M100 84h12v56h-12z" fill="#d9d3ee"/><path d="M108 100c10-34 54-34 54-6" fill="none" stroke="#d9d3ee" stroke-width="6"/>
  <path d="M132 108h60l-8 82h-44Z" fill="#ffe09a"/><path d="M132 108h18l2 82h-12Z" fill="#fff6dc"/>
  <path d="M132 108h60l-8 82h-44Z" fill="none" stroke="#d9d3ee" stroke-width="5" stroke-linejoin="round"/>
  <path d="M162 82c-22 0-38 12-42 26h84c-4-14-20-26-42-26Z" fill="#d9d3ee"/><path d="M162 82c-22 0-38 12-42 26h24c2-12 8-22 18-26Z" fill="#f4f2fb"/>`;

export const gardenLamps = { post, firefly, hedgehog, gatekeeper };
