/** What the rig calls in a page: events of one task, numbered, by whatever records one for the SDK of that page. */

/** Puts it at `window.rig`; `ready` settles when the SDK has loaded. */
globalThis.openRig = (record, ready) => {
  globalThis.rig = {
    ready,
    /** Tracks the events `from` to `to` in this task, each with a filler of so many bytes. */
    track({ from, to, scenario, bytes = 0 }) {
      for (let n = from; n <= to; n += 1) {
        record(bytes > 0 ? { n, scenario, filler: filler(bytes) } : { n, scenario });
      }
    },
  };
};

/** Text that hardly shrinks when it is compressed. */
function filler(bytes) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const random = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(random, (byte) => letters[byte & 63]).join('');
}
