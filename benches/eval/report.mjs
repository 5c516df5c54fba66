/** Lines of the bench: figures, goals beside Attune's own, and ratios to GrowthBook. */

/** Goals by measure and number of rules, in the unit of the measure. */
const GOALS = {
  full: { 1000: 40, 10000: 400 },
  change: { 1000: 1, 10000: 5 },
  memory: { 10000: 4 * 1_024 * 1_024 },
  bundle: { 1000: 14_000 },
};

const rounded = (value) => Number(value.toPrecision(3));

/** The middle, the mean and the least disturbed of batches, in microseconds. */
export function figures(us) {
  const sorted = [...us].sort((a, b) => a - b);
  const mean = us.reduce((sum, value) => sum + value, 0) / us.length;
  return {
    p50_us: rounded(sorted[Math.floor((sorted.length - 1) / 2)]),
    mean_us: rounded(mean),
    least_us: rounded(sorted[0]),
    rounds: us.length,
  };
}

/** A goal that Attune has for a measure, and whether it is met; nothing for others. */
export function goal(engine, measure, count, value, unit) {
  const wanted = engine === 'attune' ? GOALS[measure]?.[count] : undefined;
  return wanted === undefined ? {} : { [`goal_${unit}`]: wanted, met: value <= wanted };
}

export function print(line) {
  console.log(JSON.stringify({ bench: 'eval', ...line }));
}

/** The time of every engine in parts of the time that GrowthBook takes, by measure and number of rules. */
export function summary(lines) {
  const of = (measure) => lines.filter((line) => line.measure === measure && line.p50_us !== undefined);
  const timed = [...new Set(lines.map(({ measure }) => measure))].filter((measure) => of(measure).length > 0);
  return timed.flatMap((measure) => {
    const counts = [...new Set(of(measure).map(({ rules }) => rules))];
    return counts.map((rules) => {
      const row = of(measure).filter((line) => line.rules === rules);
      const base = row.find(({ engine }) => engine === 'growthbook');
      const ratios = row.map(({ engine, p50_us }) => [engine, rounded(p50_us / base.p50_us)]);
      return { measure: 'summary', of: measure, rules, time_to_growthbook: Object.fromEntries(ratios) };
    });
  });
}
