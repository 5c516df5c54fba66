/** A channel between the open pages of a site. */

/** One page's end of a channel, which hears and tells nothing while it is closed. */
export interface Channel<Message extends unknown[]> {
  /** Tells every other page. */
  say(...message: Message): void;
  /** Opens it, again after `close`. */
  open(): void;
  /** Hears and tells nothing more. */
  close(): void;
}

/** A channel that is closed yet; it stays so where the browser has none, or blocks it. */
export function openChannel<Message extends unknown[]>(
  name: string,
  heard: (message: Message) => void,
): Channel<Message> {
  let channel: BroadcastChannel | undefined;

  return {
    say: (...message) => channel?.postMessage(message),
    open() {
      try {
        channel ??= new BroadcastChannel(name);
        channel.onmessage = ({ data }) => heard(data);
      } catch {
        // Pages without one tell each other nothing.
      }
    },
    close() {
      channel?.close();
      channel = undefined;
    },
  };
}
