/** As much of a page as Attune asks for: storage, events, answers of a collector, and a core that is a stand-in. */

import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { FakeCore } from './core.mjs';

/** Also where a test has a clock of its own. */
const realTimeout = setTimeout;
/** Time that only what does not come takes; tests do not go on for it when they are done. */
const LATE_MS = 30_000;
globalThis.setTimeout = (act, ms, ...values) => {
  const timeout = realTimeout(act, ms, ...values);
  return ms >= LATE_MS ? timeout.unref() : timeout;
};
const { instantiate } = WebAssembly;
const { CompressionStream } = globalThis;
const PATIENCE_MS = 5_000;
/** More than the time for which writes wait. */
const STORED_AFTER_MS = 80;
const pkg = join(import.meta.dirname, '../pkg');

/** Puts a page in place of whatever was there; `load` starts its WebAssembly, of which `isShort` leaves the rest out. */
export function openPage(options = {}) {
  const {
    entries = new Map(),
    database = new IDBFactory(),
    locks,
    search = '',
    isShort = false,
    jar = openJar(),
    BroadcastChannel,
  } = options;
  const core = Object.assign(new FakeCore(), { isShort });
  const target = new EventTarget();
  const posts = [];
  const beacons = [];
  const { promise, resolve } = withResolvers();
  const rest = withResolvers();
  if (!isShort) rest.resolve();
  const page = {
    core,
    entries,
    database,
    jar,
    posts,
    beacons,
    /** Answers by path; a missing one is a 404. */
    answers: { '/v1/events': () => Response.json({ accepted: 1 }) },
    /** Lets the WebAssembly load, and waits for this operation and everything that comes of it. */
    async load(operation = 'start') {
      resolve();
      const deadline = Date.now() + PATIENCE_MS;
      while (core.of(operation).length === 0 && Date.now() < deadline) await settle();
      // What is stored is read, and taken back; the stand-in for the database has timers of its own.
      for (let turn = 0; turn < 3; turn += 1) {
        await settle();
        await new Promise((done) => realTimeout(done, 2));
      }
      return core;
    },
    /** Lets the rest of the WebAssembly load, or tells that it is not there. */
    async loadRest(isThere = true) {
      core.isShort = !isThere;
      rest.resolve(isThere ? undefined : 404);
      await settle();
    },
    dispatch(name, fields = {}) {
      target.dispatchEvent(Object.assign(new Event(name), fields));
    },
    document: {
      get cookie() {
        return jar.read();
      },
      set cookie(text) {
        jar.write(text);
      },
      baseURI: 'https://shop.example/',
      title: 'Shop',
      referrer: '',
      hidden: false,
      querySelectorAll: () => [],
    },
  };
  const own = {
    document: page.document,
    location: { href: 'https://shop.example/', pathname: '/', search },
    innerWidth: 1200,
    innerHeight: 800,
    indexedDB: database,
    IDBKeyRange,
    BroadcastChannel,
    localStorage: storageOf(entries),
    matchMedia: () => ({ matches: true, addEventListener() {} }),
    addEventListener: target.addEventListener.bind(target),
    removeEventListener: target.removeEventListener.bind(target),
    MutationObserver: class {
      observe() {}
      disconnect() {}
    },
    async fetch(url, options) {
      const { pathname } = new URL(url);
      if (pathname.endsWith('attune_first.wasm')) {
        await promise;
        return new Response();
      }
      if (pathname.endsWith('attune_rest.wasm'))
        return new Response('', { status: (await rest.promise) ?? 200 });
      if (pathname.endsWith('.wasm')) return new Response(readFileSync(join(pkg, basename(pathname))));
      if (options?.method === 'POST') {
        const { credentials, body } = options;
        posts.push({ pathname, credentials, text: await new Response(body).text() });
      }
      return page.answers[pathname]?.(posts.at(-1), url) ?? nothingAt(pathname);
    },
  };
  Object.assign(globalThis, own, { window: own });
  const sendBeacon = (_url, body) => beacons.push(body) > 0;
  const navigator = { language: 'en-GB', sendBeacon, ...(locks && { locks }) };
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
  // Bodies are to be read as they are.
  globalThis.CompressionStream = undefined;
  // The core is a stand-in; what verifies is what pages load.
  WebAssembly.instantiate = async (bytes) =>
    bytes.byteLength > 0 ? instantiate(bytes) : { instance: { exports: core.exports } };
  return page;
}

