/** Changes to a real page: made, kept, taken back, and refused where they could run code. */

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { openBrowser } from './rig/browser.mjs';
import { serveParts } from './rig/parts.mjs';

describe('changes to the page', () => {
  let browser;
  let site;
  let page;
  before(async () => {
    browser = await openBrowser();
    site = await serveParts(['dom/page.ts', 'driver/problem.ts']);
    page = await browser.newPage();
  });
  after(async () => {
    await browser.close();
    await site.close();
  });
  beforeEach(async () => {
    await page.goto(site.url);
    await page.evaluate(() => {
      window.problems = [];
      window.told = [];
      const tell = parts.problemReport(({ code, message, kind }) => told.push([code, message, kind]));
      window.changes = parts.openPage((...problem) => {
        problems.push([problem[0] === 'loop' ? 'loop' : 'refused', problem[1][1]]);
        tell(...problem);
      });
      window.root = document.body.appendChild(document.createElement('section'));
      window.pause = (ms) => new Promise((done) => setTimeout(done, ms));
      window.html = () => root.innerHTML;
    });
  });

  const problems = () => page.evaluate(() => window.problems);
  const told = () => page.evaluate(() => window.told);

  it('are made and taken back', async () => {
    const [made, before] = await page.evaluate(() => {
      root.innerHTML =
        '<p id="p1" title="old" class="a b" style="color: red">one</p><p id="p2" hidden="">two</p>';
      changes.set('slot', [
        ['text', '#p1', 'new <b>text</b>'],
        ['attribute', '#p1', 'title', 'new'],
        ['attribute', '#p1', 'lang', 'de'],
        ['class', '#p1', ['c'], ['a']],
        ['style', '#p1', 'color', 'blue'],
        ['show', '#p2'],
      ]);
      const made = html();
      changes.set('slot', []);
      return [made, html()];
    });
    assert.equal(
      made,
      '<p id="p1" title="new" class="b c" style="color: blue;" lang="de">new &lt;b&gt;text&lt;/b&gt;</p><p id="p2">two</p>',
    );
    assert.equal(
      before,
      '<p id="p1" title="old" class="b a" style="color: red;">one</p><p id="p2" hidden="">two</p>',
    );
    assert.deepEqual(await problems(), []);
  });

  it('leave no attribute that was not there, in whichever order they are taken back', async () => {
    const found = await page.evaluate(() => {
      root.innerHTML = '<p id="b1">x</p><p id="b2" class="" style="">y</p><p id="b3" hidden="">z</p>';
      const before = html();
      const made = [];
      for (const order of [
        ['one', 'two'],
        ['two', 'one'],
      ]) {
        for (const target of ['#b1', '#b2']) {
          changes.set(`one ${target}`, [
            ['class', target, ['c'], ['gone']],
            ['style', target, 'color', 'red'],
          ]);
          changes.set(`two ${target}`, [
            ['class', target, ['d'], []],
            ['hide', target],
          ]);
        }
        changes.set('show', [['show', '#b3']]);
        made.push(html() === before);
        for (const slot of order) for (const target of ['#b1', '#b2']) changes.set(`${slot} ${target}`, []);
        changes.set('show', []);
        made.push(html());
      }
      return [before, ...made];
    });
    const [before, ...made] = found;
    assert.deepEqual(made, [false, before, false, before]);
  });

  it('that are left out are told by rule, slot, kind of action and reason', async () => {
    await page.evaluate(async () => {
      root.innerHTML = '<p id="w1">mine</p>';
      changes.set('hero', [['text', 'p[', 'x']], 'spring');
      changes.set('aside', [['text', '#w1', 'ours']], 'summer');
      for (let count = 0; count < 15; count += 1) {
        root.firstElementChild.textContent = 'mine';
        await pause(1);
      }
    });
    const [refused, loop] = await told();
    assert.deepEqual([refused[0], refused[2]], ['action_refused', 'usage']);
    assert.match(
      refused[1],
      /^rule "spring", slot "hero": text on "p\[" is left out: SyntaxError: .*not a valid selector/,
    );
    assert.deepEqual(loop, [
      'action_loop',
      'rule "summer", slot "aside": text on "#w1" is left out: the page keeps undoing it',
      'usage',
    ]);
  });

  it('hide and show whatever a style sheet says', async () => {
    const found = await page.evaluate(() => {
      root.innerHTML = `<style>.gone { display: none } .flex { display: flex !important }</style>
        <p id="h1" class="flex">x</p><p id="h2" class="gone">y</p>`;
      const display = (selector) => getComputedStyle(root.querySelector(selector)).display;
      changes.set('slot', [
        ['hide', '#h1'],
        ['show', '#h2'],
      ]);
      const during = [display('#h1'), display('#h2')];
      changes.clear();
      return [during, [display('#h1'), display('#h2')]];
    });
    assert.deepEqual(found, [
      ['none', 'block'],
      ['flex', 'none'],
    ]);
  });

  it('leave child elements in place, hidden, and show them again', async () => {
    const found = await page.evaluate(() => {
      root.innerHTML =
        '<h1 id="c1">Hello <b>you</b>!</h1><p id="c2"><i style="color: red;">x</i></p><p id="c3"></p>';
      const before = html();
      const nodes = () => [...root.querySelectorAll('*')].flatMap((element) => [...element.childNodes]);
      const nodesBefore = nodes();
      const [bold] = root.querySelectorAll('b');
      changes.set('slot', [['text', '[id^=c]', 'Bye']]);
      const during = [root.innerText.split(/\n+/), bold.isConnected];
      changes.set('slot', []);
      return [...during, html() === before, nodes().every((node, at) => node === nodesBefore[at])];
    });
    assert.deepEqual(found, [['Bye', 'Bye', 'Bye'], true, true, true]);
  });

  it('hide what the page adds beside their text, and what it writes there is what comes back', async () => {
    const found = await page.evaluate(async () => {
      root.innerHTML = '<h1 id="c1">Hello <b>you</b></h1>';
      changes.set('slot', [['text', '#c1', 'Bye']]);
      const [headline] = root.children;
      const texts = [];
      headline.append(' and ', Object.assign(document.createElement('i'), { textContent: 'me' }));
      await pause(20);
      texts.push(root.innerText);
      headline.firstChild.remove();
      await pause(20);
      texts.push(root.innerText);
      changes.clear();
      return [...texts, html()];
    });
    assert.deepEqual(found, ['Bye', 'Bye', '<h1 id="c1"><b>you</b> and <i>me</i></h1>']);
    assert.deepEqual(await problems(), []);
  });

  it('of two slots on one element give the original back, in whichever order they end', async () => {
    const found = await page.evaluate(async () => {
      const before =
        '<p id="o1" title="old" class="a" style="margin-left: 40px; color: red !important;">one <b>two</b></p>';
      const slots = ['A', 'B'].map((text, at) => [
        ['text', '#o1', text],
        ['attribute', '#o1', 'title', text],
        ['class', '#o1', [at ? 'a' : 'c'], [at ? 'c' : 'a']],
        ['style', '#o1', 'margin', `${at + 1}px`],
        at ? ['hide', '#o1'] : ['style', '#o1', 'color', 'blue'],
      ]);
      const found = [];
      const look = () => {
        const [{ firstChild, title, className, style }] = root.children;
        found.push([firstChild.data, title, className, style.margin, style.color, style.display].join('|'));
      };
      for (const order of [
        [0, 1],
        [1, 0],
      ]) {
        root.innerHTML = before;
        for (const [at, slot] of slots.entries()) changes.set(`slot ${at}`, slot);
        look();
        // A page that is busy elsewhere is not a page that undoes them.
        for (let count = 0; count < 30; count += 1) {
          root.after(document.createElement('i'));
          await pause(1);
        }
        look();
        for (const at of order) {
          changes.set(`slot ${at}`, []);
          look();
        }
        found.push(html() === before ? 'same' : html());
      }
      return found;
    });
    const both = 'B|B|a|2px|blue|none';
    const original = 'one |old|a||red|';
    assert.deepEqual(found, [
      ...[both, both, 'B|B|a|2px|red|none', original, 'same'],
      ...[both, both, 'A|A|c|1px|blue|', original, 'same'],
    ]);
    assert.deepEqual(await problems(), []);
  });

  it('of two slots on one element give back what the page has written meanwhile', async () => {
    const found = await page.evaluate(async () => {
      root.innerHTML = '<p id="o2" title="old">one</p>';
      for (const text of ['A', 'B']) {
        changes.set(text, [
          ['text', '#o2', text],
          ['attribute', '#o2', 'title', text],
        ]);
      }
      const [paragraph] = root.children;
      paragraph.firstChild.data = 'by the page';
      paragraph.title = 'by the page';
      await pause(20);
      const look = () => [paragraph.textContent, paragraph.title];
      const during = look();
      changes.set('B', []);
      const then = look();
      changes.set('A', []);
      return [during, then, look()];
    });
    assert.deepEqual(found, [
      ['B', 'B'],
      ['A', 'A'],
      ['by the page', 'by the page'],
    ]);
  });

  it('of a property that stands for several give each of these back', async () => {
    const found = await page.evaluate(() => {
      const before = [
        'margin-left: 40px;',
        'padding-top: 1px !important; color: red;',
        'border-left: 3px solid red;',
        '--x: 1px; margin-left: 4px;',
        'color: red;',
      ];
      root.innerHTML = before.map((style, at) => `<p id="s${at}" style="${style}">x</p>`).join('');
      const texts = () => [...root.children].map(({ style }) => style.cssText);
      changes.set('slot', [
        ['style', '#s0', 'margin', '10px'],
        ['style', '#s1', 'padding', '10px'],
        ['style', '#s2', 'border', '1px dotted blue'],
        ['style', '#s3', 'margin', 'calc(2 * var(--x))'],
        ['style', '#s4', 'color', 'no colour'],
      ]);
      const during = [...root.children].map((child) => {
        const { marginLeft, paddingTop, borderLeftStyle } = getComputedStyle(child);
        return [marginLeft, paddingTop, borderLeftStyle].join(' ');
      });
      changes.clear();
      return [
        during,
        texts().map(
          (text, at) => text.split('; ').sort().join() === before[at].split('; ').sort().join() || text,
        ),
      ];
    });
    assert.deepEqual(found[0], [
      '10px 0px none',
      '0px 10px none',
      '0px 0px dotted',
      '2px 0px none',
      '0px 0px none',
    ]);
    assert.deepEqual(found[1], Array(5).fill(true));
    assert.deepEqual(await problems(), []);
  });

  it('reach a form whose fields have the names of its properties, and what comes behind one that refuses', async () => {
    const found = await page.evaluate(() => {
      root.innerHTML =
        '<form class="f"><input name="style"></form><form class="f"><input name="classList"></form><p class="f">x</p>';
      changes.set('slot', [
        ['hide', '.f'],
        ['class', '.f', ['on'], []],
      ]);
      return [...root.children].map((child) => [getComputedStyle(child).display, child.className]);
    });
    assert.deepEqual(found, [
      ['none', 'f on'],
      ['none', 'f'],
      ['none', 'f on'],
    ]);
    assert.deepEqual(await problems(), [['refused', '.f']]);
  });

  it('leave the page the text node it owns', async () => {
    const found = await page.evaluate(() => {
      root.innerHTML = '<p id="t1">one</p>';
      const node = root.firstElementChild.firstChild;
      changes.set('slot', [['text', '#t1', 'two']]);
      return [node.isConnected, node.nodeValue];
    });
    assert.deepEqual(found, [true, 'two']);
  });

  it('begin from the original when the decision changes', async () => {
    const found = await page.evaluate(() => {
      root.innerHTML = '<p id="d1">one</p>';
      changes.set('slot', [['text', '#d1', 'two']]);
      changes.set('slot', [['text', '#d1', 'three']]);
      const during = root.textContent;
      changes.clear();
      return [during, root.textContent];
    });
    assert.deepEqual(found, ['three', 'one']);
  });

  it('stay as they are where the next decision makes them too', async () => {
    const records = await page.evaluate(async () => {
      root.innerHTML = '<p id="s1">one</p><p id="s2">one</p>';
      changes.set('slot', [['text', '#s1', 'two']]);
      const observer = new MutationObserver(() => {});
      observer.observe(root, { subtree: true, characterData: true, childList: true });
      changes.set('slot', [
        ['text', '#s2', 'two'],
        ['text', '#s1', 'two'],
      ]);
      return observer.takeRecords().map(({ target }) => target.parentElement.id);
    });
    assert.deepEqual(records, ['s2']);
  });

  it('reach elements that come late or are rendered anew, and what the page writes there is what comes back', async () => {
    const found = await page.evaluate(async () => {
      changes.set('slot', [['text', '.late', 'changed']]);
      const texts = [];
      const look = async () => {
        await pause(20);
        texts.push(root.textContent);
      };
      root.innerHTML = '<p class="late">first</p>';
      await look();
      root.innerHTML = '<p class="late">again</p>';
      await look();
      root.firstElementChild.textContent = 'by the page';
      await look();
      changes.clear();
      await look();
      return texts;
    });
    assert.deepEqual(found, ['changed', 'changed', 'changed', 'by the page']);
    assert.deepEqual(await problems(), []);
  });

  it('are made again when an attribute, a class or a style is undone', async () => {
    const found = await page.evaluate(async () => {
      root.innerHTML = '<p id="u1" title="old" class="a">x</p>';
      changes.set('slot', [
        ['attribute', '#u1', 'title', 'new'],
        ['class', '#u1', ['b'], ['a']],
        ['hide', '#u1'],
      ]);
      const [paragraph] = root.children;
      paragraph.title = 'old';
      paragraph.className = 'a';
      paragraph.style.display = '';
      await pause(20);
      return [paragraph.title, paragraph.className, paragraph.style.display];
    });
    assert.deepEqual(found, ['new', 'b', 'none']);
  });

  it('are left to a page that keeps undoing them, after ten times a second, and reported', async () => {
    const text = await page.evaluate(async () => {
      root.innerHTML = '<p id="l1">mine</p>';
      changes.set('slot', [['text', '#l1', 'ours']]);
      for (let count = 0; count < 15; count += 1) {
        root.firstElementChild.textContent = 'mine';
        await pause(1);
      }
      return root.textContent;
    });
    assert.equal(text, 'mine');
    assert.deepEqual(await problems(), [['loop', '#l1']]);
  });

  it('that the browser refuses are reported once, and the rest goes on', async () => {
    const text = await page.evaluate(() => {
      root.innerHTML = '<p id="r1">one</p>';
      changes.set('slot', [
        ['text', 'p[', 'x'],
        ['attribute', '#r1', 'data-a b', 'x'],
        ['text', '#r1', 'two'],
      ]);
      changes.set('other', [['text', '#r1', 'two']]);
      return root.textContent;
    });
    assert.equal(text, 'two');
    assert.deepEqual(await problems(), [
      ['refused', 'p['],
      ['refused', '#r1'],
    ]);
  });

  it('that could run code never reach an element', async () => {
    const found = await page.evaluate(() => {
      root.innerHTML = '<a id="a1" href="/old">x</a>';
      changes.set('slot', [
        ['attribute', '#a1', 'onclick', 'alert(1)'],
        ['attribute', '#a1', 'href', 'javascript:alert(1)'],
        ['attribute', '#a1', 'style', 'color: red'],
        ['attribute', '#a1', 'aria-label', 'Sale'],
      ]);
      return html();
    });
    assert.equal(found, '<a id="a1" href="/old" aria-label="Sale">x</a>');
    assert.deepEqual(await problems(), Array(3).fill(['refused', '#a1']));
    const [, [code, message]] = await told();
    assert.equal(code, 'action_refused');
    assert.match(message, /: attribute on "#a1" is left out: TypeError: it could run code$/);
  });

  it('wait for their turn where an element’s own code makes another decision', async () => {
    const found = await page.evaluate(() => {
      customElements.define(
        'x-reacting',
        class extends HTMLElement {
          static observedAttributes = ['title'];
          attributeChangedCallback() {
            changes.set('inner', [['text', '#i1', 'inner']]);
          }
        },
      );
      root.innerHTML = '<x-reacting id="o1"></x-reacting><p id="i1">one</p>';
      changes.set('outer', [['attribute', '#o1', 'title', 'new']]);
      return [root.querySelector('#o1').title, root.querySelector('#i1').textContent];
    });
    assert.deepEqual(found, ['new', 'inner']);
  });
});
