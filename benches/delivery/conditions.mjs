/** What is wrong with a browser, as scripts that run in every page before the page's own. */

/** Every access to a store throws and there are no locks, as where a browser blocks all cookies. */
export function storageBlocked() {
  const blocked = {
    configurable: true,
    get() {
      throw new DOMException('access to storage is denied', 'SecurityError');
    },
  };
  for (const name of ['localStorage', 'sessionStorage', 'indexedDB']) {
    Object.defineProperty(globalThis, name, blocked);
  }
  LockManager.prototype.request = async () => {
    throw new DOMException('access to locks is denied', 'SecurityError');
  };
}

/** The quota is used up: whatever would be stored fails; what is there can be read and removed. */
export function quotaExhausted() {
  const full = () => new DOMException('the quota has been exceeded', 'QuotaExceededError');
  Storage.prototype.setItem = () => {
    throw full();
  };
  const spent = new WeakSet();
  for (const name of ['put', 'add']) {
    const write = IDBObjectStore.prototype[name];
    IDBObjectStore.prototype[name] = function (...values) {
      const request = write.apply(this, values);
      // Chromium finds out when the transaction is to be written: it is aborted.
      if (!spent.has(this.transaction)) {
        spent.add(this.transaction);
        this.transaction.abort();
      }
      return request;
    };
  }
  const { get } = Object.getOwnPropertyDescriptor(IDBTransaction.prototype, 'error');
  Object.defineProperty(IDBTransaction.prototype, 'error', {
    configurable: true,
    get() {
      return spent.has(this) ? full() : get.call(this);
    },
  });
}

/** The device's clock is off by so many milliseconds; what measures durations is right. */
export function clockOff(offsetMs) {
  const { now, parse, UTC } = Date;
  const origin = performance.timeOrigin + offsetMs;
  class WrongDate extends Date {
    constructor(...given) {
      super(...(given.length === 0 ? [now() + offsetMs] : given));
    }
  }
  const replaced = function (...given) {
    return new.target ? Reflect.construct(WrongDate, given, new.target) : new WrongDate().toString();
  };
  replaced.prototype = Date.prototype;
  Date.prototype.constructor = replaced;
  globalThis.Date = Object.assign(replaced, { now: () => now() + offsetMs, parse, UTC });
  Object.defineProperty(performance, 'timeOrigin', { configurable: true, value: origin });
}

/** The text of a condition with what it is given. */
export function scriptOf(condition, ...given) {
  return `(${condition})(${given.map((value) => JSON.stringify(value)).join()});`;
}
