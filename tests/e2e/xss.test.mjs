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
const MIN_CONTROL = 140;
/** Every kind of change that a page makes; a `link` comes to the page as attributes and text. */
const KINDS = [
  'attribute',
  'class',
  'event',
  'hide',
  'html',
  'insert',
  'redirect',
  'reorder',
  'show',
  'style',
  'text',
];

/** Every line of the lists and every fixture, once. */
function payloads() {
  const lines = readdirSync(lists).flatMap((file) => readFileSync(join(lists, file), 'utf8').split('\n'));
  const fixtures = JSON.parse(readFileSync(join(suites, 'dompurify/expect.json'), 'utf8'));
  return [
    ...new Set([...lines.map((line) => line.trim()), ...fixtures.map(({ payload }) => payload)]),
  ].filter(Boolean);
}

/** Elements for every kind of change, and templates with a place of each kind. Runs in the page. */
function prepare() {
  window.violations = [];
  document.addEventListener('securitypolicyviolation', (event) => violations.push(event.violatedDirective));
  window.changes = parts.openPage(
    () => {},
    async () => parts,
  );
  // A redirect that is allowed waits for somebody to look, or it would lead the rig away.
  Object.defineProperty(document, 'prerendering', { value: true });
  window.root = document.body.appendChild(document.createElement('section'));
  const names = ['p', 'a', 'img', 'button', 'input', 'iframe', 'form', 'script', 'style', 'svg'];
  for (const name of [...names, 'article', 'aside', 'nav', 'main', 'ul']) {
    const element =
      name === 'svg'
        ? document.createElementNS('http://www.w3.org/2000/svg', 'a')
        : document.createElement(name);
    element.id = name;
    root.append(element);
  }
  window.templates = [
    ['b'],
    ['i', 'title'],
    ['a', 'href'],
    ['img', 'src'],
    ['button', 'formaction'],
    ['script'],
    ['style'],
  ].map(([tag, name], place) => {
    const template = root.appendChild(document.createElement('template'));
    template.id = `template${place}`;
    const element = template.content.appendChild(document.createElement(tag));
    if (name) element.setAttribute(name, '{{v}}');
    else element.append('{{v}}');
    return `#${template.id}`;
  });
}

/** Every payload in every change, all at once; says what ran, what might have, what broke the policy, and how often each kind was tried. */
async function attack(payloads) {
  const dangerous = [];
  const tried = {};
  const further = (target, [...texts], filled = []) => ['further', target, texts, filled];
  const names = ['href', 'src', 'title', 'value', 'target', 'rel', 'style', 'srcdoc', 'onclick', 'data-x'];
  const known = root.querySelectorAll('*').length;
  for (const [number, payload] of payloads.entries()) {
    // A script runs once, so each payload has its own.
    for (const id of ['script', 'style']) {
      const fresh = document.createElement(id);
      fresh.id = id;
      root.querySelector(`#${id}`).replaceWith(fresh);
    }
    const coded = ['#script', '#style'];
    const texts = ['#p', '#button', '#a', ...coded].map((target) => ['text', target, payload]);
    const attributes = ['#a', '#img', '#iframe', '#input', '#svg', '#button', ...coded].flatMap((target) =>
      [...names, payload.slice(0, 40)].map((name) => ['attribute', target, name, payload]),
    );
    const rule = `r${number}`;
    const tries = [
      ...texts,
      ...attributes,
      ['class', '#p', [payload], []],
      ['style', '#p', 'background-image', payload],
      ['style', '#p', payload, 'red'],
      ['hide', payload],
      ['show', payload],
      ...templates.map((template) => further('#main', ['insert', template, 'append', 'v'], [payload])),
      further('#main', ['insert', payload, 'append']),
      further('#main', ['insert', '#template0', payload]),
      ...coded.map((target) => further(target, ['insert', '#template0', 'append', 'v'], [payload])),
      ...coded.map((target) => further(target, ['html', payload])),
      further('#article', ['html', payload, payload], [payload]),
      further('#aside', ['html', '<b title="{{v}}">{{v}}</b>', 'v'], [payload]),
      further('#nav', ['html', '<a href="{{v}}">{{v}}</a>', 'v'], [payload]),
      further('#ul', ['reorder', payload, 'li']),
      further(rule, ['redirect', payload], [payload]),
      further('', ['event', payload, '{}', 'v'], [payload]),
    ];
    for (const [kind, , value] of tries) {
      const name = kind === 'further' ? value[0] : kind;
      tried[name] = (tried[name] ?? 0) + 1;
    }
    changes.set('slot', tries);
    // What makes the further ones is asked for by promises.
    for (let turn = 0; turn < 8; turn += 1) await null;
    for (const element of root.querySelectorAll('*')) {
      const attributes = element.getAttributeNames();
      const handlers = attributes.filter((name) => name.startsWith('on') || name === 'srcdoc');
      // Whatever somebody may do there is done.
      for (const name of handlers) element.dispatchEvent(new Event(name.slice(2)));
      dangerous.push(...handlers);
      const address = element.getAttribute('href') ?? element.getAttribute('src');
      if (address === null || !URL.canParse(address, location.href)) continue;
      const { protocol } = new URL(address, location.href);
      // The browser's sanitiser leaves addresses that lead nowhere as they are.
      const isLeft = element.closest('#article') && protocol !== 'javascript:';
      if (!isLeft && !/^(https?|mailto|tel):$/.test(protocol)) dangerous.push(address);
    }
    for (const target of [...coded, '#iframe']) {
      const element = root.querySelector(target);
      if (element.textContent || element.src) dangerous.push(`code in ${target}: ${payload}`);
    }
    if (root.querySelector('#p *, #button *, #aside b *, #nav a *')) dangerous.push(`markup: ${payload}`);
    // The elements of four templates, and those of the two that go on standing there.
    const added = root.querySelectorAll('*:not(#article *)').length - known;
    if (added > templates.length + 2) dangerous.push(`${added} elements: ${payload}`);
    if (
      sessionStorage.getItem(`attune/redirect/${rule}`) &&
      new URL(payload, document.baseURI).origin !== location.origin
    ) {
      dangerous.push(`redirect: ${payload}`);
    }
    changes.clear();
  }
  await new Promise((done) => setTimeout(done, 1_000));
  return { found: { fired, dangerous, violations }, tried };
}

