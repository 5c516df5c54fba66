/** What `attune/autocapture` tracks of what visitors do, and what it never tells. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { openBrowser, openPage } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { eventually } from './rig/eventually.mjs';
import { openGate } from './rig/gate.mjs';
import { thirdViewRules } from './rig/rules.mjs';
import { serveSite } from './rig/site.mjs';

/** Everything that a page may be clicked at. */
const BODY = `
<section data-attune="pricing"><button class="btn">Buy <b>now</b></button></section>
<nav id="menu"><ul class="css-1q2w3e list"><li><a class="link sc-bdVaJa active" href="/docs/start?token=secret#part">Docs</a></li></ul></nav>
<button id="save" type="submit">  Save
  all </button>
<button class="greet">Hi <span data-attune-mask>Ann Masked</span></button>
<div data-attune-mask><a id="profile" href="/people/ann-masked">Ann Masked</a></div>
<div data-attune-ignore><button id="ignored">Ignored</button></div>
<div class="card" style="cursor: pointer"><i>Card</i></div>
<p id="plain">Nothing to click</p>
<label id="label">Agree <input id="agree" type="checkbox"></label>
<a id="mail" href="mailto:ann@example.com">Write</a>
<x-shop data-attune="shop"></x-shop><x-plain id="host"></x-plain>
<form id="login" name="sign-in" action="/login?next=%2Fsecret" data-kind="form">
  <input type="hidden" name="id" value="hidden-value">
  <input id="email" name="action" type="email"><input id="password" name="password" type="password">
  <textarea id="note" name="note"></textarea><button id="send">Send</button>
</form>
<div style="height: 4000px"></div>
<script>
  for (const name of ['x-shop', 'x-plain']) customElements.define(name, class extends HTMLElement {
    connectedCallback() { this.attachShadow({ mode: 'open' }).innerHTML = '<button class="add">Add</button>'; }
  });
  document.forms[0].addEventListener('submit', (event) => event.preventDefault());
  document.querySelector('#menu a').addEventListener('click', (event) => event.preventDefault());
  document.querySelector('#profile').addEventListener('click', (event) => event.preventDefault());
  document.querySelector('#mail').addEventListener('click', (event) => event.preventDefault());
</script>`;

function capturePage(collectorUrl, options, body = BODY) {
  return `<!doctype html>
<html lang="en">
<title>First</title>
${body}
<script type="module">
  import { init } from '/attune/index.js';
  import { autocapture } from '/attune/autocapture.js';
  window.attuneErrors = [];
  window.attune = init({ writeKey: '${WRITE_KEY}', collector: '${collectorUrl}' });
  window.attune.onError((error) => window.attuneErrors.push(error.code + ': ' + error.message));
  window.start = (options) => autocapture(window.attune, options);
  window.end = window.start(${JSON.stringify(options)});
  window.attune.ready.then(() => { document.documentElement.dataset.ready = 'yes'; });
</script>
</html>`;
}

const LINKS = (elsewhere) => `
<a id="out" href="${elsewhere}/other?email=ann@example.com#x">Elsewhere</a>
<a id="inside" href="/inside">Inside</a>
<a id="pdf" href="/files/Report.PDF?key=secret">Report</a>
<a id="named" download="list.txt" href="data:text/plain,hello">List</a>`;

/** Only these kinds. */
const ONLY = (more) => ({
  ...{ pageViews: false, clicks: false, forms: false, scroll: false, rageClicks: false },
  ...{ outboundLinks: false, downloads: false },
  ...more,
});

