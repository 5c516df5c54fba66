/** What a page loads beside the rest where it names trusted keys; nothing imports it but for that. */

export { openKeeper } from './trust/keeper.ts';
