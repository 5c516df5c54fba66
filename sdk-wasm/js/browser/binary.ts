/** Bytes as texts: one character each for localStorage, and base64 through the browser's own decoder. */

/** A text of one character for each byte. */
export function binaryText(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** The bytes of such a text. */
export function binaryBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Decodes base64 text; nothing where it is none. */
export function decodeBase64(text: string): Uint8Array | undefined {
  try {
    return binaryBytes(atob(text));
  } catch {
    return undefined;
  }
}
