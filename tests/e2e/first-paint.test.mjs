/** The loader: what a page shows before its core is there, frame by frame. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openBrowser } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { framesOf } from './rig/frames.mjs';
import { listen } from './rig/listen.mjs';

const dist = join(import.meta.dirname, '../../sdk-wasm/dist/script');
/** How long the script and its WebAssembly are on their way, and how long the page pauses between its parts. */
const SCRIPT_MS = 400;
const PART_MS = 120;

const text = (id, slot, value, more) => ({
  ...{ id, slot, ...more },
  actions: [{ kind: 'text', target: `#${slot}`, value }],
});
const RULES = {
  signals: [
    { name: 'views', on: 'view', aggregate: 'count', window: 'lifetime' },
    { name: 'visits', on: 'view', aggregate: 'count', window: 'session' },
  ],
  rules: [
    text('known', 'hero', 'DECIDED', { when: { 'signals.views': { $gte: 1 } } }),
    text('here', 'place', 'DECIDED', { when: { 'context.page.path': '/' } }),
    text('now', 'visit', 'DECIDED', { when: { 'signals.visits': { $gte: 1 } } }),
    {
      id: 'look',
      slot: 'look',
      when: { 'signals.views': { $gte: 1 } },
      actions: [
        { kind: 'class', target: '#look', add: ['decided'] },
        { kind: 'variable', name: 'look', value: 'new' },
      ],
    },
    {
      id: 'more',
      slot: 'extra',
      when: { 'signals.views': { $gte: 1 } },
      actions: [{ kind: 'insert', target: '#extra', position: 'append', template: '#more' }],
    },
  ],
};

/** A page that comes in parts, the first of which ends in the middle of what rules change. */
const PARTS = [
  (head) => `<!doctype html><html lang="en"><title>Fixture</title>
<style>body { margin: 0; font: 40px monospace } p { margin: 0; height: 60px; color: #f00 }
#look { background: #f00; color: #fff } #look.decided { background: #0f0 } b { background: #0f0 }</style>
${head}<p id="hero">ORIG`,
  () => `INAL hero</p><p id="place" data-attune-slot="place">ORIGINAL place</p><p id="visit">ORIGINAL`,
  () => ` visit</p><p id="look">look</p><p id="end">end</p>
<p id="extra">ORIGINAL</p><template id="more"><b>MORE</b></template>`,
];

