/** Actions from a rule file to the page, under a strict policy: all kinds, and what a redirect leaves behind. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { openBrowser } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { eventually } from './rig/eventually.mjs';
import { serveSite } from './rig/site.mjs';

const FURTHER = [
  {
    kind: 'insert',
    template: '#card',
    target: ':scope h2',
    position: 'after',
    values: { who: '{{context.who}}' },
  },
  { kind: 'html', target: ':scope .body', value: '<b>{{context.who|you}}</b><i>!</i>' },
  { kind: 'reorder', target: ':scope ul', order: ['.b'] },
  { kind: 'link', target: ':scope a.go', href: '/c/{{context.who}}', window: '_blank', text: 'Go' },
  { kind: 'event', name: 'offer', detail: { percent: 10, who: '{{context.who|you}}' } },
  { kind: 'class', add: ['on'] },
];
const RULES = {
  signals: [
    { name: 'shown', on: 'attune.shown', aggregate: 'count', window: 'lifetime' },
    { name: 'exposed', on: 'attune.exposure', aggregate: 'count', window: 'lifetime' },
  ],
  experiments: [
    {
      id: 'landing',
      variations: [
        { key: 'a', weight: 0 },
        { key: 'b', weight: 1 },
      ],
    },
  ],
  rules: [
    { id: 'offer', slot: 'offer', when: { 'context.who': { $exists: true } }, actions: FURTHER },
    {
      id: 'landing',
      slot: 'landing',
      when: { 'context.page.path': '/old', 'experiments.landing': 'b' },
      cap: { per: 'session', count: 9 },
      actions: [{ kind: 'redirect', url: '/new?from={{context.page.path}}' }],
    },
  ],
};
const ORIGINAL =
  '<h2>Offer</h2><div class="body">old</div><ul><li class="a"></li><li class="b"></li></ul><a class="go" href="/x">x</a>';

function pageWith(script) {
  return `<!doctype html>
<html lang="en">
<title>Fixture</title>
<script src="/watch.js"></script>
<template id="card"><p title="{{who}}">For {{who|all}}</p></template>
<section data-attune-slot="offer">${ORIGINAL}</section>
${script}
</html>`;
}

describe('actions of a rule file', () => {
  let browser;
  let collector;
  let site;
  before(async () => {
    browser = await openBrowser();
    collector = await Collector.start(RULES);
    const policy = [
      `default-src 'none'; connect-src ${collector.url}`,
      `script-src 'self' ${collector.url} 'wasm-unsafe-eval'`,
      "require-trusted-types-for 'script'; trusted-types 'none'",
    ].join('; ');
    const script = `<script async data-write-key="${WRITE_KEY}" src="${collector.url}/sdk/attune.js"></script>`;
    site = await serveSite(
      { '/': pageWith(script), '/old': pageWith(script), '/new': pageWith(script) },
      { 'content-security-policy': policy },
    );
  });
  after(async () => {
    await browser.close();
    await site.close();
    await collector.remove();
  });

  /** A page that keeps what violates its policy and what the site's own code hears. */
  async function open(path) {
    const page = await browser.newPage();
    await page.route('**/watch.js', (route) =>
      route.fulfill({
        contentType: 'text/javascript',
        body: `window.violations = []; window.heard = [];
          addEventListener('securitypolicyviolation', (event) => violations.push(event.violatedDirective));
          for (const type of ['attune:offer', 'attune:offer:end'])
            document.addEventListener(type, (event) => heard.push([event.type, event.detail]));`,
      }),
    );
    await page.goto(site.url + path);
    await page.waitForFunction(() => window.attune?.ready);
    await page.evaluate(() => window.attune.ready);
    return page;
  }

  it('change the slot’s own elements, and give them back', async () => {
    const page = await open('/');
    const html = () => page.evaluate(() => document.querySelector('[data-attune-slot]').outerHTML);
    await page.evaluate(() => attune.setContext({ who: '<b>"Ada"' }));
    await page.waitForSelector('[data-attune-slot].on b');
    const found = await page.evaluate(() => {
      const slot = document.querySelector('[data-attune-slot]');
      const [inserted, body, link] = [
        slot.querySelector('h2 + p'),
        slot.querySelector('.body'),
        slot.querySelector('.go'),
      ];
      return [
        [inserted.textContent, inserted.title],
        [body.textContent, body.querySelectorAll('b').length],
        [...slot.querySelectorAll('li')].map(({ className }) => className),
        [link.getAttribute('href'), link.target, link.textContent],
      ];
    });
    assert.deepEqual(found, [
      ['For <b>"Ada"', '<b>"Ada"'],
      ['<b>"Ada"!', 1],
      ['b', 'a'],
      ['/c/<b>"Ada"', '_blank', 'Go'],
    ]);
    await page.evaluate(() => attune.setContext({ who: null }));
    assert.equal(await html(), `<section data-attune-slot="offer">${ORIGINAL}</section>`);
    const detail = { percent: 10, who: '<b>"Ada"' };
    assert.deepEqual(await page.evaluate(() => heard), [
      ['attune:offer', detail],
      ['attune:offer:end', detail],
    ]);
    assert.deepEqual(await page.evaluate(() => violations), []);
    await page.close();
  });

  it('lead away, and what was shown and exposed before reaches the collector', async () => {
    const page = await browser.newPage();
    await page.route('**/watch.js', (route) => route.fulfill({ contentType: 'text/javascript', body: '' }));
    await page.goto(`${site.url}/old`);
    await page.waitForURL(`${site.url}/new?from=/old`);
    const counted = async () => (await collector.summary()).signals;
    const { shown, exposed } = await eventually(counted, ({ shown, exposed }) => shown >= 1 && exposed >= 1);
    assert.deepEqual([shown, exposed], [1, 1]);
    await page.close();
  });
});
