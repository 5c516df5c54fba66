/** Mistakes at the script's own tag, and in what a server writes beside it: told once each, and nobody else's attributes. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { openBrowser } from './rig/browser.mjs';
import { serveSite } from './rig/site.mjs';

/** What frameworks, optimisers and consent managers put at scripts. */
const FOREIGN = [
  ...['nscript="afterInteractive"', 'turbo-track="reload"', 'astro-exec', 'cfasync="false"', 'id="7"'],
  ...['cookieconsent="marketing"', 'cookiecategory="analytics"', 'usercentrics="Attune"', 'domain="shop"'],
  ...['rocket-src="x"', 'no-optimize="1"', 'ot-ignore', 'cmp-src="x"', 'set="x"', 'type="text"', 'name="a"'],
];

/** The visitor agrees at once; when the script is there, the page starts it again, without and with another option. */
const AGAIN = `<script>
  attune.consent({ analytics: 'granted' });
  addEventListener('load', async () => {
    while (!attune.ready) await new Promise((done) => setTimeout(done, 5));
    attune.init();
    attune.init({ strict: true });
  });
</script>`;
const DENIED = `<script>addEventListener('load', async () => {
  while (!attune.ready) await new Promise((done) => setTimeout(done, 5));
  attune.init({ consent: { analytics: 'denied', personalization: 'denied' } });
});</script>`;

