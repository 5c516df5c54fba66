/** The visitor's cookie: what every engine keeps, reads and deletes. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { WRITE_KEY } from '../../rig/collector.mjs';
import { packagePage } from '../../rig/site.mjs';
import { arrive, ready, view, visit } from '../rig/visit.mjs';

const DOMAIN = 'attune.localhost';
const onHost = (host, url) => url.replace('127.0.0.1', `${host}.${DOMAIN}`);
const pages = (url) => ({
  '/': packagePage(onHost('collect', url), WRITE_KEY, { visitorCookie: DOMAIN }),
});

/** Adds the case to the suite of an engine; `run.browser` is there when it runs. */
export function visitor(run) {
  it('is for one visitor on two hosts of a domain, until they are forgotten', () =>
    visit({ ...run, pages, flags: ['--visitor-cookie-domain', DOMAIN] }, async ({ collector, site }) => {
      const open = async (host) => {
        const page = await run.browser.open(onHost(host, site.url));
        await ready(page);
        return page;
      };
      const member = (page) => page.run(() => localStorage.getItem('attune/e2e/member'));
      const isNamed = (page) =>
        page.until(true, () => document.cookie.includes(localStorage.getItem('attune/e2e/member')));
      const www = await open('www');
      const first = await member(www);
      await isNamed(www);
      await view(www, 'lamps', 2);
      const shop = await open('shop');
      assert.equal(await member(shop), first);
      await view(shop, 'lamps');
      await arrive(collector, 3);
      assert.equal((await collector.profile(first)).events, 3);
      const left = await www.run(() => {
        window.attune.forget();
        return document.cookie;
      });
      assert.ok(!left.includes(first), left);
      await isNamed(www);
      await shop.reload();
      await ready(shop);
      assert.notEqual(await member(shop), first);
      assert.equal(await member(shop), await member(www));
    }));
}
