/** What the loader paints of inserts, markup and orders, where the core is late. */

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
/** How long the core stays away, far beyond what anything is hidden for, and how long the page pauses between its parts. */
const LATE_MS = 1_500;
const PART_MS = 25;

const rule = (slot, action, when = { 'signals.views': { $gte: 1 } }) => ({
  ...{ id: slot, slot, when },
  actions: [action].flat(),
});
const RULES = {
  signals: [{ name: 'views', on: 'view', aggregate: 'count', window: 'lifetime' }],
  rules: [
    rule('html', { kind: 'html', target: '#html', value: '<b>{{context.page.path}}</b>' }),
    rule('insert', { kind: 'insert', target: '#insert', position: 'append', template: '#more' }),
    rule('reorder', { kind: 'reorder', target: '#reorder', order: ['.new'] }),
    rule('text', { kind: 'text', target: '#text', value: 'A' }),
    rule('here', { kind: 'html', target: '#here', value: '<b>HERE</b>' }, { 'context.page.path': '/' }),
    rule('once', [
      { kind: 'html', target: '#once', value: '<b>ONCE</b>' },
      { kind: 'event', name: 'said' },
    ]),
  ],
};
const KINDS = { html: [0, 0, 600, 60], insert: [0, 60, 600, 60], reorder: [0, 120, 600, 60] };
const TEXT = [0, 300, 600, 60];

/** Red is what stands there, green what is decided. The parts end in the middle of what rules change. */
const PARTS = [
  (head) => `<!doctype html><html lang="en"><title>Fixture</title>
<style>body { margin: 0; font: 40px monospace } p, ul { margin: 0; padding: 0; height: 60px; overflow: hidden; color: #f00 }
li { display: block; height: 60px; background: #f00 } b, li.new { background: #0f0; color: #0f0 }
#insert { display: flex; flex-direction: row-reverse }</style>
<script>window.said = 0; document.addEventListener('attune:said', () => { said += 1; });</script>
${head}<p id="html">ORIG`,
  () => `INAL</p><p id="insert">ORIGINAL</p><ul id="reorder"><li class="old">`,
  () => `</li><li class="new">`,
  () => `</li></ul><p id="here">ORIGINAL</p><p id="once">ORIGINAL</p><p id="text">ORIG`,
  () => `INAL</p><template id="more"><b>M`,
  () => `ORE</b></template>`,
];
const DECIDED = {
  ...{ html: '/', insert: 'ORIGINALMORE', reorder: 'new old' },
  ...{ here: 'HERE', hidden: 'once' },
};

