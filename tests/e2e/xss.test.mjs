/** What attackers write, through every kind of change, with Trusted Types and without: none of it runs. */

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openBrowser } from './rig/browser.mjs';
import { serveParts } from './rig/parts.mjs';

const suites = join(import.meta.dirname, '../../../shared/suites');
const lists = join(suites, 'payloads/XSS Injection/Intruders');
const STRICT = "script-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'";
/** Payloads that run where they are parsed as HTML, at least: a rig in which they do not proves nothing. */
const MIN_CONTROL = 80;

/** Every line of the lists and every fixture, once. */
function payloads() {
  const lines = readdirSync(lists).flatMap((file) => readFileSync(join(lists, file), 'utf8').split('\n'));
  const fixtures = JSON.parse(readFileSync(join(suites, 'dompurify/expect.json'), 'utf8'));
  return [
    ...new Set([...lines.map((line) => line.trim()), ...fixtures.map(({ payload }) => payload)]),
  ].filter(Boolean);
}

const skip = existsSync(lists) ? false : `${lists} is not on this machine`;

describe('what attackers write', { skip }, () => {
  /** Runs with a page that counts what runs. */
  async function withPage(policy, body) {
    const browser = await openBrowser();
    const site = await serveParts(['dom/page.ts'], {}, policy);
    try {
      const page = await browser.newPage();
      // In every frame, so that what runs in a frame of a frame is heard too.
      await page.addInitScript(() => {
        const note = (said) => {
          let [frame, element] = [window, window.event?.target];
          for (; frame !== top && frame.parent !== top; frame = frame.parent) element = frame.frameElement;
          const payload = element?.closest?.('[data-payload]')?.dataset.payload;
          top.fired ??= [];
          top.fired.push(payload ?? said);
        };
        for (const name of ['alert', 'confirm', 'prompt', 'print', 'open']) {
          window[name] = (...said) => note([name, ...said].join(' '));
        }
      });
      await page.goto(site.url);
      await page.evaluate(() => {
        window.fired = [];
      });
      await body(page);
    } finally {
      await browser.close();
      await site.close();
    }
  }

  for (const [name, policy] of [
    ['without Trusted Types', undefined],
    ['with Trusted Types', STRICT],
  ]) {
    it(`runs in no change ${name}`, () =>
      withPage(policy, async (page) => {
        const found = await page.evaluate(async (payloads) => {
          const problems = [];
          const changes = parts.openPage((problem) => problems.push(problem));
          const violations = [];
          document.addEventListener('securitypolicyviolation', (event) =>
            violations.push(event.violatedDirective),
          );
          const root = document.body.appendChild(document.createElement('section'));
          for (const tag of [
            'p',
            'a',
            'img',
            'button',
            'input',
            'iframe',
            'form',
            'script',
            'style',
            'svg',
          ]) {
            const element =
              tag === 'svg'
                ? document.createElementNS('http://www.w3.org/2000/svg', 'a')
                : document.createElement(tag);
            element.id = tag;
            root.append(element);
          }
          const dangerous = [];
          for (const payload of payloads) {
            const texts = ['#p', '#button', '#a'].map((target) => ['text', target, payload]);
            const names = [
              'href',
              'src',
              'title',
              'value',
              'style',
              'srcdoc',
              'onclick',
              'data-x',
              payload.slice(0, 40),
            ];
            const attributes = ['#a', '#img', '#iframe', '#input', '#svg', '#button'].flatMap((target) =>
              names.map((name) => ['attribute', target, name, payload]),
            );
            const rest = [
              ['class', '#p', [payload], []],
              ['style', '#p', 'background-image', payload],
              ['style', '#p', payload, 'red'],
              ['hide', payload],
            ];
            for (const change of [...texts, ...attributes, ...rest]) changes.set(change.join(), [change]);
            for (const element of root.querySelectorAll('[href], [src]')) {
              const address = String(element.getAttribute('href') ?? element.getAttribute('src'));
              if (!URL.canParse(address, location.href)) continue;
              const { protocol } = new URL(address, location.href);
              if (!['http:', 'https:', 'mailto:', 'tel:'].includes(protocol)) dangerous.push(address);
            }
            const handlers = [...root.querySelectorAll('*')].flatMap((element) =>
              element.getAttributeNames().filter((name) => name.startsWith('on') || name === 'srcdoc'),
            );
            dangerous.push(...handlers);
            changes.clear();
          }
          await new Promise((done) => setTimeout(done, 1_000));
          return { fired, dangerous, violations, children: root.querySelectorAll('p *, button *').length };
        }, payloads());
        assert.deepEqual(found, { fired: [], dangerous: [], violations: [], children: 0 });
      }));
  }

  it('runs where it is parsed as HTML, so the rig would notice', () =>
    withPage(undefined, async (page) => {
      const [count, all] = await page.evaluate(async (payloads) => {
        const put = (some) => {
          const frame = document.body.appendChild(document.createElement('iframe'));
          // What is out of sight is not animated.
          frame.style.cssText = 'position: fixed; top: 0; left: 0; width: 300px; height: 150px';
          const { contentDocument: inside } = frame;
          // All boxes first: some payloads put elements in place of the document's own functions.
          const boxes = some.map(() => inside.body.appendChild(inside.createElement('div')));
          boxes.forEach((box, place) => {
            box.dataset.payload = some[place][0];
            box.innerHTML = some[place][1];
          });
        };
        const numbered = payloads.map((payload, place) => [place, payload]);
        // One that leads its page away takes its neighbours along, so each frame has a few only.
        for (let from = 0; from < numbered.length; from += 20) put(numbered.slice(from, from + 20));
        await new Promise((done) => setTimeout(done, 3_000));
        return [new Set(fired).size, payloads.length];
      }, payloads());
      assert.ok(count >= MIN_CONTROL, `${count} of ${all} payloads ran`);
    }));
});