describe('a tag', () => {
  let browser;
  let site;
  const pages = {};
  before(async () => {
    browser = await openBrowser();
    site = await serveSite(pages);
  });
  after(async () => {
    await browser.close();
    await site.close();
  });

  /** What is heard, in the page and on the console, of a page with this head; and which files it has loaded. */
  async function heardOf(head) {
    pages['/'] = `<!doctype html><html lang="en"><title>Fixture</title>${head}<p id="hero">ORIGINAL</p>`;
    const page = await (await browser.newContext()).newPage();
    const lines = [];
    const files = [];
    page.on('console', (message) => message.text().startsWith('attune: ') && lines.push(message.text()));
    page.on('request', (request) => files.push(new URL(request.url()).pathname));
    await page.goto(site.url);
    await page.waitForFunction(() => window.attune?.ready?.then(() => true));
    await page.waitForTimeout(200);
    const errors = await page.evaluate(() => {
      const errors = [];
      window.attune.onError(({ code, message, kind }) => errors.push([code, message, kind]));
      return errors;
    });
    const stored = await page.evaluate(() => Object.keys(localStorage));
    await page.context().close();
    // There is no collector here, of which every page is told.
    const isOfTag = (text) => !text.includes('bundle_unreachable');
    return { errors: errors.filter(([code]) => isOfTag(code)), lines: lines.filter(isOfTag), files, stored };
  }
  const tag = (file, attributes) =>
    `<script src="/sdk/${file}" data-write-key="demo" data-collector="/none" ${attributes}></script>`;

  for (const file of ['attune.js', 'loader.js']) {
    it(`names an attribute that was meant to be another, and what there is: ${file}`, async () => {
      const { errors, lines } = await heardOf(tag(file, 'data-filer="bundle"'));
      const [[code, message, kind]] = errors;
      assert.deepEqual([errors.length, code, kind], [1, 'attribute_unknown', 'usage']);
      assert.match(
        message,
        /^data-filer: there is no such attribute; did you mean data-filter\? Known are data-/,
      );
      assert.deepEqual(lines, [`attune: attribute_unknown: ${message}`]);
    });

    it(`names what was meant to be its key, without which nothing is begun: ${file}`, async () => {
      pages['/'] =
        `<!doctype html><title>Fixture</title><script src="/sdk/${file}" data-writekey="demo"></script>`;
      const page = await (await browser.newContext()).newPage();
      const line = page.waitForEvent('console', (message) => message.text().startsWith('attune: '));
      await page.goto(site.url);
      assert.match(
        (await line).text(),
        /^attune: attribute_unknown: data-writekey: there is no such attribute; did you mean data-write-key\?/,
      );
      await page.context().close();
    });

    it(`names a purpose that there is not: ${file}`, async () => {
      const { errors } = await heardOf(tag(file, 'data-consent="functional analytcs"'));
      assert.deepEqual(errors, [
        [
          'consent_invalid',
          'data-consent: purpose must be one of functional, analytics, personalization, got "analytcs"',
          'usage',
        ],
      ]);
    });

    it(`stores nothing where what is nearly data-consent may have been meant to keep it from that: ${file}`, async () => {
      const { stored: open } = await heardOf(tag(file, ''));
      assert.ok(open.includes('attune/demo/member'), open.join());
      const { stored, errors } = await heardOf(tag(file, 'data-consents="analytics"'));
      assert.deepEqual(stored, []);
      assert.match(
        errors[0][1],
        /^data-consents: there is no such attribute; did you mean data-consent\? .* counts as data-consent="", with/,
      );
    });

    it(`takes of a further init what it says of consent alone, and names the rest: ${file}`, async () => {
      const { errors, stored } = await heardOf(tag(file, 'data-consent="functional"') + AGAIN);
      assert.deepEqual(errors, [
        [
          'already_initialised',
          'init: another "strict" than at the first call is left out, since a page is started once; a later "consent" counts',
          'usage',
        ],
      ]);
      assert.ok(stored.includes('attune/demo/member'), 'what was said since stands');
      const { stored: denied } = await heardOf(tag(file, '') + DENIED);
      assert.deepEqual(denied, []);
    });

    it(`requests nothing to tell of mistakes before a visitor of a strict site has agreed: ${file}`, async () => {
      pages['/'] = tag(file, 'data-strict data-consent="" data-filer="bundle"');
      const page = await (await browser.newContext()).newPage();
      const files = [];
      page.on('request', (request) => files.push(new URL(request.url()).pathname));
      await page.goto(site.url);
      await page.waitForFunction(() => Boolean(window.attune?.ready));
      await page.waitForTimeout(300);
      const ofTag = () => files.filter((path) => path.includes('/tag-')).length;
      assert.equal(ofTag(), 0);
      const told = page.waitForEvent('console', (message) => message.text().includes('data-filer'));
      await page.evaluate(() => window.attune.consent({ analytics: 'granted' }));
      await told;
      assert.equal(ofTag(), 1);
      await page.context().close();
    });

    it(`tells at once that a strict page is one, where its tag says otherwise: ${file}`, async () => {
      pages['/'] = tag(file, 'data-strict="false" data-consent=""');
      const page = await (await browser.newContext()).newPage();
      const told = page.waitForEvent('console', (message) => message.text().includes('option_invalid'));
      await page.goto(site.url);
      assert.equal((await told).text(), 'attune: option_invalid: data-strict');
      await page.context().close();
    });

    it(`leaves the attributes of others alone, and loads nothing for its own: ${file}`, async () => {
      const foreign = FOREIGN.map((one) => `data-${one}`).join(' ');
      assert.deepEqual((await heardOf(tag(file, foreign))).errors, []);
      const own = 'data-consent=" personalization  functional analytics" data-strict';
      const ofLoader = file === 'loader.js' ? 'data-slots="a" data-hide-ms="9"' : '';
      const { errors, files } = await heardOf(
        tag(file, `${own} ${ofLoader} data-cookieless data-do-not-track`),
      );
      assert.deepEqual([errors, files.filter((path) => path.includes('/tag-'))], [[], []]);
    });
  }

  it('knows slips of many kinds', async () => {
    const slips = ['writekey', 'donottrack', 'fitler', 'hide-m', 'cookie-less', 'wasm-url', 'visitor-cokie'];
    const { errors, lines } = await heardOf(
      tag('attune.js', slips.map((one) => `data-${one}="x"`).join(' ')),
    );
    assert.deepEqual([errors.length, lines.length], [1, 1], 'all in one message, on one line of the console');
    assert.deepEqual(
      [...errors[0][1].matchAll(/data-([\w-]+): .*?; (?:did you mean data-([\w-]+)|it is an option)/g)].map(
        ([, name, meant]) => [name, meant],
      ),
      [
        ['writekey', 'write-key'],
        ['donottrack', 'do-not-track'],
        ['fitler', 'filter'],
        ['hide-m', 'hide-ms'],
        ['cookie-less', 'cookieless'],
        ['wasm-url', undefined],
        ['visitor-cokie', 'visitor-cookie'],
      ],
    );
  });

  const text = { kind: 'text', target: '#hero', value: 'SERVED' };
  const written = (...actions) => JSON.stringify([{ slot: 'hero', rule: 'r', actions }]);
  for (const [name, decisions, said] of [
    ['no JSON', '[{"slot":"hero"', /^this is no JSON: .*position 15/],
    ['no list', '{"slot":"hero"}', /^this is no list of decisions: \{"slot":"hero"\}$/],
    [
      'a decision without actions, and a text',
      '[{"slot":"hero","rule":"r"},"x"]',
      /^this is no decision and is left out: \{"slot":"hero","rule":"r"\}; this is no decision and is left out: "x"$/,
    ],
    [
      'an action of no kind that there is',
      written({ ...text, kind: 'txt' }, text),
      /^slot "hero": this is no action and is left out: \{"kind":"txt","target":"#hero","value":"SERVED"\}$/,
    ],
    [
      'an action without what it needs',
      written({ kind: 'text', target: '#hero' }),
      /^slot "hero": this is no action and is left out: \{"kind":"text","target":"#hero"\}$/,
    ],
  ]) {
    it(`names what a server has written for decisions that is ${name}`, async () => {
      const element = `<script type="application/json" id="attune-decisions">${decisions}</script>`;
      const { errors } = await heardOf(element + tag('loader.js', ''));
      assert.deepEqual(
        errors.map(([code, , kind]) => [code, kind]),
        [['decisions_invalid', 'usage']],
      );
      const [, message] = errors[0];
      assert.ok(message.startsWith('#attune-decisions: '), message);
      assert.match(message.slice('#attune-decisions: '.length), said);
    });
  }

  it('says what is on although its value says otherwise, and how long is no time', async () => {
    const { errors } = await heardOf(
      tag('loader.js', 'data-cookieless="false" data-do-not-track="false" data-hide-ms="soon"'),
    );
    assert.deepEqual(errors, [
      [
        'option_invalid',
        'data-hide-ms must be milliseconds, got "soon": nothing is hidden. data-cookieless="false", data-do-not-track="false": what is there is on, whatever its value; leave it out.',
        'usage',
      ],
    ]);
  });

  it('says that an attribute is of the loader', async () => {
    const { errors } = await heardOf(tag('attune.js', 'data-slots="hero"'));
    assert.match(
      errors[0][1],
      /^data-slots: this is an attribute of loader\.js; attune\.js hides nothing\. /,
    );
    assert.equal(errors.length, 1);
  });

  it('has nothing to say of an empty slot, and of decisions that are painted', async () => {
    const decisions = JSON.stringify([
      { slot: 'aside', rule: null, actions: [] },
      { slot: 'hero', rule: 'r', actions: [{ kind: 'text', target: '#hero', value: 'SERVED' }] },
    ]);
    const element = `<script type="application/json" id="attune-decisions">${decisions}</script>`;
    assert.deepEqual((await heardOf(element + tag('loader.js', ''))).errors, []);
  });
});
