/** The site's database in IndexedDB: one store of values by key. */

const STORE = 'entries';

/** A text, or the parts of a name; texts sort before lists. */
export type Key = string | (string | number)[];

/** A value under its key; nothing as a value deletes. */
export type Change = [key: Key, value: unknown];

/** Values by key, as far as the browser lets the site have any. */
export interface Database {
  /** Whether it is open, so that a transaction begins at once. */
  isOpen(): boolean;
  /** Keys and values of a range, in order. Fails with the browser's word. */
  read(range: IDBKeyRange): Promise<Change[]>;
  /** Stores what is chosen in view of what is there, while nobody else does; gives it. Fails with the browser's word. */
  claim<Value>(key: Key, choose: (found: unknown) => Value): Promise<Value>;
  /**
   * Performs writes in one transaction, in order, which begins at once where the database is open. `strict` waits for
   * the disk itself, `relaxed` for the system's cache, which outlives the browser. Fails with the browser's word.
   */
  write(changes: Change[], durability: IDBTransactionDurability): Promise<void>;
  /** Deletes the database with everything in it. */
  delete(): void;
}

/** Opens a database, now and again where the browser has closed it. */
export function openDatabase(name: string): Database {
  let open: IDBDatabase | undefined;
  let opening: Promise<IDBDatabase> | undefined;

  const connect = () => {
    opening ??= new Promise((done, failed) => {
      const request = indexedDB.open(name, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE);
      request.onerror = () => failed(request.error);
      request.onsuccess = () => {
        const { result } = request;
        open = result;
        // The site's data is being deleted, or the browser has given the connection up.
        result.onversionchange = result.onclose = () => {
          result.close();
          open = opening = undefined;
        };
        done(result);
      };
    });
    return opening;
  };
  const transact = <Result>(
    mode: IDBTransactionMode,
    durability: IDBTransactionDurability,
    act: (store: IDBObjectStore) => () => Result,
  ) => {
    const run = (database: IDBDatabase) =>
      new Promise<Result>((done, failed) => {
        const transaction = database.transaction(STORE, mode, { durability });
        const result = act(transaction.objectStore(STORE));
        transaction.oncomplete = () => done(result());
        transaction.onabort = () => failed(transaction.error);
      });
    return open ? run(open) : connect().then(run);
  };
  return {
    isOpen: () => open !== undefined,
    read: (range) =>
      transact('readonly', 'relaxed', (store) => {
        const [keys, values] = [store.getAllKeys(range), store.getAll(range)];
        return () => keys.result.map((key, place): Change => [key as Key, values.result[place]]);
      }),
    claim<Value>(key: Key, choose: (found: unknown) => Value) {
      let value: Value;
      const act = (store: IDBObjectStore) => {
        const found = store.get(key);
        found.onsuccess = () => {
          value = choose(found.result);
          store.put(value, key);
        };
        return () => value;
      };
      return transact('readwrite', 'relaxed', act);
    },
    write: (changes, durability) =>
      transact('readwrite', durability, (store) => {
        for (const [key, value] of changes) {
          if (value === undefined) store.delete(key);
          else store.put(value, key);
        }
        // Everything asked for so far is handed over, so that a page that is gone need not be asked.
        store.transaction.commit?.();
        return () => {};
      }),
    delete() {
      open?.close();
      open = opening = undefined;
      try {
        // It waits for transactions that are under way, and has other pages close theirs.
        indexedDB.deleteDatabase(name);
      } catch {
        // Where there is no database there is nothing to delete.
      }
    },
  };
}
