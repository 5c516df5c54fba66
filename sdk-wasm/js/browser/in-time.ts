/** A promise that is not waited for longer than it is worth. */

/** The same promise, which fails with a `TimeoutError` where it has not settled in time. */
export function inTime<Value>(promise: Promise<Value>, ms: number): Promise<Value> {
  return new Promise((done, failed) => {
    const late = () => failed(new DOMException(`no answer in ${ms} ms`, 'TimeoutError'));
    setTimeout(late, ms);
    promise.then(done, failed);
  });
}