describe('the loader, with rare actions', () => {
  let browser;
  let collector;
  let site;
  let settings;
  let more;
  /** What waits, by its address, and until when. */
  let late;
  let held;
  let pause = PART_MS;
  let release = () => {};
  before(async () => {
    browser = await openBrowser();
    collector = await Collector.start(RULES);
    settings = `data-write-key="${WRITE_KEY}" data-collector="${collector.url}"`;
    site = await listen(async (request, response) => {
      const path = new URL(request.url, 'http://site').pathname;
      if (!path.startsWith('/sdk/')) {
        response.writeHead(200, { 'content-type': 'text/html', ...site.headers });
        for (const part of PARTS) {
          response.write(part(`<script src="/sdk/loader.js" ${settings} ${more}></script>`));
          await sleep(pause);
        }
        return response.end();
      }
      if (late.test(path)) await held;
      const type = path.endsWith('.wasm') ? 'application/wasm' : 'text/javascript';
      response.writeHead(200, { 'content-type': type }).end(readFileSync(join(dist, basename(path))));
    });
  });
  beforeEach(() => {
    release();
    site.headers = {};
    more = '';
    pause = PART_MS;
    late = /attune-\w+\.wasm/;
  });
  after(async () => {
    release();
    await site.close();
    await collector.remove();
    await browser.close();
  });

  const hold = () => {
    held = new Promise((done) => {
      release = done;
    });
  };
  const ready = (page) => {
    release();
    return page.waitForFunction(() => window.attune.ready?.then(() => true));
  };
  /** A visitor who has been here once: every slot has been decided and stored. */
  const visitor = async () => {
    const context = await browser.newContext({ viewport: { width: 600, height: 400 } });
    const page = await context.newPage();
    await page.goto(site.url);
    await ready(page);
    await page.evaluate(() => window.attune.track('view'));
    await page.waitForFunction(() => document.querySelector('#html b'));
    await page.waitForFunction(() => localStorage.getItem('attune/e2e/decisions')?.includes('"#more"'));
    return { context, page };
  };
  /** What the page has and what of it is hidden. */
  const look = (page) =>
    page.evaluate(() => {
      const all = ['html', 'insert', 'reorder', 'here', 'once'].map((id) => document.getElementById(id));
      const isHidden = (element) => getComputedStyle(element).visibility === 'hidden';
      const textOf = ({ id, children, innerHTML }) =>
        id === 'reorder'
          ? [...children].map((child) => child.className).join(' ')
          : innerHTML.replace(/<.*?>/g, '');
      return {
        ...Object.fromEntries(all.map((element) => [element.id, textOf(element)])),
        hidden: all
          .filter(isHidden)
          .map(({ id }) => id)
          .join(' '),
      };
    });
  /** What the page shows while its core is held back. */
  const early = async (page, path = '/') => {
    hold();
    await page.goto(site.url + path);
    await page.waitForTimeout(100);
    return look(page);
  };
  const frames = async (page, rectangle) => {
    await page.goto('about:blank');
    let isLate;
    const visit = async () => {
      hold();
      await page.goto(site.url);
      await page.waitForTimeout(LATE_MS);
      isLate = await page.evaluate(() => !document.querySelector('#once b'));
      await ready(page);
    };
    const found = await framesOf(page, visit, rectangle);
    assert.ok(isLate, 'the core was late');
    return found;
  };
  const bare = ({ red, green }) => red > 0 && green === 0;

  for (const kind of Object.keys(KINDS)) {
    it(`shows no frame of what stood there before a stored change of kind ${kind}, however late the core is`, async () => {
      const { context, page } = await visitor();
      const found = await frames(page, KINDS[kind]);
      assert.ok(found.at(-1).green > 0, 'the page was seen');
      assert.equal(found.filter(bare).length, 0, JSON.stringify(found));
      await context.close();
    });
  }

  it('shows what stood there once it may be hidden no longer, where what makes it hangs as well', async () => {
    const { context, page } = await visitor();
    late = /attune-\w+\.wasm|actions-/;
    const found = await frames(page, KINDS.html);
    assert.ok(found.some(bare) && found.at(-1).green > 0);
    more = 'data-hide-ms="900"';
    const { hidden } = await early(page);
    assert.equal(hidden, 'html insert reorder here once');
    await page.waitForTimeout(1_000);
    const { hidden: none, html } = await look(page);
    assert.deepEqual([none, html], ['', 'ORIGINAL']);
    await ready(page);
    await page.waitForFunction(() => document.querySelector('#html b'));
    await context.close();
  });

  it('reveals no half of what stood there where the core is ready before the page has been read', async () => {
    const { context, page } = await visitor();
    more = 'data-hide-ms="9000"';
    pause = 600;
    await page.goto('about:blank');
    let isReady;
    const visit = async () => {
      const loaded = page.goto(site.url);
      await page.waitForFunction(() => document.querySelector('#text') && window.attune.decision);
      await page.waitForFunction(() => window.attune.ready?.then(() => true));
      isReady = await page.evaluate(() => !document.querySelector('#more'));
      await loaded;
    };
    const found = await framesOf(page, visit, TEXT);
    assert.ok(isReady, 'the page was still being read');
    const widths = found.map(({ width }) => width);
    assert.ok(widths.at(-1) > 0);
    assert.equal(Math.max(...widths), widths.at(-1), String(widths));
    await context.close();
  });

  it('leaves what it has painted as it is when the core comes, and what is to happen once to the core', async () => {
    const { context, page } = await visitor();
    more = 'data-hide-ms="9000"';
    assert.deepEqual(await early(page), { ...DECIDED, once: 'ORIGINAL' });
    assert.equal(await page.evaluate(() => window.said), 0);
    await page.evaluate(() => {
      window.seen = [];
      const options = { childList: true, subtree: true, attributes: true, characterData: true };
      const watch = new MutationObserver((all) => all.forEach(({ target }) => void seen.push(target.id)));
      for (const id of ['html', 'insert', 'reorder', 'here'])
        watch.observe(document.getElementById(id), options);
    });
    await ready(page);
    await page.waitForFunction(() => window.said);
    await page.waitForTimeout(300);
    assert.deepEqual(await look(page), { ...DECIDED, once: 'ONCE', hidden: '' });
    assert.deepEqual(await page.evaluate(() => [window.seen, window.said]), [[], 1]);
    // It goes on where the page renders anew.
    await page.evaluate(() => {
      document.querySelector('#html').outerHTML = '<p id="html">AGAIN</p>';
    });
    await page.waitForFunction(() => document.querySelector('#html b'));
    await context.close();
  });

  it('takes back what the core decides otherwise, with what stood there as it was', async () => {
    const { context, page } = await visitor();
    await early(page);
    collector.writeRules({ rules: [rule('none', { kind: 'hide', target: '#none' }, { 'traits.none': 1 })] });
    try {
      await ready(page);
      await page.waitForFunction(() => !document.querySelector('b'));
      const was = { html: 'ORIGINAL', insert: 'ORIGINAL', reorder: 'old new', here: 'ORIGINAL' };
      assert.deepEqual(await look(page), { ...was, once: 'ORIGINAL', hidden: '' });
      assert.equal(await page.evaluate(() => document.querySelector('#html').childNodes.length), 1);
    } finally {
      collector.writeRules(RULES);
    }
    // Whoever comes next is to find them.
    await page.waitForFunction(() => document.querySelector('#html b'));
    await context.close();
  });

  it('paints nothing that no longer holds', async () => {
    const { context, page } = await visitor();
    more = 'data-hide-ms="9000"';
    const { here, hidden } = await early(page, '/other');
    assert.deepEqual([here, hidden], ['ORIGINAL', 'html here once']);
    await ready(page);
    await page.waitForFunction(() => document.querySelector('#html b')?.textContent === '/other');
    assert.equal((await look(page)).here, 'ORIGINAL');
    await context.close();
  });

  it('paints no kind that it does not know, and no event that somebody has stored', async () => {
    const { context, page } = await visitor();
    for (const texts of [['event', 'said'], ['redirect', 'https://other.example'], ['dance', 'x'], [], 5]) {
      await page.evaluate((texts) => {
        const stored = JSON.parse(localStorage.getItem('attune/e2e/decisions'));
        stored.slots.html.outcomes[0][3][4] = [['further', '#html', texts, []]];
        localStorage.setItem('attune/e2e/decisions', JSON.stringify(stored));
        Storage.prototype.setItem = () => {};
      }, texts);
      assert.equal((await early(page)).html, 'ORIGINAL', JSON.stringify(texts));
      assert.equal(await page.evaluate(() => window.said), 0);
      await ready(page);
      await page.waitForFunction(() => localStorage.getItem('attune/e2e/decisions')?.includes('{{context'));
    }
    await context.close();
  });

  it('violates no policy, and leaves out markup where there is no sanitiser, with a word', async () => {
    const { context, page } = await visitor();
    more = 'data-hide-ms="9000"';
    site.headers = {
      'content-security-policy': [
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval' 'unsafe-inline'; style-src 'unsafe-inline'",
        `connect-src 'self' ${collector.url}; require-trusted-types-for 'script'; trusted-types 'none'`,
      ].join('; '),
    };
    const said = [];
    page.on('console', (message) => said.push(message.text()));
    page.on('pageerror', (error) => said.push(error.message));
    assert.deepEqual(await early(page), { ...DECIDED, once: 'ORIGINAL' });
    await ready(page);
    assert.deepEqual(said, []);
    await page.addInitScript(() => {
      delete Element.prototype.setHTML;
      window.attuneErrors = [];
    });
    const { html, insert, hidden } = await early(page);
    assert.deepEqual([html, insert, hidden], ['ORIGINAL', 'ORIGINALMORE', 'once']);
    await page.evaluate(() => window.attune.onError(({ code, message }) => attuneErrors.push(code, message)));
    await ready(page);
    await page.waitForFunction(() => window.attuneErrors.length);
    assert.equal(await page.evaluate(() => attuneErrors[0]), 'action_refused');
    assert.match(await page.evaluate(() => attuneErrors[1]), /setHTML is not a function/);
    await context.close();
  });
});
