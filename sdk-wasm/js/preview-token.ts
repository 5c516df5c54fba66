/** The token of a link to a preview: in the page's address, or kept by the tab since the page that was opened first. */

/** Its name as a parameter, in the tab's session, and of the mark in localStorage that some tab may have one. */
export const PREVIEW = 'attune_preview';
const IN_ADDRESS = /[?&]attune_preview=([^&#]*)/;

/** The token, whether it holds or not; a tab that can keep nothing has a preview on the pages that its links lead to. */
export function previewToken(): string | undefined {
  try {
    // The page asks localStorage anyway; to ask the session as well takes longer than all else that it does at its start.
    return IN_ADDRESS.exec(location.search)?.[1] ?? (localStorage[PREVIEW] && sessionStorage[PREVIEW]);
  } catch {
    return undefined;
  }
}
