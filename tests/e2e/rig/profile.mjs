/** What a browser's profile holds of some texts, byte by byte. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where a profile has what sites store. Addresses and titles of pages stand elsewhere as well: those are the browser's own. */
const OF_SITES =
  /[\\/](IndexedDB|Local Storage|Session Storage|WebStorage|File System|Service Worker|Cookies)/;

/**
 * Counts in the files of a profile, all or those of sites, how often they hold each of these texts, as bytes or in UTF-16, and
 * says so under a name.
 */
export function searchProfile(test, name, folder, texts, { isOfSites = false } = {}) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, path, name }) => join(parentPath ?? path, name))
    .filter((path) => !isOfSites || OF_SITES.test(path))
    .map((path) => readFileSync(path));
  const countOf = (text) => {
    const forms = [Buffer.from(text), Buffer.from(text, 'utf16le')];
    const found = files.flatMap((bytes) => forms.map((form) => occurrences(bytes, form)));
    return found.reduce((sum, count) => sum + count, 0);
  };
  const hits = Object.fromEntries(texts.map((text) => [text, countOf(text)]));
  const bytes = files.reduce((sum, { length }) => sum + length, 0);
  test.diagnostic(`${name}: hits in ${files.length} files, ${bytes} B: ${JSON.stringify(hits)}`);
  return hits;
}

function occurrences(bytes, text) {
  let count = 0;
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) count += 1;
  return count;
}
