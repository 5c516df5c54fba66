/** What a page loads before its first decision where earlier ones have left events: takes back what they have stored. */

export { openTaking } from './driver/taking.ts';
