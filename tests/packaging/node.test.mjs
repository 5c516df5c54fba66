/** A server in Node: every entry of the packed package can be imported, and renders with React. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openConsumer } from './rig/consumer.mjs';

describe('a server in Node', () => {
  for (const [version, preferred] of Object.entries({ 18: 'react-18', 19: '.' })) {
    it(`imports every entry and renders with React ${version}, and starts nothing`, async (test) => {
      const consumer = await openConsumer('node', preferred);
      test.after(() => consumer.remove());
      assert.deepEqual(JSON.parse(await consumer.node('server.js')), {
        entries: [
          ['AttuneError', 'init'],
          ['AttuneError', 'init'],
          ['autocapture'],
          ['inspect', 'onChange', 'onEvent'],
          ['evaluatorProvider', 'pageProvider'],
        ],
        init: ['environment_unsupported', 'environment_unsupported'],
        fallbacks: 'Welcome nobody unknown',
        given: 'Hello of-the-server unknown',
        withoutProvider: 'provider_missing',
        evaluator: 'bundle_bad_magic',
      });
    });
  }
});
