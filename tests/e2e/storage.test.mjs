/** The site's database in a real browser: what is written, when, and what becomes of it where there is no room. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { openBrowser } from './rig/browser.mjs';
import { serveParts } from './rig/parts.mjs';

describe('entries in IndexedDB', () => {
  let browser;
  let site;
  let page;
  before(async () => {
    browser = await openBrowser();
    const parts = ['database', 'entries', 'storage', 'stored-keys'];
    site = await serveParts(parts.map((part) => `browser/${part}.ts`));
    page = await (await browser.newContext()).newPage();
    await page.goto(site.url);
  });
  after(async () => {
    await browser.close();
    await site.close();
  });

  /** Opens the entries of a database in the page, at `window.entries`, and keeps problems beside them. */
  const open = (name, target = page) =>
    target.evaluate((name) => {
      window.problems = [];
      window.entries = parts.openEntries({
        database: parts.openDatabase(name),
        allowed: () => true,
        problem: (problem) => problems.push(problem),
      });
      window.all = async () => {
        const read = await parts.openDatabase(name).read(IDBKeyRange.lowerBound(''));
        return read.map(([key, value]) => [key, value instanceof Uint8Array ? [...value] : value]);
      };
      window.pause = (ms) => new Promise((done) => setTimeout(done, ms));
    }, name);

  it('keep values of every kind by text and by list, in order', async () => {
    await open('order');
    const found = await page.evaluate(async () => {
      entries.put(['b', 10], () => ({ a: 'ü' }));
      entries.put(['b', 9], () => 1);
      entries.put(['a', 'call', 1], () => ['x']);
      entries.put('z', () => Uint8Array.of(0, 255));
      entries.flush();
      return [await all(), await entries.read(IDBKeyRange.bound(['b'], ['b', []]))];
    });
    const events = [
      [['b', 9], 1],
      [['b', 10], { a: 'ü' }],
    ];
    assert.deepEqual(found, [[['z', [0, 255]], [['a', 'call', 1], ['x']], ...events], events]);
  });

  it('let the last write of a key count', async () => {
    await open('last');
    const found = await page.evaluate(async () => {
      entries.put('gone', () => '1');
      entries.delete('gone');
      entries.delete('kept');
      entries.put('kept', () => '2');
      entries.flush();
      return all();
    });
    assert.deepEqual(found, [['kept', '2']]);
  });

  it('write within 50 ms in one transaction, and at once when asked to', async () => {
    await open('delay');
    const found = await page.evaluate(async () => {
      const own = IDBDatabase.prototype.transaction;
      const begun = [];
      IDBDatabase.prototype.transaction = function (store, mode, options) {
        if (mode === 'readwrite') begun.push(options.durability);
        return own.call(this, store, mode, options);
      };
      await entries.read(IDBKeyRange.lowerBound(''));
      entries.put('a', () => '1');
      entries.put('b', () => '1');
      await pause(0);
      const soon = begun.length;
      await pause(80);
      const later = begun.length;
      entries.put('c', () => '2');
      entries.flush('strict');
      IDBDatabase.prototype.transaction = own;
      return [soon, later, begun, (await all()).length];
    });
    assert.deepEqual(found, [0, 1, ['relaxed', 'strict'], 3]);
  });

  it('report a full disk once, go on removing, and write what waits when there is room again', async () => {
    const tight = await (await browser.newContext()).newPage();
    await tight.goto(site.url);
    const session = await tight.context().newCDPSession(tight);
    const quota = (quotaSize) =>
      session.send('Storage.overrideQuotaForOrigin', { origin: new URL(site.url).origin, quotaSize });
    await quota(1_000);
    await open('full', tight);
    const during = await tight.evaluate(async () => {
      entries.put('a', () => 'y'.repeat(1_000));
      entries.put('b', () => '1');
      entries.delete('old');
      entries.flush();
      await pause(500);
      return problems;
    });
    assert.deepEqual(during, ['full']);
    await quota(undefined);
    const after = await tight.evaluate(async () => {
      entries.put('a', () => '2');
      entries.flush();
      await pause(200);
      return [problems, await all()];
    });
    assert.deepEqual(after, [
      ['full'],
      [
        ['a', '2'],
        ['b', '1'],
      ],
    ]);
    await tight.context().close();
  });

  it('open again where the browser has closed the database', async () => {
    await open('closed');
    const found = await page.evaluate(async () => {
      entries.put('a', () => '1');
      entries.flush();
      await all();
      await new Promise((done) => {
        indexedDB.deleteDatabase('closed').onsuccess = done;
      });
      entries.put('b', () => '2');
      entries.flush();
      return [await all(), problems];
    });
    assert.deepEqual(found, [[['b', '2']], []]);
  });

  it('keep nothing and break nothing where it is blocked', async () => {
    const found = await page.evaluate(async () => {
      const own = Object.getOwnPropertyDescriptor(window, 'indexedDB');
      const blocked = {
        configurable: true,
        get() {
          throw new Error('blocked');
        },
      };
      for (const name of ['localStorage', 'indexedDB']) Object.defineProperty(window, name, blocked);
      const problems = [];
      const entries = parts.openEntries({
        database: parts.openDatabase('blocked'),
        allowed: () => true,
        problem: (problem) => problems.push(problem),
      });
      entries.put('a', () => '1');
      entries.flush();
      const read = await entries.read(IDBKeyRange.lowerBound(''));
      const storage = parts.openStorage(() => true);
      storage.setItem('a', '1');
      const kept = [storage.getItem('a'), parts.keysUnder('')];
      delete window.localStorage;
      Object.defineProperty(window, 'indexedDB', own);
      return [kept, read, problems];
    });
    assert.deepEqual(found, [[null, []], [], ['blocked']]);
    await page.reload();
  });

  it('touch nothing that they are not allowed to', async () => {
    const found = await page.evaluate(async () => {
      const entries = parts.openEntries({
        database: parts.openDatabase('not-allowed'),
        allowed: () => false,
        problem: (problem) => problems.push(problem),
      });
      entries.put('a', () => '1');
      entries.flush();
      const storage = parts.openStorage(() => false);
      storage.setItem('not-allowed', '1');
      const read = await entries.read(IDBKeyRange.lowerBound(''));
      const names = (await indexedDB.databases()).map(({ name }) => name);
      return [read, names.includes('not-allowed'), localStorage.getItem('not-allowed')];
    });
    assert.deepEqual(found, [[], false, null]);
  });
});
