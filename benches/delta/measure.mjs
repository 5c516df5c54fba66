/** The way of whoever has a bundle in effect and is sent a delta, on any host of `attune/evaluator`. */

const ROUNDS = 200;
const AT_MS = 1_795_168_800_000;

/** Times, in microseconds, from the delta's bytes to the decisions by the bundle that follows. */
export function measure(Evaluator, { from, delta, sha256, attributes }, rounds = ROUNDS) {
  const us = { apply: [], publish: [], applied: [] };
  for (let round = 0; round < rounds; round += 1) {
    const evaluator = new Evaluator(from);
    evaluator.set(attributes);
    const before = evaluator.decide();
    const started = performance.now();
    const whole = Evaluator.applyDelta(from, delta, sha256);
    const applied = performance.now();
    const { decisions } = evaluator.publish(whole, AT_MS);
    const ended = performance.now();
    if (evaluator.decide().length === 0 || before.length === 0 || decisions.length > 0) {
      throw new Error('the visitor has no decisions, or somebody else has');
    }
    evaluator.free();
    us.apply.push(1_000 * (applied - started));
    us.publish.push(1_000 * (ended - applied));
    us.applied.push(1_000 * (ended - started));
  }
  const first = rounded(us.applied[0]);
  return { first, figures: Object.fromEntries(Object.entries(us).map(([name, took]) => [name, p50(took)])) };
}

function p50(took) {
  const sorted = took.toSorted((a, b) => a - b);
  return rounded(sorted[Math.floor((sorted.length - 1) / 2)]);
}

const rounded = (us) => Math.round(100 * us) / 100;
