/** A promise that is not waited for longer than it is worth. */

/** The same promise, which fails with a `TimeoutError` where it has not settled in time. */
export function inTime<Value>(promise: Promise<Value>, ms: number): Promise<Value> {
  return new Promise((done, failed) => {
    setTimeout(failed, ms, new DOMException(`no answer in ${ms} ms`, 'TimeoutError'));
    promise.then(done, failed);
  });
}
