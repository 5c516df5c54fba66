/** A server that renders with React: prints what the page's entries give in Node, where there is no page. */

import * as attune from 'attune';
import * as autocapture from 'attune/autocapture';
import * as devtools from 'attune/devtools';
import { Evaluator } from 'attune/evaluator';
import * as inline from 'attune/inline';
import * as openfeature from 'attune/openfeature';
import { AttuneProvider, useAttune, useDecision, useSignal, useTrack, useVariable } from 'attune/react';
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';

function Shop() {
  useTrack();
  if (useAttune()) throw new Error('nothing runs on a server');
  const title = useVariable('title', 'Welcome');
  return `${title} ${useDecision('hero')?.rule ?? 'nobody'} ${useSignal('views') ?? 'unknown'}`;
}

const decision = {
  slot: 'hero',
  rule: 'of-the-server',
  key: null,
  reason: 'level',
  actions: [
    { kind: 'variable', name: 'title', value: 'Hello' },
    { kind: 'text', target: '#hero', value: 'Hello' },
  ],
};
const rendered = (props) =>
  renderToString(createElement(AttuneProvider, { start: refuse, ...props }, createElement(Shop)));

function refuse() {
  throw new Error('a server must not start what is for pages');
}

function codeOf(call) {
  try {
    call();
    return undefined;
  } catch ({ code }) {
    return code;
  }
}

console.log(
  JSON.stringify({
    entries: [attune, inline, autocapture, devtools, openfeature].map((entry) => Object.keys(entry).sort()),
    init: [attune.init, inline.init].map((init) => codeOf(() => init({ writeKey: 'a', collector: '/' }))),
    fallbacks: rendered({}),
    given: rendered({ decisions: [decision, { ...decision, slot: 'other', rule: null, actions: [] }] }),
    withoutProvider: codeOf(() => renderToString(createElement(Shop))),
    evaluator: codeOf(() => new Evaluator(new Uint8Array([1, 2, 3]))),
  }),
);
