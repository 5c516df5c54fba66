/** FNV-1a with 32 bits, over code units (http://www.isthe.com/chongo/tech/comp/fnv/): short and quick, and no secret keeper. */
export function hashOf(text: string): number {
  let hash = 0x811c_9dc5;
  for (let place = 0; place < text.length; place += 1)
    hash = Math.imul(hash ^ text.charCodeAt(place), 0x0100_0193);
  return hash >>> 0;
}