/** A browser's cookies, as far as scripts see them: each with its value and the domain that has it, if not the host. */
export function openJar(...cookies) {
  const jar = {
    cookies,
    /** How often scripts have read, and what they have written. */
    reads: 0,
    writes: [],
    read() {
      jar.reads += 1;
      return jar.cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    },
    write(text) {
      jar.writes.push(text);
      const [pair, ...attributes] = text.split(';');
      const [name, value] = pair.split('=');
      const domain = attributes.find((one) => one.startsWith('domain='))?.slice(7) ?? '';
      jar.put(name, attributes.includes('max-age=0') ? undefined : value, domain);
    },
    /** What a server sets; no value deletes. */
    put(name, value, domain) {
      jar.cookies = jar.cookies.filter((one) => one.name !== name || one.domain !== domain);
      if (value !== undefined) jar.cookies.push({ name, value, domain });
    },
  };
  return jar;
}

/** Gives Node its own back. */
export function closePage() {
  WebAssembly.instantiate = instantiate;
  globalThis.CompressionStream = CompressionStream;
}

/** Lets everything happen that no timer holds back. */
export async function settle() {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((done) => setImmediate(done));
}

/** Lets everything happen that no timer holds back, and then the writes that wait for theirs: those timers began earlier. */
export async function written() {
  await settle();
  await new Promise((done) => setTimeout(done, STORED_AFTER_MS));
}

/** Puts entries, by key, into the database of a page that is to come. */
export async function store(database, entries) {
  const db = await opened(database);
  const transaction = db.transaction('entries', 'readwrite');
  for (const [key, value] of entries) transaction.objectStore('entries').put(value, key);
  await new Promise((done) => {
    transaction.oncomplete = done;
  });
  db.close();
}

/** What is stored under a key. */
export async function stored(database, key) {
  const [value] = await asked(database, (entries) => [entries.get(key)]);
  return value;
}

/** All that is stored, with its keys. */
export async function allIn(database) {
  const [keys, values] = await asked(database, (entries) => [entries.getAllKeys(), entries.getAll()]);
  return keys.map((key, place) => [key, values[place]]);
}

async function asked(database, ask) {
  const db = await opened(database);
  const transaction = db.transaction('entries');
  const requests = ask(transaction.objectStore('entries'));
  await new Promise((done) => {
    transaction.oncomplete = done;
  });
  db.close();
  return requests.map(({ result }) => result);
}

function opened(database) {
  return new Promise((done) => {
    const request = database.open('attune/demo', 1);
    request.onupgradeneeded = () => request.result.createObjectStore('entries');
    request.onsuccess = () => done(request.result);
  });
}

/** Web Locks among which `taken` are held by other pages. */
export function locksOf(taken) {
  return {
    request(name, _options, hold) {
      const isTaken = taken.some((lane) => name.endsWith(lane));
      return Promise.resolve(hold(isTaken ? null : { name }));
    },
  };
}

/** What a collector says that has nothing there: of the bundle, that none has been published. */
function nothingAt(pathname) {
  const code = pathname.startsWith('/v1/bundle') ? 'bundle_missing' : 'not_found';
  return Response.json({ code, message: 'of a test' }, { status: 404 });
}

/** A storage, whose keys are own properties. */
export function storageOf(entries) {
  const methods = {
    getItem: (key) => entries.get(key) ?? null,
    setItem: (key, value) => void entries.set(key, String(value)),
    removeItem: (key) => void entries.delete(key),
  };
  return new Proxy(methods, {
    ownKeys: () => [...entries.keys()],
    getOwnPropertyDescriptor: (_, key) => ({ value: entries.get(key), enumerable: true, configurable: true }),
  });
}

function withResolvers() {
  let resolve;
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
