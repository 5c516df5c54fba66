/** The drawings by name: one per product, one per hero scene. */
import { flameLamps } from './lamps-flame';
import { gardenLamps } from './lamps-garden';
import { readingLamps } from './lamps-reading';
import { tableLamps } from './lamps-table';
import { windowSill } from './scene-flame';
import { gardenPath } from './scene-garden';
import { armchair } from './scene-reading';
import { street } from './scene-street';
import { supperTable } from './scene-table';

const lamps: Record<string, string> = { ...readingLamps, ...tableLamps, ...gardenLamps, ...flameLamps };

const scenes: Record<string, string> = {
  street,
  reading: armchair,
  table: supperTable,
  garden: gardenPath,
  flame: windowSill,
};

/** The drawing of a product; decorative, since its name stands beside it. */
export const lampDrawing = (id: string): string =>
  `<svg class="lamp" viewBox="0 0 240 280" aria-hidden="true" focusable="false">${lamps[id] ?? ''}</svg>`;

/** The drawing of a hero scene; it fills its box and keeps its right end in view. */
export const sceneDrawing = (id: string): string =>
  `<svg class="scene" viewBox="0 0 1200 520" preserveAspectRatio="xMaxYMax slice" aria-hidden="true" focusable="false">${scenes[id] ?? ''}</svg>`;
