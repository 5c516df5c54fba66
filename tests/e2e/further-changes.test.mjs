/** The changes to a page that few bundles have: made, kept, taken back, and refused. */

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { openBrowser } from './rig/browser.mjs';
import { serveParts } from './rig/parts.mjs';

describe('changes that few bundles have', () => {
  let browser;
  let site;
  let page;
  before(async () => {
    browser = await openBrowser();
    site = await serveParts(['dom/page.ts', 'actions.ts']);
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
      window.reasons = [];
      window.changes = parts.openPage(
        (problem, [, target]) => {
          problems.push([problem === 'loop' ? problem : 'refused', target]);
          reasons.push(String(problem));
        },
        async () => parts,
      );
      window.root = document.body.appendChild(document.createElement('section'));
      window.pause = (ms = 20) => new Promise((done) => setTimeout(done, ms));
      window.set = async (...all) => {
        changes.set(
          'slot',
          all.map(([kind, target, texts, filled = []]) => ['further', target, [kind, ...texts], filled]),
        );
        await pause();
      };
    });
  });

  const problems = () => page.evaluate(() => window.problems);
  const reasons = () => page.evaluate(() => window.reasons);

  it('wait for the part that makes them, and are not made where they are over by then', async () => {
    const found = await page.evaluate(async () => {
      root.innerHTML = '<p id="w">one</p>';
      let loaded;
      const late = parts.openPage(
        () => {},
        () => new Promise((done) => (loaded = () => done(parts))),
      );
      const change = ['further', '#w', ['html', 'x'], []];
      late.set('slot', [change, ['text', '#w', 'first']]);
      const texts = [root.textContent];
      loaded();
      await pause();
      texts.push(root.textContent);
      late.set('slot', []);
      texts.push(root.textContent);
      late.set('slot', [['further', '#w', ['html', 'y'], []]]);
      late.set('slot', []);
      loaded();
      await pause();
      return [...texts, root.textContent];
    });
    // The text comes behind the markup, waits for it and has the last word.
    assert.deepEqual(found, ['one', 'first', 'one', 'one']);
  });

  it('are reported where that part does not load', async () => {
    const found = await page.evaluate(async () => {
      const found = [];
      const broken = parts.openPage(
        (problem, [, target], slot, rule) => found.push([String(problem), target, slot, rule]),
        async () => {
          throw new Error('offline');
        },
      );
      broken.set('slot', [['further', '#w', ['html', 'x'], []]], 'spring');
      await pause();
      return found;
    });
    assert.deepEqual(found, [['Error: offline', '#w', 'slot', 'spring']]);
  });

  it('are seen in place of a text of another slot by what came last, but for an element with text of its own', async () => {
    const found = await page.evaluate(async () => {
      const found = [];
      const changes = { text: ['text', '#w', 'TEXT'], html: ['further', '#w', ['html', '<b>HTML</b>'], []] };
      for (const was of ['one', '<i>one</i>', '']) {
        for (const [first, last] of [
          ['text', 'html'],
          ['html', 'text'],
        ]) {
          root.innerHTML = `<p id="w">${was}</p>`;
          window.changes.set('b', [changes[first]]);
          await pause();
          window.changes.set('a', [changes[last]]);
          await pause();
          const seen = [was, last, root.innerText];
          window.changes.clear();
          found.push([...seen, root.innerHTML]);
        }
      }
      return found;
    });
    const back = (was) => `<p id="w">${was}</p>`;
    const inner = '<i>one</i>';
    assert.deepEqual(found, [
      ['one', 'html', 'TEXT', back('one')],
      ['one', 'text', 'TEXT', back('one')],
      [inner, 'html', 'HTML', back(inner)],
      [inner, 'text', 'TEXT', back(inner)],
      ['', 'html', 'HTML', back('')],
      ['', 'text', 'TEXT', back('')],
    ]);
    assert.deepEqual(await problems(), []);
  });

  it('are refused where their kind is unknown', async () => {
    await page.evaluate(async () => {
      root.innerHTML = '<p id="k"></p>';
      await set(['dance', '#k', []]);
    });
    assert.deepEqual(await problems(), [['refused', '#k']]);
    assert.match(String(await reasons()), /this kind is unknown/);
  });

  describe('insert', () => {
    const TEMPLATE =
      '<template id="t"><b title="{{who|you}}">Hi {{ who |you}}</b><a href="/c/{{cart}}">{{none|-}}</a></template>';

    it('puts what a template holds where it says, filled, and takes it out again', async () => {
      const found = await page.evaluate(async (template) => {
        root.innerHTML = `${template}<p id="i"><i></i></p>`;
        const found = [];
        for (const position of ['before', 'prepend', 'append', 'after']) {
          await set(['insert', '#i', ['#t', position, 'who', 'cart'], ['<i>Ada', '7']]);
          found.push(root.innerHTML.replace(template, ''));
        }
        changes.clear();
        return [...found, root.innerHTML.replace(template, '')];
      }, TEMPLATE);
      const filled = '<b title="&lt;i&gt;Ada">Hi &lt;i&gt;Ada</b><a href="/c/7">-</a>';
      // Browsers differ in whether they write < in attributes as it is.
      const plain = found.map((html) => html.replace('title="<i>Ada"', 'title="&lt;i&gt;Ada"'));
      assert.deepEqual(plain, [
        `${filled}<p id="i"><i></i></p>`,
        `<p id="i">${filled}<i></i></p>`,
        `<p id="i"><i></i>${filled}</p>`,
        `<p id="i"><i></i></p>${filled}`,
        '<p id="i"><i></i></p>',
      ]);
    });

    it('is there once when its target is rendered anew, and again when it has been removed', async () => {
      const found = await page.evaluate(async (template) => {
        document.body.insertAdjacentHTML('beforeend', template);
        root.innerHTML = '<p id="i"></p>';
        await set(['insert', '#i', ['#t', 'after'], []]);
        const count = () => root.querySelectorAll('b').length;
        const found = [count()];
        root.querySelector('#i').replaceWith(Object.assign(document.createElement('p'), { id: 'i' }));
        await pause();
        found.push(count());
        for (const node of root.querySelectorAll('b, a')) node.remove();
        await pause();
        return [...found, count()];
      }, TEMPLATE);
      assert.deepEqual(found, [1, 1, 1]);
      assert.deepEqual(await problems(), []);
    });

    it('is refused where no template is, where a place stands in code, and in code', async () => {
      const html = await page.evaluate(async () => {
        root.innerHTML = `<template id="t1"><script>let a = "{{who}}";</script></template>
          <template id="t2"><b onclick="go('{{who}}')"></b></template>
          <template id="t3"><script src="{{who}}"></script></template>
          <template id="t4"><a href="{{who}}"></a></template>
          <template id="t5"><style>{{who}}</style></template>
          <template id="t6">document.title = 'hit'</template><p id="i"></p>`;
        const script = root.appendChild(document.createElement('script'));
        for (const template of ['#i', '#t1', '#t2', '#t3', '#t4', '#t5']) {
          await set(['insert', '#i', [template, 'append', 'who'], ['javascript:alert(1)']]);
        }
        await set(['insert', 'section script', ['#t6', 'append'], []]);
        await set(['html', 'section script', ["document.title = 'hit'"], []]);
        return root.querySelector('#i').innerHTML + script.textContent;
      });
      assert.equal(html, '');
      assert.equal(await page.title(), 'Parts');
      assert.deepEqual(await problems(), [
        ...Array(6).fill(['refused', '#i']),
        ...Array(2).fill(['refused', 'section script']),
      ]);
      const why = await reasons();
      assert.match(why[0], /no template #i/);
      assert.match(why[2], /a place stands in onclick/);
      assert.match(why[6], /it could run code/);
    });

    it('waits for a template that comes late, and says once that it is not there yet', async () => {
      const found = await page.evaluate(async () => {
        root.innerHTML = '<p id="i"></p>';
        await set(['insert', '#i', ['#late', 'append'], []]);
        root.append('more');
        await pause();
        root.insertAdjacentHTML('beforeend', '<template id="late"><b>L</b></template>');
        await pause();
        const [{ innerHTML }] = root.children;
        changes.clear();
        return [innerHTML, root.firstElementChild.innerHTML];
      });
      assert.deepEqual(found, ['<b>L</b>', '']);
      assert.deepEqual(await problems(), [['refused', '#i']]);
      assert.match(String(await reasons()), /no template #late yet/);
    });

    it('goes into a form whose fields have the names of its methods, which may have an order too', async () => {
      const html = await page.evaluate(async (template) => {
        document.body.insertAdjacentHTML('beforeend', template);
        root.innerHTML = '<form id="i"><input name="append"><input name="children"><p></p></form>';
        await set(['insert', '#i', ['#t', 'append'], []], ['reorder', '#i', ['p']]);
        return [...root.querySelector('#i').childNodes].map(({ localName }) => localName).join(' ');
      }, TEMPLATE);
      assert.equal(html, 'p input input b a');
      assert.deepEqual(await problems(), []);
    });

    it('that the page keeps taking out is left to it, and reported', async () => {
      await page.evaluate(async (template) => {
        root.innerHTML = `${template}<p id="i"></p>`;
        await set(['insert', '#i', ['#t', 'append'], []]);
        for (let count = 0; count < 15; count += 1) {
          root.querySelector('#i').textContent = '';
          await pause(1);
        }
      }, TEMPLATE);
      assert.deepEqual(await problems(), [['loop', '#i']]);
    });
  });

  describe('reorder', () => {
    it('puts children first that selectors find, and back where they were', async () => {
      const found = await page.evaluate(async () => {
        const order = () => [...root.firstElementChild.children].map(({ className }) => className).join('');
        root.innerHTML =
          '<ul id="o"><li class="a"></li><li class="b"></li><li class="c"></li><li class="d"></li></ul>';
        await set(['reorder', '#o', ['.d', '.x', '.b']]);
        const found = [order()];
        root.firstElementChild.append(Object.assign(document.createElement('li'), { className: 'e' }));
        await pause();
        found.push(order());
        changes.clear();
        return [...found, order()];
      });
      assert.deepEqual(found, ['dbac', 'dbace', 'abcde']);
    });

    it('is made again when the page renders its own order, and comes back to that', async () => {
      const found = await page.evaluate(async () => {
        const list = () => root.firstElementChild;
        const order = () => [...list().children].map(({ className }) => className).join('');
        root.innerHTML = '<ul id="o"><li class="a"></li><li class="b"></li><li class="c"></li></ul>';
        await set(['reorder', '#o', ['.c']]);
        list().prepend(...[...list().children].sort((a, b) => (a.className > b.className ? -1 : 1)));
        list().prepend(list().querySelector('.b'));
        await pause();
        const found = [order()];
        changes.clear();
        return [...found, order()];
      });
      assert.deepEqual(found, ['cba', 'bca']);
      assert.deepEqual(await problems(), []);
    });
  });

  describe('html', () => {
    it('is what the sanitiser leaves, its places filled as text, and gives the child nodes back', async () => {
      const found = await page.evaluate(async () => {
        root.innerHTML = '<div id="h">one <b>two</b></div>';
        const bold = root.querySelector('b');
        const markup =
          '<i>{{traits.name|you}}</i><script>1</script><a href="javascript:1" title="{{traits.name}}">x</a><a href="/?style=b&once=1" title="only once"></a>';
        await set(['html', '#h', [markup, 'traits.name'], ['<u>"Ada"']]);
        const during = root.querySelector('#h');
        const found = [during.innerText, during.querySelectorAll('u, script').length, bold.isConnected];
        found.push(during.querySelector('a').getAttribute('href'), during.querySelector('a').title);
        changes.clear();
        return [...found, root.innerHTML];
      });
      assert.deepEqual(found, ['<u>"Ada"x', 0, true, null, '<u>"Ada"', '<div id="h">one <b>two</b></div>']);
    });

    it('is made again when the page writes over it', async () => {
      const found = await page.evaluate(async () => {
        root.innerHTML = '<div id="h">one</div>';
        await set(['html', '#h', ['<b>new</b>']]);
        root.firstElementChild.textContent = 'two';
        await pause();
        const during = root.textContent;
        changes.clear();
        return [during, root.textContent];
      });
      assert.deepEqual(found, ['new', 'two']);
    });

    it('of two slots, and with an order, gives the original back whichever ends first', async () => {
      const found = await page.evaluate(async () => {
        const before = '<div id="h"><b class="a">one</b><b class="b">two</b></div>';
        const further = (...texts) => [['further', '#h', texts, []]];
        const found = [];
        for (const order of ['AB', 'BA']) {
          root.innerHTML = before;
          changes.set('A', [...further('reorder', '.b'), ...further('html', '<i>A</i>')]);
          changes.set('B', [...further('reorder', '.b', '.a'), ...further('html', '<i>B</i>')]);
          await pause();
          for (let count = 0; count < 30; count += 1) {
            root.after(document.createElement('i'));
            await pause(1);
          }
          found.push(root.innerText);
          changes.set(order[0], []);
          found.push(root.innerText);
          changes.set(order[1], []);
          found.push(root.innerHTML === before || root.innerHTML);
        }
        return found;
      });
      assert.deepEqual(found, ['B', 'B', true, 'B', 'A', true]);
      assert.deepEqual(await problems(), []);
    });

    it('is refused once where the browser has no sanitiser, and with what it would take out', async () => {
      const text = await page.evaluate(async () => {
        root.innerHTML = '<div id="h">one</div><div id="g">one</div>';
        await set(['html', '#g', ['<b onclick = "x">a</b>']]);
        Element.prototype.setHTML = undefined;
        await set(['html', '#h', ['<b>new</b>']]);
        root.append('more');
        await pause();
        return root.textContent;
      });
      assert.equal(text, 'oneonemore');
      assert.deepEqual(await problems(), [
        ['refused', '#g'],
        ['refused', '#h'],
      ]);
    });
  });

  describe('event', () => {
    const listen = () =>
      page.evaluate(() => {
        window.heard = [];
        for (const type of ['attune:sale', 'attune:sale:end']) {
          document.addEventListener(type, ({ type, detail, target }) =>
            heard.push([type, detail, target.id ?? 'document']),
          );
        }
      });

    it('is dispatched once when its decision begins, and once when it ends', async () => {
      await listen();
      const heard = await page.evaluate(async () => {
        const change = ['event', '', ['sale', '{"percent":10}', 'code'], ['X1']];
        await set(change);
        root.append('more');
        await pause();
        await set(change, ['reorder', '#none', []]);
        await set();
        return window.heard;
      });
      const detail = { percent: 10, code: 'X1' };
      assert.deepEqual(heard, [
        ['attune:sale', detail, 'document'],
        ['attune:sale:end', detail, 'document'],
      ]);
    });

    it('is at the first element of its target, and ends at the document when that has gone', async () => {
      await listen();
      const heard = await page.evaluate(async () => {
        root.innerHTML = '<p id="e1"></p><p id="e2"></p>';
        await set(['event', 'p', ['sale', '{}'], []]);
        root.innerHTML = '<p id="e3"></p>';
        await pause();
        changes.clear();
        return window.heard.map(([type, , target]) => [type, target]);
      });
      assert.deepEqual(heard, [
        ['attune:sale', 'e1'],
        ['attune:sale:end', 'document'],
      ]);
    });
  });

  describe('redirect', () => {
    const goTo = (url, allow = [], rule = 'r') =>
      page.evaluate(async ([url, allow, rule]) => set(['redirect', rule, allow, [url]]), [url, allow, rule]);
    const arrived = async (path) => {
      await page.waitForURL(`${site.url}${path}`, { waitUntil: 'commit' });
      return new URL(page.url()).pathname + new URL(page.url()).search;
    };

    it('leads to an address of the site, in place of the page', async () => {
      const before = await page.evaluate(() => history.length);
      const [, path] = await Promise.all([goTo('/?to=1', [], 'first').catch(() => {}), arrived('/?to=1')]);
      assert.equal(path, '/?to=1');
      assert.equal(await page.evaluate(() => history.length), before);
    });

    it('leads away once a tab and rule', async () => {
      await Promise.all([goTo('/?to=2', [], 'once').catch(() => {}), arrived('/?to=2')]);
      await page.goto(site.url);
      await page.waitForFunction(() => window.parts);
      const stayed = await page.evaluate(async () => {
        const again = parts.openPage(
          () => {},
          async () => parts,
        );
        again.set('slot', [['further', 'once', ['redirect'], ['/?to=2']]]);
        await new Promise((done) => setTimeout(done, 300));
        return location.search;
      });
      assert.equal(stayed, '');
    });

    it('leaves the page where it is already, and refuses other origins, schemes and addresses', async () => {
      const origin = new URL(site.url).origin;
      for (const [number, url] of [
        `${origin}/#part`,
        'https://evil.example/',
        `${origin.replace('http:', 'https:')}.evil.example/`,
        `${origin.replace('//', '//x@evil.example:1/')}`,
        'javascript:document.title="hit"',
        'data:text/html,x',
        'https://%/',
      ].entries()) {
        await goTo(url, ['https://shop.example'], `stays${number}`);
      }
      await new Promise((done) => setTimeout(done, 300));
      assert.equal(new URL(page.url()).origin, origin);
      assert.equal(await page.title(), 'Parts');
      assert.deepEqual(
        await problems(),
        [1, 2, 3, 4, 5, 6].map((number) => ['refused', `stays${number}`]),
      );
      assert.match((await reasons())[0], /https:\/\/evil\.example is neither this site nor in its list/);
    });

    it('does not lead away when its decision has ended before somebody looks at the page', async () => {
      const found = await page.evaluate(async () => {
        Object.defineProperty(document, 'prerendering', { value: true, configurable: true });
        await set(['redirect', 'hidden', [], ['/?to=3']]);
        await pause(200);
        const during = location.search;
        changes.clear();
        document.dispatchEvent(new Event('prerenderingchange'));
        await pause(200);
        return [during, location.search];
      });
      assert.deepEqual(found, ['', '']);
    });
  });
});
