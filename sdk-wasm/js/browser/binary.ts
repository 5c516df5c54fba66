/** Bytes as base64 texts, through the browser's own decoder. */

/** Decodes base64 text; nothing where it is none. */
export function decodeBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