/** Every payload as the text of a script, as a page without care would have it; says how many ran. */
async function say(payloads) {
  const frame = document.body.appendChild(document.createElement('iframe'));
  for (const payload of payloads) {
    // What would lead the page away is not told apart from what stays.
    if (/location|write|open|href|innerHTML|referrer/i.test(payload)) continue;
    const { contentDocument: inside } = frame;
    const script = inside.body.appendChild(inside.createElement('script'));
    try {
      script.textContent = payload;
    } catch {
      // Trusted Types.
    }
  }
  await new Promise((done) => setTimeout(done, 500));
  return fired.length;
}

/** Every payload as the markup of an element, as a page without care would have it; says how many ran, by themselves and at all. */
async function parse(payloads) {
  let refused = 0;
  const put = (some) => {
    const frame = document.body.appendChild(document.createElement('iframe'));
    // What is out of sight is not animated.
    frame.style.cssText = 'position: fixed; top: 0; left: 0; width: 300px; height: 150px';
    const { contentDocument: inside } = frame;
    // All boxes first: some payloads put elements in place of the document's own functions.
    const boxes = some.map(() => inside.body.appendChild(inside.createElement('div')));
    boxes.forEach((box, place) => {
      box.dataset.payload = some[place][0];
      try {
        box.innerHTML = some[place][1];
      } catch {
        refused += 1;
      }
    });
    return boxes;
  };
  /** What somebody would have to do, or the browser in its own time: every event that something listens to. */
  const act = (boxes) => {
    const at = (selector) => boxes.flatMap((box) => [...box.querySelectorAll(selector)]);
    for (const element of at('*')) {
      for (const name of element.getAttributeNames().filter((name) => name.startsWith('on'))) {
        element.dispatchEvent(new Event(name.slice(2)));
      }
    }
    for (const link of at('a, area, button, input'))
      link.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }));
  };
  const numbered = payloads.map((payload, place) => [place, payload]);
  // One that leads its page away takes its neighbours along, so each frame has a few only.
  const boxes = [];
  for (let from = 0; from < numbered.length; from += 20) {
    boxes.push(put(numbered.slice(from, from + 20)));
  }
  await new Promise((done) => setTimeout(done, 2_000));
  const named = () => new Set(fired.filter((said) => /^\d+$/.test(said))).size;
  const alone = named();
  boxes.forEach(act);
  await new Promise((done) => setTimeout(done, 1_000));
  return { ran: named(), alone, refused };
}

const skip = existsSync(lists) ? false : `${lists} is not on this machine`;

// Each has a browser of its own, and the changes of all payloads keep a core busy for a while.
describe('what attackers write', { skip, concurrency: 2 }, () => {
  /** Runs with a page that counts what runs. */
  async function withPage(policy, body) {
    const browser = await openBrowser();
    const site = await serveParts(['dom/page.ts', 'actions.ts'], {}, policy);
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
    it(`runs in no change ${name}`, (t) =>
      withPage(policy, async (page) => {
        const all = payloads();
        await page.evaluate(prepare);
        const { found, tried } = await page.evaluate(attack, all);
        const changes = Object.values(tried).reduce((sum, count) => sum + count, 0);
        t.diagnostic(
          `${name}: ${all.length} payloads × ${Object.keys(tried).length} kinds of change, ${changes} changes tried: ` +
            `executed ${found.fired.length}, dangerous ${found.dangerous.length}, violations of the policy ${found.violations.length}`,
        );
        t.diagnostic(`${name}: changes by kind ${JSON.stringify(tried)}`);
        assert.deepEqual(found, { fired: [], dangerous: [], violations: [] });
        assert.deepEqual(Object.keys(tried).sort(), KINDS);
        assert.ok(Object.values(tried).every((count) => count >= all.length));
      }));
  }

  it('runs where it is parsed as HTML, so the rig would notice', (t) =>
    withPage(undefined, async (page) => {
      const all = payloads();
      const { ran, alone, refused } = await page.evaluate(parse, all);
      t.diagnostic(
        `innerHTML without Trusted Types: executed ${ran} of ${all.length} payloads, ${alone} by themselves, refused ${refused}`,
      );
      assert.equal(refused, 0);
      assert.ok(ran >= MIN_CONTROL, `${ran} of ${all.length} payloads ran, ${alone} of them by themselves`);
    }));

  it('runs where it is the text of a script, so the rig would notice', (t) =>
    withPage(undefined, async (page) => {
      const ran = await page.evaluate(say, payloads());
      t.diagnostic(`text of a script without Trusted Types: executed ${ran}`);
      assert.ok(ran > 0, `${ran} payloads ran`);
    }));

  it('is refused as HTML with Trusted Types, so they are on', (t) =>
    withPage(STRICT, async (page) => {
      const all = payloads();
      const { ran, refused } = await page.evaluate(parse, all);
      t.diagnostic(
        `innerHTML with Trusted Types: executed ${ran} of ${all.length} payloads, refused ${refused}`,
      );
      assert.deepEqual([ran, refused], [0, all.length]);
    }));
});
