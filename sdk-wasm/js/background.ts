/** What a page loads behind its first decision: delivery, the stream, other tabs, retries, erasures. */

export { openBackground } from './driver/background.ts';
export { erase } from './erasure.ts';
