/** An id of now. */

import { wallMs } from './clock.ts';
import { uuidV7 } from './uuid.ts';

/** Makes an id whose time is now. */
export function freshId(): string {
  return uuidV7(wallMs());
}
