/** What a page loads beside the rest of its core: what it captures with from then on, and leaves to the browser when it goes. */

export { openCapturing } from './driver/capturing.ts';
