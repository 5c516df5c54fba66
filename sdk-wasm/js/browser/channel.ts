/** A channel between the open pages of a site. */

/** One page's end of a channel. */
export interface Channel<Message> {
  /** Tells every other page. */
  say(message: Message): void;
  /** Hears and tells nothing more. */
  close(): void;
}

/** Opens a channel; nothing where the browser has none, or blocks it. */
export function openChannel<Message>(
  name: string,
  heard: (message: Message) => void,
): Channel<Message> | undefined {
  try {
    const channel = new BroadcastChannel(name);
    channel.onmessage = ({ data }) => heard(data);
    return { say: (message) => channel.postMessage(message), close: () => channel.close() };
  } catch {
    return undefined;
  }
}
