/** Tells names that people have given from those that a build or a framework makes up anew. */

const PLAIN = /^[a-z][\w-]{0,39}$/i;
/** What says how an element is, and not which it is. */
const STATE = /^((ng|is|has|js)-|(active|open|selected|focus|hover|disabled|hidden|show|current|loading)$)/;

/** Whether a name stays the same from one build and page load to the next. */
export function isStable(name: string): boolean {
  return PLAIN.test(name) && !STATE.test(name) && !name.split(/[-_]+/).some(looksHashed);
}

/** Hashes mix letters and digits, change case at every turn, or have no vowel. */
function looksHashed(part: string): boolean {
  if (part.length < 5) return false;
  const letters = part.replace(/\d{1,3}$/, '');
  const words = letters.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g) ?? [];
  return /\d/.test(letters) || letters.length < 3 * words.length || !/[aeiouy]/i.test(letters);
}
