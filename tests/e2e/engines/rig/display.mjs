/** A display that nobody looks at, for browsers that have no headless mode. */

import { once } from 'node:events';
import { begin, programOf } from './program.mjs';

/** Starts Xvfb on a display that is free. */
export async function openDisplay() {
  const words = ['-displayfd', '3', '-screen', '0', '1280x800x24', '-nolisten', 'tcp'];
  const server = await begin(programOf('XVFB'), words, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  const [number] = await once(server.child.stdio[3], 'data');
  return { name: `:${String(number).trim()}`, close: server.kill };
}
