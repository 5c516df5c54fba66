/** One visitor on the hosts of one domain, by the cookie that the collector sets there. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { openBrowser, openPage } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { eventually } from './rig/eventually.mjs';
import { fanRules } from './rig/rules.mjs';
import { packagePage, serveSite } from './rig/site.mjs';

const NAME = 'attune_visitor';
/** Browsers find every name below `localhost` on this machine, and take it for as safe as an encrypted one. */
const DOMAIN = 'attune.localhost';
const UNKNOWN = { analytics: 'unknown', personalization: 'unknown' };
const DENIED = { analytics: 'denied', personalization: 'denied' };
/** What a page with the script tag may do under the strict recipe of docs/embedding.md. */
const strictPolicy = (collector) =>
  [
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'",
    `connect-src 'self' ${collector}`,
    "require-trusted-types-for 'script'; trusted-types 'none'",
  ].join('; ');

describe('the visitor’s cookie', () => {
  let browser;
  let collector;
  let site;
  let strictSite;
  let withoutWasm;
  /** The collector, on a host of the domain. */
  let address;
  before(async () => {
    browser = await openBrowser();
    collector = await Collector.startWith(fanRules(), ['--visitor-cookie-domain', DOMAIN]);
    address = hostOf('collect', collector.url);
    const page = (options) => packagePage(address, WRITE_KEY, options);
    const cookie = { visitorCookie: DOMAIN };
    const tag = (file, attributes) =>
      `<!doctype html><html lang="en"><title>Fixture</title><h1 id="headline">Welcome</h1>
<script ${attributes} src="/sdk/${file}" data-write-key="${WRITE_KEY}" data-collector="${address}" data-visitor-cookie="${DOMAIN}"></script></html>`;
    const pages = {
      '/': page(cookie),
      '/alone': page({}),
      '/unasked': page({ ...cookie, consent: UNKNOWN }),
      '/strict': page({ ...cookie, consent: UNKNOWN, strict: true }),
      '/denied': page({ ...cookie, consent: DENIED }),
      '/tag': tag('attune.js', 'async'),
      '/loader': tag('loader.js', ''),
      '/plain': '<!doctype html><html lang="en"><title>Fixture</title></html>',
    };
    site = await serveSite(pages);
    strictSite = await serveSite(pages, { 'content-security-policy': strictPolicy(address) });
    withoutWasm = await serveSite(pages, { 'content-security-policy': "script-src 'self' 'unsafe-inline'" });
  });
  after(async () => {
    await browser.close();
    for (const server of [site, strictSite, withoutWasm]) await server.close();
    await collector.remove();
  });

  const hostOf = (host, url, domain = DOMAIN) => url.replace('127.0.0.1', `${host}.${domain}`);
  const www = (path = '/') => hostOf('www', site.url) + path;
  const shop = (path = '/') => hostOf('shop', site.url) + path;
  /** Runs with a browser of its own. */
  const visit = async (body) => {
    const context = await browser.newContext();
    try {
      await body(context);
    } finally {
      await context.close();
    }
  };
  const whoIs = (page) =>
    page.evaluate(async () => {
      const { inspect } = await import('/attune/devtools.js');
      return inspect(window.attune).member;
    });
  const cookies = async (context) => (await context.cookies()).filter(({ name }) => name === NAME);
  /** The member that the one cookie there is comes to name. */
  const named = async (context) => {
    const [{ value }] = await eventually(
      () => cookies(context),
      (found) => found.length === 1,
    );
    return value.split('.')[0];
  };
  const names = async (context, member) =>
    eventually(
      async () => (await cookies(context)).map(({ value }) => value.split('.')[0]).join(),
      (found) => found === member,
    );
  const track = (page, count = 1) =>
    page.evaluate((count) => {
      for (let call = 0; call < count; call += 1) window.attune.track('product_view', { category: 'lamps' });
    }, count);
  const knows = (member, count) =>
    eventually(
      async () => (await collector.profile(member).catch(() => ({}))).events ?? 0,
      (events) => events === count,
    );
  const wipe = (page) =>
    page.evaluate(async () => {
      // What is still to be written would come back with the page.
      await new Promise((done) => setTimeout(done, 250));
      localStorage.clear();
      for (const { name } of await indexedDB.databases()) {
        await new Promise((done) => {
          indexedDB.deleteDatabase(name).onsuccess = done;
        });
      }
    });
  const goOn = async (page, url) => {
    await page.goto(url);
    await page.waitForSelector('html[data-ready=yes]');
    return await whoIs(page);
  };

  it('makes one visitor of what is done on two hosts, whom rules know on both', () =>
    visit(async (context) => {
      const page = await openPage(context, www());
      const member = await whoIs(page);
      assert.equal(await named(context), member);
      const [{ domain, path, httpOnly, sameSite, expires }] = await cookies(context);
      assert.deepEqual([domain, path, httpOnly, sameSite], [`.${DOMAIN}`, '/', false, 'Lax']);
      const days = (expires - Date.now() / 1_000) / 86_400;
      assert.ok(days > 399 && days <= 400, `${days} days`);
      await track(page, 2);
      await knows(member, 2);
      const other = await openPage(context, shop());
      assert.equal(await whoIs(other), member);
      await track(other);
      await knows(member, 3);
      // What was done on the other host comes back from the collector.
      await other.waitForFunction(
        () => document.querySelector('#headline').textContent === 'For friends of lamps',
      );
      assert.deepEqual(await other.evaluate(() => window.attuneErrors), []);
    }));

  it('is needed for that: without it every host has a visitor of its own', () =>
    visit(async (context) => {
      const page = await openPage(context, www('/alone'));
      const other = await openPage(context, shop('/alone'));
      assert.notEqual(await whoIs(page), await whoIs(other));
      assert.deepEqual(await cookies(context), []);
    }));

  it('keeps the visitor of a host whose script storage is lost, which nothing else does', () =>
    visit(async (context) => {
      const page = await openPage(context, shop());
      const member = await named(context);
      await wipe(page);
      assert.equal(await goOn(page, shop()), member);
      const alone = await openPage(context, www('/alone'));
      const before = await whoIs(alone);
      await wipe(alone);
      assert.notEqual(await goOn(alone, www('/alone')), before);
    }));

  it('delivers what is stored of another visitor of a host as that one’s', () =>
    visit(async (context) => {
      const page = await openPage(context, shop('/alone'));
      const before = await whoIs(page);
      const first = await openPage(context, www());
      const member = await named(context);
      await context.setOffline(true);
      await track(page, 2);
      await page.waitForTimeout(150);
      await page.evaluate(() => window.stop());
      await page.close();
      await context.setOffline(false);
      const next = await openPage(context, shop());
      assert.notEqual(before, member);
      assert.equal(await whoIs(next), member);
      await track(next);
      await track(first);
      await knows(before, 2);
      await knows(member, 2);
    }));

  it('never makes one of two visitors', () =>
    visit((one) =>
      visit(async (two) => {
        const members = [];
        for (const context of [one, two]) {
          await openPage(context, www());
          members.push(await named(context), await whoIs(await openPage(context, shop())));
        }
        assert.deepEqual([members[0], members[2]], [members[1], members[3]]);
        assert.notEqual(members[0], members[2]);
      }),
    ));

  it('leaves and asks for nothing before consent, and no request of a page names a visitor who has been here', () =>
    visit(async (context) => {
      const sent = [];
      context.on('request', async (request) => {
        const { cookie = '' } = await request.allHeaders();
        if (request.url().startsWith(address))
          sent.push([new URL(request.url()).pathname, cookie, request.postData()]);
      });
      const page = await openPage(context, www('/unasked'));
      await track(page, 2);
      await page.goto(www('/strict'));
      await page.waitForTimeout(400);
      assert.deepEqual([sent, await context.cookies()], [[['/v1/bundle', '', null]], []]);
      await goOn(page, www());
      const member = await named(context);
      sent.length = 0;
      await page.goto(shop('/unasked'));
      await page.waitForSelector('html[data-ready=yes]');
      await page.goto(shop('/strict'));
      await page.waitForTimeout(400);
      assert.deepEqual(sent, [['/v1/bundle', '', null]], 'the cookie stays at home');
      const bytes = await page.evaluate(
        async () => localStorage.length + (await indexedDB.databases()).length,
      );
      assert.equal(bytes, 0);
      await page.evaluate(
        (url) => fetch(url, { mode: 'no-cors', credentials: 'include' }),
        `${address}/health/live`,
      );
      // What a request takes along is known a little after its answer.
      const [, [, taken]] = await eventually(
        () => sent,
        ({ length }) => length === 2,
      );
      assert.match(taken, new RegExp(`^${NAME}=${member}`), 'which requests can take along');
      await page.evaluate(() => window.attune.consent({ analytics: 'granted' }));
      await page.waitForSelector('html[data-ready=yes]');
      await eventually(
        () => whoIs(page),
        (found) => found === member,
      );
    }));

  it('is gone with a no', () =>
    visit(async (context) => {
      const page = await openPage(context, www());
      await named(context);
      await page.evaluate((said) => window.attune.consent(said), DENIED);
      assert.deepEqual(await context.cookies(), []);
      await goOn(page, www());
      await named(context);
      await page.goto(shop('/denied'));
      await page.waitForFunction(() => window.attune);
      assert.deepEqual(await context.cookies(), []);
    }));

  it('is gone when the visitor is forgotten, who is nobody on the other host any more', () =>
    visit(async (context) => {
      const other = await openPage(context, shop());
      const member = await named(context);
      const page = await openPage(context, www());
      await track(page);
      await knows(member, 1);
      // The receipt has brought the token.
      await page.waitForTimeout(300);
      const left = await page.evaluate(() => {
        window.attune.forget();
        return document.cookie;
      });
      // The next visitor's may be there already: a page waits while it reads, and the network does not.
      assert.ok(!left.includes(member), left);
      await knows(member, 0);
      const after = await named(context);
      assert.notEqual(after, member);
      assert.deepEqual([await whoIs(page), await goOn(other, shop())], [after, after]);
      assert.equal(await goOn(page, www()), after);
    }));

  it('is gone with the visitor also where the page leaves at once', () =>
    visit(async (context) => {
      const other = await openPage(context, shop());
      const member = await named(context);
      const page = await openPage(context, www());
      await page.evaluate(() => {
        window.attune.forget();
        location.href = 'about:blank';
      });
      await page.waitForURL('about:blank');
      await other.waitForTimeout(300);
      assert.notEqual(await goOn(other, shop()), member);
    }));

  it('names who comes with a reset, and an open page of another host follows when it is looked at', () =>
    visit(async (context) => {
      const page = await openPage(context, www());
      const member = await named(context);
      const other = await openPage(context, shop());
      await page.evaluate(() => window.attune.reset());
      const after = await whoIs(page);
      assert.notEqual(after, member);
      await names(context, after);
      assert.equal(await whoIs(other), member, 'nobody has told it');
      await other.evaluate(() => document.dispatchEvent(new Event('visibilitychange', { bubbles: true })));
      assert.equal(await whoIs(other), after);
      await track(other);
      await knows(after, 1);
      await knows(member, 0);
      assert.equal(await goOn(other, shop()), after);
    }));

  it('is not to be had by pages of another site', () =>
    visit(async (context) => {
      const plant = async (url) => {
        const page = await context.newPage();
        await page.goto(url);
        return await page.evaluate(async (address) => {
          const body = JSON.stringify({ anonymous_id: '0197f7a0-0000-7000-8000-00000000000a' });
          const options = { method: 'POST', credentials: 'include', body };
          return await fetch(address, options).then(
            ({ status }) => status,
            () => 'refused',
          );
        }, `${address}/v1/visitor?k=${WRITE_KEY}`);
      };
      assert.equal(await plant(`${hostOf('www', site.url, 'evil.localhost')}/plain`), 'refused');
      assert.deepEqual(await cookies(context), []);
      assert.equal(await plant(www('/plain')), 204);
      assert.equal((await cookies(context)).length, 1);
    }));

  it('is of no use where it does not hold, and is replaced', () =>
    visit(async (context) => {
      for (const value of ['nonsense', '0197f7a0-0000-7000-8000-00000000000a', 'x'.repeat(3_000)]) {
        const at = { name: NAME, path: '/' };
        await context.addCookies([
          { ...at, value, domain: `.${DOMAIN}` },
          { ...at, value, url: www(), path: undefined },
        ]);
        const page = await openPage(context, www());
        const member = await whoIs(page);
        await names(context, member);
        assert.deepEqual(await page.evaluate(() => window.attuneErrors), []);
        await page.close();
      }
    }));

  it('works at the script tag, under the strict policy', () =>
    visit(async (context) => {
      await context.addInitScript(() => {
        window.violations = [];
        document.addEventListener('securitypolicyviolation', ({ violatedDirective }) => {
          window.violations.push(violatedDirective);
        });
      });
      const page = await context.newPage();
      await page.goto(`${hostOf('www', strictSite.url)}/tag`);
      await page.waitForFunction(() => window.attune?.track);
      await track(page);
      const member = await named(context);
      await page.goto(`${hostOf('shop', strictSite.url)}/tag`);
      await page.waitForFunction(() => window.attune?.track);
      await track(page);
      await knows(member, 2);
      assert.deepEqual(await page.evaluate(() => window.violations), []);
    }));

  it('names the visitor where WebAssembly is refused as well', () =>
    visit(async (context) => {
      const page = await context.newPage();
      const plain = async (host) => {
        await page.goto(`${hostOf(host, withoutWasm.url)}/`);
        await page.waitForFunction(() => window.attuneErrors?.length > 0);
        await track(page);
      };
      await plain('www');
      const member = await named(context);
      await knows(member, 1);
      await plain('shop');
      await knows(member, 2);
      await page.evaluate(() => window.attune.forget());
      const after = await named(context);
      assert.notEqual(after, member);
      await plain('www');
      await knows(after, 1);
    }));

  it('keeps the loader from painting what was decided for somebody else', () =>
    visit(async (context) => {
      const page = await context.newPage();
      /** What a page of the loader shows while its script is on the way. */
      const early = async () => {
        let release;
        const held = new Promise((done) => {
          release = done;
        });
        await page.route('**/sdk/attune.js', async (route) => {
          await held;
          await route.continue();
        });
        await page.goto(shop('/loader'), { waitUntil: 'domcontentloaded' });
        const shown = await page.textContent('#headline');
        release();
        await page.waitForFunction(() => window.attune.ready?.then(() => true));
        await page.unroute('**/sdk/attune.js');
        return shown;
      };
      assert.equal(await early(), 'Welcome');
      await track(page, 3);
      await page.waitForFunction(() => localStorage.getItem('attune/e2e/decisions')?.includes('lamp-fan'));
      await named(context);
      assert.equal(await early(), 'For friends of lamps');
      const other = await openPage(context, www());
      await other.evaluate(() => window.attune.reset());
      await names(context, await whoIs(other));
      assert.equal(await early(), 'Welcome', 'another visitor');
      await track(page, 3);
      await page.waitForFunction(() => localStorage.getItem('attune/e2e/decisions')?.includes('lamp-fan'));
      assert.equal(await early(), 'For friends of lamps');
      await other.evaluate((said) => window.attune.consent(said), DENIED);
      await other.goto(www('/denied'));
      assert.equal(await early(), 'Welcome', 'nobody who is known');
    }));
});
