/** Server-sent events. */

/** Hears a named message with its data, and the id to resume after. */
export type Heard = (name: string, data: string, id: string) => void;

/**
 * Opens a stream and listens for messages of these names until it fails, after which nothing more will come. Gives
 * what closes it, or nothing where the browser has no such streams.
 */
export function openStream(
  url: string,
  names: string[],
  heard: Heard,
  failed: () => void,
): (() => void) | undefined {
  try {
    const source = new EventSource(url);
    const close = () => source.close();
    for (const name of names) {
      source.addEventListener(name, ({ data, lastEventId }) => heard(name, data, lastEventId));
    }
    source.onerror = () => {
      // The browser would open the same address again, whose token may have run out.
      close();
      failed();
    };
    return close;
  } catch {
    return undefined;
  }
}
