/** A promise that is not waited for longer than it is worth. */

/** The same promise, which fails where it has not settled in time. */
export function inTime<Value>(promise: Promise<Value>, ms: number): Promise<Value> {
  return new Promise((done, failed) => {
    setTimeout(failed, ms, new Error(`no answer in ${ms} ms`));
    promise.then(done, failed);
  });
}