describe('autocapture', () => {
  let browser;
  let collector;
  let gate;
  let site;
  let page;
  let member;
  before(async () => {
    // The rig's browser has no back/forward cache unless asked for.
    browser = await openBrowser({ ignoreDefaultArgs: ['--disable-back-forward-cache'] });
    collector = await Collector.start(thirdViewRules());
    gate = await openGate(collector.url);
    const pages = {
      '/other': '<!doctype html><title>Other</title>',
      '/inside': '<!doctype html><title>In</title>',
    };
    site = await serveSite(pages);
    const add = (path, options, body) => {
      pages[path] = capturePage(gate.url, options, body);
    };
    const elsewhere = site.url.replace('127.0.0.1', 'localhost');
    add('/', {});
    add('/views', ONLY({ pageViews: true }));
    add('/hash', ONLY({ pageViews: { hash: true } }));
    add('/clicks', ONLY({ clicks: true }));
    add('/text', ONLY({ clicks: { text: true } }));
    add('/scroll', ONLY({ pageViews: true, scroll: true }));
    add('/rage', ONLY({ rageClicks: true }));
    add('/links', ONLY({ outboundLinks: true, downloads: true }), LINKS(elsewhere));
    add('/errors', ONLY({ errors: true }));
    add('/vitals', ONLY({ webVitals: true }));
    add('/wrong', ONLY({ clickz: true }));
  });
  after(async () => {
    await browser.close();
    await site.close();
    await gate.close();
    await collector.remove();
  });

  /** Runs at a page with a visitor of its own. */
  async function at(path, body, prepare = () => {}) {
    const context = await browser.newContext();
    try {
      await context.addInitScript(prepare);
      page = await openPage(context, site.url + path);
      member = await page.evaluate(() => localStorage.getItem('attune/e2e/member'));
      await body();
    } finally {
      await context.close();
    }
  }
  /** Metadata of this visitor's events of a type that have been posted. */
  const posted = (type) => {
    const batches = gate.posted.map((text) => JSON.parse(text));
    const own = batches.filter(({ anonymous_id: id }) => member.includes(id));
    const events = new Map(own.flatMap(({ events = [] }) => events).map((event) => [event.event_id, event]));
    const ofType = [...events.values()].filter(({ event_type }) => !type || event_type === type);
    return ofType.sort((a, b) => a.seq - b.seq).map(({ metadata }) => metadata);
  };
  /** The same once a last event of the page's own has arrived, and so everything before it. */
  const all = async (type) => {
    await page.waitForTimeout(50);
    const mark = await page.evaluate(() => window.attune.track('mark', { id: String(Math.random()) }));
    await eventually(() => gate.posted.some((text) => text.includes(mark)), Boolean);
    return posted(type);
  };
  const errors = () => page.evaluate(() => window.attuneErrors);
  const click = (selector, options) => page.click(selector, options);

  for (const [name, prepare] of [
    ['by the Navigation API', () => {}],
    ['without it', () => Object.defineProperty(window, 'navigation', { value: undefined })],
  ]) {
    it(`views a page once for each change of path, and of the query unless it is replaced, ${name}`, () =>
      at(
        '/views',
        async () => {
          const visits = [
            () => {
              history.pushState({}, '', '/a');
              document.title = 'A';
            },
            () => history.replaceState({ again: true }, '', '/a'),
            () => history.replaceState({}, '', '/a#part'),
            () => {
              location.hash = 'other';
            },
            () => history.pushState({}, '', '/a?page=2&utm_source=news'),
            // As where campaign parameters are taken away.
            () => history.replaceState({}, '', '/a?page=2'),
            () => history.replaceState({}, '', '/a?page=3#part'),
            () => window.start({ clicks: false }),
            // A router that leads on, in one step and in two.
            () => history.replaceState({}, '', '/b'),
            () => {
              history.pushState({}, '', '/b?step=1');
              history.replaceState({}, '', '/b?step=2');
            },
            () => history.replaceState({}, '', '/b'),
            () => history.back(),
            () => history.back(),
          ];
          for (const visit of visits) {
            await page.evaluate(visit);
            await page.waitForTimeout(80);
          }
          const views = await all('page_view');
          assert.deepEqual(
            views.map(({ path, title }) => [path, title]),
            [
              ['/views', 'First'],
              ['/a', 'A'],
              ['/a', 'A'],
              ['/b', 'A'],
              ['/b', 'A'],
              ['/a', 'A'],
            ],
          );
          const isPatched = !/native code/.test(await page.evaluate(() => String(history.pushState)));
          assert.equal(isPatched, name === 'without it');
          await page.evaluate(() => window.start({ pageViews: false })());
          await page.evaluate(() => history.pushState({}, '', '/late'));
          assert.equal((await all('page_view')).length, 6);
          assert.match(await page.evaluate(() => String(history.pushState)), /native code/);
          assert.deepEqual(await errors(), []);
        },
        prepare,
      ));
  }

  it('views a page once where a script takes the campaign from its address', () =>
    at('/views?utm_source=news&gclid=1', async () => {
      await page.evaluate(() => history.replaceState({}, '', location.pathname));
      assert.deepEqual(
        (await all('page_view')).map(({ path }) => path),
        ['/views'],
      );
    }));

  it('counts a fragment as a path where that is asked for, also a replaced one', () =>
    at('/hash', async () => {
      for (const fragment of ['#/a', '#/b', '#/b']) {
        await page.evaluate((fragment) => history.replaceState({}, '', fragment), fragment);
        await page.waitForTimeout(80);
      }
      assert.equal((await all('page_view')).length, 3);
    }));

  it('waits for the title of a navigation that the page handles itself', () =>
    at('/views', async () => {
      await page.evaluate(async () => {
        navigation.addEventListener('navigate', (event) =>
          event.intercept({
            async handler() {
              await new Promise((done) => setTimeout(done, 100));
              document.title = 'Handled';
            },
          }),
        );
        await navigation.navigate('/handled').finished;
      });
      const views = (await all('page_view')).map(({ path, title }) => [path, title]);
      assert.deepEqual(views.slice(1), [['/handled', 'Handled']]);
    }));

  it('views a page again that the back/forward cache gives back', () =>
    at('/views', async () => {
      await page.evaluate(() => {
        window.isSame = true;
      });
      await page.goto(`${site.url}/other`);
      await page.goBack({ waitUntil: 'commit' });
      await page.waitForFunction(() => window.isSame);
      assert.equal((await all('page_view')).length, 2);
    }));

  it('views fragments as pages where they are said to be', () =>
    at('/hash', async () => {
      await page.evaluate(() => {
        location.hash = '/a';
      });
      await page.waitForTimeout(50);
      assert.equal((await all('page_view')).length, 2);
    }));

  it('does not view a page again when it is started again, and takes the place of what ran', () =>
    at('/', async () => {
      await page.evaluate(() => window.start());
      await click('#save');
      assert.equal((await all('page_view')).length, 1);
      assert.equal(posted('click').length, 1);
    }));

  it('names what was clicked so that the name lasts', () =>
    at('/clicks', async () => {
      const targets = [
        '.btn b',
        '#menu a',
        '#save',
        '.card i',
        '#label',
        '#mail',
        'x-shop .add',
        '#host .add',
      ];
      for (const target of targets)
        await click(target, target === '#label' ? { position: { x: 2, y: 8 } } : {});
      for (const target of ['#ignored', '#plain']) await click(target);
      await page.evaluate(() => document.querySelector('#save').click());
      const clicks = (await all('click')).map(({ path, ...metadata }) => metadata);
      assert.deepEqual(clicks, [
        { name: 'pricing', selector: '[data-attune="pricing"]', tag: 'button' },
        { selector: '#menu > ul.list > li > a.link', tag: 'a', href: '/docs/start' },
        { selector: '#save', tag: 'button' },
        { selector: 'html > body > div.card', tag: 'div' },
        { selector: '#agree', tag: 'input' },
        { selector: '#mail', tag: 'a', href: 'mailto:' },
        { name: 'shop', selector: '[data-attune="shop"]', tag: 'button' },
        { selector: '#host > button.add', tag: 'button' },
      ]);
      assert.deepEqual(await errors(), []);
    }));

  it('tells texts only when asked to, and nothing that is masked', () =>
    at('/text', async () => {
      for (const target of ['.btn', '#save', '.greet', '#profile', '#email']) await click(target);
      const clicks = (await all('click')).map(({ text, href }) => ({ text, href }));
      assert.deepEqual(clicks, [
        { text: 'Buy now', href: undefined },
        { text: 'Save all', href: undefined },
        { text: 'Hi', href: undefined },
        { text: undefined, href: undefined },
        { text: undefined, href: undefined },
      ]);
      assert.ok(!gate.posted.some((text) => /ann-masked|Ann Masked/.test(text)));
    }));

  it('tells of a form what it is, and never a value', () =>
    at('/', async () => {
      await page.evaluate(() => window.start({ clicks: { text: true }, errors: true, webVitals: true }));
      const values = {
        '#email': 'ann.typed@example.com',
        '#password': 'hunter2-typed',
        '#note': 'typed note',
      };
      for (const [field, value] of Object.entries(values)) {
        await click(field);
        await page.type(field, value);
      }
      await click('#send');
      const [form] = await all('form_submit');
      assert.deepEqual(form, {
        path: '/',
        selector: '#login',
        tag: 'form',
        form_id: 'login',
        form_name: 'sign-in',
        form_destination: '/login',
        fields: 3,
      });
      const whole = gate.posted.join('\n');
      for (const value of [...Object.values(values), 'hidden-value', 'secret']) {
        assert.ok(!whole.includes(value), value);
      }
      assert.ok(posted('click').length >= 4);
      assert.deepEqual(await errors(), []);
    }));

  it('tells each quarter of a page once a view', () =>
    at('/scroll', async () => {
      const scrollTo = async (share) => {
        const to = (share) => scrollTo(0, document.documentElement.scrollHeight * share);
        await page.evaluate(to, share);
        await page.waitForTimeout(80);
      };
      for (const share of [0.3, 0.1, 1, 0]) await scrollTo(share);
      await page.evaluate(() => history.pushState({}, '', '/next'));
      await page.waitForTimeout(50);
      await scrollTo(0.3);
      const depths = (await all('scroll')).map(({ path, percent_scrolled }) => [path, percent_scrolled]);
      assert.deepEqual(
        depths,
        [25, 50, 75, 100].map((depth) => ['/scroll', depth]).concat([25].map((depth) => ['/next', depth])),
      );
    }));

  it('tells of three quick clicks at one place, once', () =>
    at('/rage', async () => {
      await click('#plain', { clickCount: 5 });
      await page.waitForTimeout(1_100);
      await click('#note', { clickCount: 3 });
      for (const target of ['#save', '#plain', '#save']) await click(target);
      assert.deepEqual(await all('rage_click'), [{ path: '/rage', selector: '#plain', tag: 'p' }]);
      await page.waitForTimeout(1_100);
      await click('#plain', { clickCount: 3 });
      assert.equal((await all('rage_click')).length, 2);
    }));

  it('tells of links that leave and of downloads, though the page is gone', () =>
    at('/links', async () => {
      await click('#named');
      await click('#pdf', { button: 'middle' });
      await click('#out', { button: 'right' });
      await click('#out');
      await page.waitForURL(/localhost/);
      const [out] = await eventually(
        () => posted('outbound_click'),
        (found) => found.length > 0,
      );
      const elsewhere = site.url.replace('127.0.0.1', 'localhost');
      assert.deepEqual(out, {
        path: '/links',
        selector: '#out',
        tag: 'a',
        link_domain: 'localhost',
        link_url: `${elsewhere}/other`,
      });
      const downloads = await eventually(
        () => posted('file_download'),
        (found) => found.length > 1,
      );
      const told = downloads.map(({ selector, file_name, file_extension, link_url }) => {
        return [selector, file_name, file_extension, link_url];
      });
      assert.deepEqual(told, [
        ['#named', 'list.txt', 'txt', 'data:'],
        ['#pdf', 'Report.PDF', 'pdf', '/files/Report.PDF'],
      ]);
    }));

  it('tells of each error once, ten at most, without queries', () =>
    at('/errors', async () => {
      await page.evaluate(async () => {
        const rejects = (reason) => void Promise.reject(reason);
        for (let turn = 0; turn < 3; turn += 1) setTimeout(() => window.missing.call());
        rejects(new TypeError('no answer from https://api.example/v1?token=secret'));
        rejects({ toJSON: () => 'secret' });
        await new Promise((done) => setTimeout(done, 50));
        for (let turn = 0; turn < 20; turn += 1) rejects(`reason ${turn} ${'x'.repeat(300)}`);
      });
      const exceptions = await all('exception');
      assert.equal(exceptions.length, 10);
      const messages = exceptions.map(({ kind, message }) => `${kind}: ${message}`);
      assert.match(messages[0], /^(error: TypeError: Cannot read|unhandledrejection: TypeError: no answer)/);
      assert.ok(messages.includes('unhandledrejection: TypeError: no answer from https://api.example/v1'));
      assert.ok(messages.includes('unhandledrejection: [object Object]'));
      assert.ok(exceptions.every(({ message }) => message.length <= 200));
      assert.ok(!gate.posted.some((text) => text.includes('secret')));
    }));

  it('measures Web Vitals, the last of them when the page is left', () =>
    at('/vitals', async () => {
      await page.evaluate(() => {
        document.querySelector('#save').addEventListener('click', () => {
          for (const end = performance.now() + 100; performance.now() < end; );
        });
      });
      await click('#save');
      // The library looks at interactions when the page is idle.
      await page.waitForTimeout(1_500);
      await page.goto(`${site.url}/other`);
      const vitals = await eventually(
        () => posted('web_vital'),
        (found) => new Set(found.map(({ name }) => name)).size === 5,
      );
      for (const { name, value, rating, id, path } of vitals) {
        assert.ok(value >= 0, name);
        assert.match(rating, /^(good|needs-improvement|poor)$/);
        assert.match(id, /^v\d+-/);
        assert.equal(path, '/vitals');
      }
    }));

  it('loads what measures Web Vitals only then', () =>
    at('/', async () => {
      const loaded = () => performance.getEntriesByType('resource').map(({ name }) => name);
      const names = await page.evaluate(loaded);
      assert.ok(names.some((name) => name.endsWith('/autocapture.js')));
      assert.ok(!names.some((name) => name.includes('web-vitals')));
    }));

  it('never throws into the page, and says what failed', () =>
    at('/clicks', async () => {
      await page.evaluate(() => {
        window.heard = [];
        addEventListener('error', ({ message }) => window.heard.push(message));
        document.querySelector('#save').addEventListener('click', () => window.heard.push('click'));
        window.attune.track = () => {
          throw new Error('broken');
        };
      });
      await click('#save');
      assert.deepEqual(await page.evaluate(() => window.heard), ['click']);
      assert.deepEqual(await errors(), ['autocapture_failed: Error: broken']);
    }));

  it('says which options there are', () =>
    at('/wrong', async () => {
      assert.match(
        (await errors()).join(),
        /^option_unknown: autocapture: unknown option "clickz"; known are pageViews, /,
      );
    }));

  it('says that its options are none, and tracks as where none are given', () =>
    at('/', async () => {
      const said = await page.evaluate(async () => {
        const { autocapture } = await import('/attune/autocapture.js');
        return [null, 'clicks'].map((options) => typeof autocapture(window.attune, options));
      });
      assert.deepEqual(said, ['function', 'function']);
      const message = 'option_invalid: autocapture: options must be an object; the defaults are taken';
      assert.deepEqual(await errors(), [message, message]);
    }));

  it('ends with Attune', () =>
    at('/', async () => {
      await page.evaluate(() => window.attune.shutdown());
      await click('#save');
      assert.deepEqual(await errors(), []);
    }));
});
