/** The token of a link to a preview: in the page's address, or kept by the tab since the page that was opened first. */

/** Its name as a parameter, and in the tab's session. */
export const PREVIEW = 'attune_preview';

/** The token, whether it holds or not; a tab that can keep nothing has a preview on the pages that its links lead to. */
export function previewToken(): string | null {
  try {
    return new URLSearchParams(location.search).get(PREVIEW) ?? sessionStorage.getItem(PREVIEW);
  } catch {
    return null;
  }
}
