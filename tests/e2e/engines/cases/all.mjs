/** The cases that every engine has to pass, written once. */

import { after, before, describe } from 'node:test';
import { decisions } from './decisions.mjs';
import { delivery } from './delivery.mjs';
import { durable } from './durable.mjs';
import { firstPaint } from './first-paint.mjs';
import { leaving } from './leaving.mjs';
import { storing } from './storing.mjs';
import { visitor } from './visitor.mjs';

/** Runs every case in an engine; what it lacks skips a case, with the reason. */
export function runCases(engine) {
  describe(`in ${engine.name}, a page`, () => {
    const run = { engine, browser: undefined };
    before(async () => {
      run.browser = await engine.start();
    });
    after(() => run.browser?.close());
    for (const cases of [delivery, durable, decisions, firstPaint, storing, leaving, visitor]) cases(run);
  });
}
