/** What a page loads before its first decision where earlier ones have left events: takes back what they have stored. */

export { adoptLanes } from './driver/adopting.ts';
export { readLanes, sortOut } from './driver/adoption.ts';
export { giveUpCalls } from './driver/left-calls.ts';
export { openTaking } from './driver/taking.ts';
