/** Entries of the site's database, whose writes wait a little and then share one transaction. */

import type { Change, Database, Key } from './database.ts';
import { inTime } from './in-time.ts';
import { timer } from './timer.ts';

/** Longest time a write waits; together they cost one transaction. */
const WRITE_DELAY_MS = 50;
/** Longest time for which a page waits for what is stored: another tab that is busy may keep the database from opening. */
const READ_MS = 2_000;
/** Pause before what did not fit is tried again. */
const FULL_DELAY_MS = 10_000;

/** What is wrong with the database: the quota is used up, there is none to be had, or it does not answer in time. */
export type StorageProblem = 'full' | 'blocked' | 'slow';

/** Values by key. Nothing is kept where the browser blocks the database. */
export interface Entries {
  /** Queues a write; the value is asked for when it is written. */
  put(key: Key, value: () => unknown): void;
  /** Queues a removal. */
  delete(key: Key): void;
  /** What is stored in a range, in order; writes that wait are not seen, and nothing is where reading fails. */
  read(range: IDBKeyRange): Promise<Change[]>;
  /** Stores at once what is chosen in view of what is there; pages that do so side by side come one after the other. */
  claim<Value>(key: Key, choose: (found: unknown) => Value): Promise<Value>;
  /** Deletes what waits to be written, and the database with everything in it unless another page does that. */
  clear(elsewhere?: boolean): void;
  /** Whether the database is open, so that a transaction begins at once. */
  isOpen(): boolean;
  /** Performs every write that waits in one transaction, which begins at once; settles when that has ended. */
  flush(durability?: IDBTransactionDurability): Promise<void> | undefined;
}

/** What entries are opened with. */
export interface EntriesOptions {
  database: Database;
  /** Whether the database may be touched. */
  allowed(): boolean;
  /** Hears once of each problem. */
  problem(problem: StorageProblem): void;
}

/** Opens the entries of a database. */
export function openEntries({ database, allowed, problem }: EntriesOptions): Entries {
  /** Writes that wait, in their order: what makes the value, or nothing for what is to be removed. */
  const pending = new Map<string, [Key, (() => unknown) | undefined]>();
  const due = timer();
  const told = new Set<StorageProblem>();

  const tell = (found: StorageProblem) => {
    if (!told.has(found)) problem(found);
    told.add(found);
  };
  const refused = (writes: [Key, (() => unknown) | undefined][], cause: unknown) => {
    if ((cause as DOMException | undefined)?.name !== 'QuotaExceededError') {
      // What is not written now never will be.
      pending.clear();
      due.clear();
      return tell('blocked');
    }
    tell('full');
    const removals = writes.filter(([, value]) => !value);
    // Removals make room, and never fail for want of it.
    if (removals.length < writes.length) {
      for (const write of writes) if (write[1]) queue(...write, true);
      due.set(FULL_DELAY_MS, flush);
    }
    if (removals.length) perform(removals, 'relaxed');
  };
  const perform = (
    writes: [Key, (() => unknown) | undefined][],
    durability: IDBTransactionDurability,
  ): Promise<void> => {
    const changes = writes.map(([key, value]): Change => [key, value?.()]);
    return database.write(changes, durability).catch((cause) => refused(writes, cause));
  };
  const flush = (durability: IDBTransactionDurability = 'relaxed') => {
    removeEventListener('beforeunload', leaving);
    due.clear();
    const writes = [...pending.values()];
    pending.clear();
    return writes.length ? perform(writes, durability) : undefined;
  };
  // WebKit aborts what a page that it does not keep begins in `pagehide`, before it has reached the database:
  // https://github.com/WebKit/WebKit/blob/main/Source/WebCore/Modules/indexeddb/IDBTransaction.cpp, `stop`. Listened for
  // only while something waits, so that browsers need not ask every page before they leave it.
  const leaving = () => flush();
  const queue = (key: Key, value: (() => unknown) | undefined, unlessNewer?: boolean) => {
    if (told.has('blocked') || !allowed()) return;
    const name = key.toString();
    if (unlessNewer && pending.has(name)) return;
    // Deleted first so that a repeated write moves to the end.
    pending.delete(name);
    pending.set(name, [key, value]);
    if (due.isSet()) return;
    due.set(WRITE_DELAY_MS, flush);
    addEventListener('beforeunload', leaving);
    // A page that nobody sees may end with this task: events come in the site's own handlers of its end.
    if (document.hidden) queueMicrotask(flush);
  };
  return {
    put: queue,
    delete: (key) => queue(key, undefined),
    async read(range) {
      try {
        return allowed() ? await inTime(database.read(range), READ_MS) : [];
      } catch (cause) {
        tell((cause as Error).name === 'TimeoutError' ? 'slow' : 'blocked');
        return [];
      }
    },
    claim: (key, choose) => inTime(database.claim(key, choose), READ_MS).catch(() => choose(undefined)),
    clear(elsewhere) {
      due.clear();
      pending.clear();
      if (!elsewhere) database.delete();
    },
    isOpen: database.isOpen,
    flush,
  };
}
