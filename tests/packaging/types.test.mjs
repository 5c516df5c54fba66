/** The types of the packed package, as the compiler sees them in a project that is strict. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openConsumer, programOf } from './rig/consumer.mjs';

const TSC = programOf('typescript', 'bin/tsc');

describe('the types of the package', () => {
  let consumer;
  before(async () => {
    consumer = await openConsumer('types');
  });
  after(() => consumer?.remove());

  for (const resolution of ['bundler', 'node16']) {
    it(`let right uses pass and find every mistake, with moduleResolution ${resolution}`, async () => {
      await consumer.node(TSC, ['--project', `tsconfig.${resolution}.json`]);
    });
  }

  it('would have been said to be wrong if they had let a mistake pass', async () => {
    const file = join(consumer.folder, 'src/wrong.ts');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('attune.track(7)', "attune.track('view')"));
    const compiled = consumer.node(TSC, ['--project', 'tsconfig.bundler.json']);
    await assert.rejects(compiled, /Unused '@ts-expect-error' directive/);
    writeFileSync(file, text);
  });
});
