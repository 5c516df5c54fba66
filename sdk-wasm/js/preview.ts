/** What a page loads where it was opened by a link to a preview; nothing imports it but for that. */

export { openPreview } from './preview/open.ts';