describe('the loader', () => {
  let browser;
  let collector;
  let site;
  let head;
  /** What the script waits for beside its time. */
  let held;
  let release = () => {};
  /** Paths below `/sdk/` at which there is nothing, and those that take as long again. */
  let missing;
  let late;
  before(async () => {
    browser = await openBrowser();
    collector = await Collector.start(RULES);
    site = await listen(async (request, response) => {
      const path = new URL(request.url, 'http://site').pathname;
      if (!path.startsWith('/sdk/')) {
        response.writeHead(200, { 'content-type': 'text/html', ...site.headers });
        for (const part of PARTS) {
          response.write(part(head));
          await sleep(PART_MS);
        }
        return response.end();
      }
      const isLoader = path.endsWith('/loader.js');
      if (!isLoader) await Promise.all([sleep(SCRIPT_MS), held]);
      if (late?.test(path)) await sleep(SCRIPT_MS);
      if (missing?.test(path)) return response.writeHead(404).end();
      const type = path.endsWith('.wasm') ? 'application/wasm' : 'text/javascript';
      response.writeHead(200, { 'content-type': type }).end(readFileSync(join(dist, basename(path))));
    });
  });
  beforeEach(() => {
    release();
    site.headers = {};
    late = undefined;
  });
  after(async () => {
    await site.close();
    await collector.remove();
    await browser.close();
  });

  const settings = `data-write-key="${WRITE_KEY}"`;
  const loader = (attributes = '') =>
    `<script src="/sdk/loader.js" ${settings} data-collector="${collector.url}" ${attributes}></script>`;
  const asyncScript = () =>
    `<script async src="/sdk/attune.js" ${settings} data-collector="${collector.url}"></script>`;
  const ready = (page) => {
    release();
    return page.waitForFunction(() => window.attune.ready?.then(() => true));
  };
  /** A visitor who has been here once: every slot has been decided and stored. */
  const visitor = async (tag = loader()) => {
    head = tag;
    const context = await browser.newContext({ viewport: { width: 600, height: 400 } });
    const page = await context.newPage();
    await page.goto(site.url);
    await ready(page);
    await page.evaluate(() => window.attune.track('view'));
    await page.waitForFunction(() => document.querySelector('#hero').textContent === 'DECIDED');
    await page.waitForFunction(() => localStorage.getItem('attune/e2e/decisions')?.includes('"known"'));
    return { context, page };
  };
  /** What the page reads before the script is there, which waits until somebody asks for what comes later. */
  const early = async (page, path = '/') => {
    release();
    held = new Promise((done) => {
      release = done;
    });
    await page.goto(site.url + path, { waitUntil: 'domcontentloaded' });
    return page.evaluate(() => ({
      isEarly: Array.isArray(window.attune),
      ...Object.fromEntries(
        ['hero', 'place', 'visit'].map((id) => {
          const element = document.querySelector(`#${id}`);
          const isHidden = getComputedStyle(element).visibility === 'hidden';
          return [id, isHidden ? 'hidden' : element.textContent];
        }),
      ),
    }));
  };
  /** The frames of a visit, from an empty page until it is decided. */
  const framesOfVisit = async (page, rectangle, path = '/') => {
    await page.goto('about:blank');
    const visit = async () => {
      await page.goto(site.url + path);
      await ready(page);
    };
    return await framesOf(page, visit, rectangle);
  };
  const later = async (page) => {
    await ready(page);
    return page.evaluate(() =>
      ['hero', 'place', 'visit'].map((id) => document.querySelector(`#${id}`).textContent),
    );
  };
  /** Frames of a slot, each told by how far its text reaches: what stood there is longer than what is decided. */
  const widths = (frames) => frames.map(({ width }) => width);
  /** Long enough for a script that takes its time. */
  const PATIENT = 'data-hide-ms="9000"';
  const HERO = [0, 0, 600, 60];
  const LOOK = [0, 180, 600, 60];
  const EXTRA = [0, 300, 600, 60];

  it('shows no frame of what stood there in slots with a stored decision, however slowly the page comes', async () => {
    const { context, page } = await visitor();
    const frames = await framesOfVisit(page, HERO);
    assert.ok(frames.at(-1).width > 0, 'the page was seen');
    assert.equal(Math.max(...widths(frames)), frames.at(-1).width, String(widths(frames)));
    await context.close();
  });

  it('changes classes before the first frame', async () => {
    const { context, page } = await visitor();
    const frames = await framesOfVisit(page, LOOK);
    assert.ok(frames.some(({ green }) => green > 0));
    assert.equal(frames.filter(({ red }) => red > 0).length, 0);
    await context.close();
  });

  it('keeps a slot hidden until a change is made whose code comes late', async () => {
    const { context, page } = await visitor(loader(PATIENT));
    late = /\/actions-/;
    const bare = ({ red, green }) => red > 0 && green === 0;
    const frames = await framesOfVisit(page, EXTRA);
    assert.ok(frames.at(-1).red > 0 && frames.at(-1).green > 0, 'the page was seen, and the insert in it');
    assert.equal(frames.filter(bare).length, 0);
    head = asyncScript();
    assert.ok((await framesOfVisit(page, EXTRA)).some(bare), 'the script alone shows it bare');
    await context.close();
  });

  it('shows what stood there when such code takes longer than a slot is hidden by default', async () => {
    const { context, page } = await visitor();
    late = /\/actions-/;
    const bare = ({ red, green }) => red > 0 && green === 0;
    const frames = await framesOfVisit(page, EXTRA);
    assert.ok(frames.some(bare));
    assert.ok(frames.at(-1).green > 0);
    // What the loader paints itself is there all the same.
    const texts = widths(await framesOfVisit(page, HERO));
    assert.equal(Math.max(...texts), texts.at(-1), String(texts));
    await context.close();
  });

  it('is needed for that: the script alone shows frames of both', async () => {
    const { context, page } = await visitor();
    head = asyncScript();
    const frames = await framesOfVisit(page, HERO);
    assert.ok(Math.max(...widths(frames)) > frames.at(-1).width, String(widths(frames)));
    const looks = await framesOfVisit(page, LOOK);
    assert.ok(looks.some(({ red }) => red > 0) && looks.at(-1).green > 0);
    await context.close();
  });

  it('paints what is stored, gives its values at once, and leaves the rest to the script', async () => {
    const { context, page } = await visitor();
    const decided = { isEarly: true, hero: 'DECIDED', place: 'DECIDED', visit: 'DECIDED' };
    assert.deepEqual(await early(page), decided);
    assert.deepEqual(
      await page.evaluate(() => [
        window.attune.variable('look', 'old'),
        window.attune.variable('look', 1),
        window.attune.decision('hero').rule,
        window.attune.decision('nothing'),
      ]),
      ['new', 1, 'known', undefined],
    );
    assert.deepEqual(await later(page), ['DECIDED', 'DECIDED', 'DECIDED']);
    assert.equal(await page.evaluate(() => window.attune.variable('look', 'old')), 'new');
    await context.close();
  });

  it('hides what depends on another address until it is decided, and then shows what stood there', async () => {
    const { context, page } = await visitor(loader(PATIENT));
    const frames = await framesOfVisit(page, [0, 60, 600, 60], '/other');
    assert.equal(await page.textContent('#place'), 'ORIGINAL place');
    assert.ok(frames.at(-1).width > 0, 'it is shown in the end');
    // Neither what is decided elsewhere nor, before it is known to stay, what stands there.
    assert.deepEqual([...new Set(widths(frames))].sort(), [0, frames.at(-1).width].sort());
    await context.close();
  });

  it('paints nothing of a session that is over, and nothing for another member', async () => {
    const { context, page } = await visitor(loader(PATIENT));
    await page.evaluate(() => {
      // Nothing of this page is to write it anew when it is left.
      const { setItem } = localStorage;
      const [id, began, last] = localStorage.getItem('attune/e2e/session').split(' ');
      const hour = 3_600_000;
      setItem.call(localStorage, 'attune/e2e/session', [id, began - hour, last - hour].join(' '));
      Storage.prototype.setItem = () => {};
    });
    assert.deepEqual(await early(page), {
      ...{ isEarly: true, hero: 'DECIDED', place: 'DECIDED', visit: 'ORIGINAL visit' },
    });
    const record = () => localStorage.getItem('attune/e2e/decisions');
    const before = await page.evaluate(record);
    await ready(page);
    await page.waitForFunction((before) => localStorage.getItem('attune/e2e/decisions') !== before, before);
    await page.evaluate(() => {
      localStorage.setItem('attune/e2e/member', '0197f7a0-0000-7000-8000-000000000000');
      Storage.prototype.setItem = () => {};
    });
    const hidden = { isEarly: true, hero: 'hidden', place: 'hidden', visit: 'hidden' };
    assert.deepEqual(await early(page), hidden);
    await context.close();
  });

  it('hides nothing for longer than it may, also where the script never comes', async () => {
    const { context, page } = await visitor();
    head = loader('data-hide-ms="2000"');
    assert.equal((await early(page, '/other')).place, 'hidden');
    const visible = () => getComputedStyle(document.querySelector('#place')).visibility === 'visible';
    await page.waitForFunction(visible);
    assert.equal(await page.textContent('#place'), 'ORIGINAL place');
    head = loader();
    await early(page, '/other');
    await page.waitForTimeout(300);
    assert.ok(await page.evaluate(visible));
    head = loader('data-hide-ms="0"');
    const never = await framesOf(page, () => page.goto(`${site.url}/other`), [0, 60, 600, 60]);
    assert.ok(Math.max(...widths(never)) > 0);
    await context.close();
  });

  it('hides on a first visit the slots that its tag names', async () => {
    head = loader(`${PATIENT} data-slots="place visit"`);
    const context = await browser.newContext();
    const page = await context.newPage();
    assert.deepEqual(await early(page), {
      ...{ isEarly: true, hero: 'ORIGINAL hero', place: 'hidden', visit: 'ORIGINAL visit' },
    });
    assert.deepEqual(await later(page), ['ORIGINAL hero', 'DECIDED', 'ORIGINAL visit']);
    assert.equal(
      await page.evaluate(() => getComputedStyle(document.querySelector('#place')).visibility),
      'visible',
    );
    await context.close();
  });

  it('paints what the server has decided, in place of what is stored', async () => {
    const { context, page } = await visitor();
    const decided = (value) => [
      {
        slot: 'hero',
        rule: 'served',
        key: null,
        reason: 'level',
        actions: [{ kind: 'text', target: '#hero', value }],
      },
      { slot: 'broken' },
      // The first slot by name gives the value, wherever it stands.
      ...['last', 'first'].map((value) => ({
        ...{ slot: `${value === 'first' ? 'a' : 'z'}-order`, rule: value },
        actions: [{ kind: 'variable', name: 'order', value }],
      })),
    ];
    const json = JSON.stringify(decided('SERVED'));
    head = `<script type="application/json" id="attune-decisions">${json}</script>${loader()}`;
    const { hero, place } = await early(page);
    assert.deepEqual([hero, place], ['SERVED', 'DECIDED']);
    assert.equal(await page.evaluate(() => window.attune.variable('order', 'none')), 'first');
    assert.deepEqual(await later(page), ['DECIDED', 'DECIDED', 'DECIDED']);
    await context.close();
  });

  it('neither reads nor stores anything before it knows that it may', async () => {
    const { context, page } = await visitor();
    head = loader('data-consent="functional"');
    const { hero } = await early(page);
    assert.equal(hero, 'ORIGINAL hero');
    await ready(page);
    head = loader('data-consent="functional analytics personalization"');
    // What was decided before the site said so is not what it has agreed to now.
    await early(page);
    assert.deepEqual(await later(page), ['DECIDED', 'DECIDED', 'DECIDED']);
    await page.evaluate(() => window.attune.flush());
    await page.waitForTimeout(700);
    assert.equal((await early(page)).hero, 'DECIDED');
    await ready(page);
    await page.evaluate(() => window.attune.consent({ analytics: 'denied', personalization: 'denied' }));
    assert.equal(await page.evaluate(() => localStorage.getItem('attune/e2e/decisions')), null);
    assert.equal((await early(page)).hero, 'ORIGINAL hero');
    await context.close();
  });

  it('asks for the WebAssembly beside the script, and once', async () => {
    const { context, page } = await visitor();
    const asked = [];
    page.on('request', (request) => asked.push(basename(request.url()).replace(/-\w+\./, '.')));
    page.on('console', (message) => asked.push(message.text()));
    await page.goto(site.url);
    await ready(page);
    const files = asked.filter((name) => /loader|^attune/.test(name));
    assert.deepEqual(files.slice(0, 1), ['loader.js']);
    assert.deepEqual(files.slice(1).sort(), ['attune-rest.wasm', 'attune.wasm', 'behind-loader.js']);
    await context.close();
  });

  it('loads the script in one piece where the one that fits it is gone', async () => {
    const { context, page } = await visitor();
    const asked = [];
    page.on('request', (request) => asked.push(basename(request.url())));
    missing = /behind-loader/;
    await page.goto(site.url);
    await ready(page);
    assert.ok(asked.includes('attune.js'));
    missing = undefined;
    await context.close();
  });

  it('works under the strictest policy without a violation', async () => {
    const { context, page } = await visitor();
    site.headers = {
      'content-security-policy': [
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'unsafe-inline'",
        `connect-src 'self' ${collector.url}; require-trusted-types-for 'script'; trusted-types 'none'`,
      ].join('; '),
    };
    const violations = [];
    page.on('console', (message) => violations.push(message.text()));
    page.on('pageerror', (error) => violations.push(error.message));
    assert.equal((await early(page)).hero, 'DECIDED');
    assert.deepEqual(await later(page), ['DECIDED', 'DECIDED', 'DECIDED']);
    assert.deepEqual(violations, []);
    await context.close();
  });

  it('may be written into the page, by nonce', async () => {
    const text = readFileSync(join(dist, 'loader.js'), 'utf8');
    const tag = `<script nonce="n1" data-src="/sdk/loader.js" ${settings} data-collector="${collector.url}">${text}</script>`;
    const { context, page } = await visitor(tag);
    site.headers = {
      'content-security-policy': `script-src 'nonce-n1' 'strict-dynamic' 'wasm-unsafe-eval'; object-src 'none'`,
    };
    const violations = [];
    page.on('console', (message) => violations.push(message.text()));
    assert.equal((await early(page)).hero, 'DECIDED');
    assert.deepEqual(await later(page), ['DECIDED', 'DECIDED', 'DECIDED']);
    assert.deepEqual(violations, []);
    await context.close();
  });

  it('waits for the page to call init where its tag says so', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    head = `${loader('data-manual')}<script>
      window.early = attune.track('view');
      setTimeout(() => attune.init({ cookieless: true }), 2000);
    </script>`;
    await page.goto(site.url);
    await page.waitForTimeout(1_000);
    assert.equal(await page.evaluate(() => window.attune.ready), undefined);
    await ready(page);
    await page.waitForFunction(() => document.querySelector('#hero').textContent === 'DECIDED');
    assert.equal(await page.evaluate(() => localStorage.length), 0);
    head = `${loader()}<script>attune.init({ cookieless: true });</script>`;
    await page.goto(site.url);
    await ready(page);
    assert.equal(await page.evaluate(() => localStorage.length), 0);
    await context.close();
  });

  it('tells the console of options that are none, and goes on where an early call is wrong', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const thrown = [];
    page.on('pageerror', (error) => thrown.push(error.message));
    for (const [tag, message] of [
      [loader('data-trust="ed25519:xyz"'), /option "trust" must be 1 to 16/],
      [`${loader('data-manual')}<script>attune.init({ filtr: 1 })</script>`, /unknown option "filtr"/],
    ]) {
      head = tag;
      await page.goto(site.url);
      while (thrown.length === 0) await page.waitForTimeout(50);
      assert.match(thrown.shift(), message);
    }
    head = `${loader('data-cookieless')}<script>
      window.heard = [];
      attune.onError(({ code }) => heard.push(code));
      attune.consent({ marketing: 'granted' });
      attune.track('view');
      attune.forget();
    </script>`;
    await page.goto(site.url);
    await ready(page);
    assert.deepEqual(await page.evaluate(() => window.heard), ['consent_invalid']);
    assert.equal(await page.evaluate(() => localStorage.length), 0);
    // What was tracked before has been forgotten.
    assert.equal(await page.evaluate(() => attune.signal('views')), 0);
    assert.deepEqual(thrown, []);
    await context.close();
  });

  it('goes on where what is stored is no record', async () => {
    const { context, page } = await visitor();
    const slot = (targets, outcome) => ({ slots: { hero: { targets, outcomes: [outcome] } } });
    for (const damage of [
      { slots: { hero: 5 } },
      slot(1, ['', 0, {}, ['r', null, 0, 0, []]]),
      slot([], ['', 0, null, ['r', null, 0, 0, []]]),
      slot(['#'], ['', 0, {}, ['r', null, 0, 0, 'x']]),
      slot(
        ['#'],
        ['', 0, {}, ['r', null, 0, 0, [[], ['text'], ['text', '#', 'x'], ['class', '#hero', 1, 2]]]],
      ),
      { v: 'text' },
    ]) {
      await page.evaluate((damage) => {
        const stored = JSON.parse(localStorage.getItem('attune/e2e/decisions'));
        localStorage.setItem('attune/e2e/decisions', JSON.stringify({ ...stored, ...damage }));
        Storage.prototype.setItem = () => {};
      }, damage);
      assert.equal((await early(page)).hero, 'ORIGINAL hero', JSON.stringify(damage));
      assert.deepEqual(await later(page), ['DECIDED', 'DECIDED', 'DECIDED'], JSON.stringify(damage));
      await page.waitForFunction(() => localStorage.getItem('attune/e2e/decisions')?.includes('"known"'));
    }
    await context.close();
  });

  it('takes back what the rules no longer say, with what stood there as it was', async () => {
    const { context, page } = await visitor();
    collector.writeRules({ rules: [text('none', 'hero', 'NEVER', { when: { 'traits.none': 1 } })] });
    try {
      await page.waitForFunction(() => document.querySelector('#hero').textContent === 'ORIGINAL hero');
      // As if this page had not heard of it.
      await page.goto('about:blank');
      const stale = await context.newPage();
      await stale.goto(site.url);
      assert.deepEqual(await later(stale), ['ORIGINAL hero', 'ORIGINAL place', 'ORIGINAL visit']);
    } finally {
      collector.writeRules(RULES);
    }
    await context.close();
  });
});
