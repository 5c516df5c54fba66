/** Web Locks: which other page loads of this site are alive. */

/** Whether the browser has locks; it has none on pages without a secure origin. */
export function hasLocks(): boolean {
  return 'locks' in navigator;
}

/** Asks for a lock without waiting for it: gives what releases it, or nothing where another page has it. */
export function tryLock(name: string): Promise<(() => void) | undefined> {
  return request(name, { ifAvailable: true });
}

/**
 * Waits for a lock until the signal ends that: gives what releases it, or nothing where it has ended or the browser has
 * no locks to give.
 */
export function awaitLock(name: string, signal: AbortSignal): Promise<(() => void) | undefined> {
  return request(name, { signal });
}

function request(name: string, options: LockOptions): Promise<(() => void) | undefined> {
  return new Promise((answer) => {
    const refused = () => answer(undefined);
    // The lock is held for as long as the promise that is returned here has not ended.
    const hold = (lock: Lock | null) => (lock ? new Promise<void>((release) => answer(release)) : refused());
    if (hasLocks()) navigator.locks.request(name, options, hold).catch(refused);
    else refused();
  });
}
