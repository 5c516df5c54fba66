/** The table for people: a row a scenario, a column an SDK. */

const LEGEND =
  'delivered/tracked, !n of these only when the visitor came back, +n counted twice (requests, p preflights)';

/** Writes a cell for each line, and at the end how often everything arrived once; `titles` are those of the SDKs. */
export function tableOf(lines, titles) {
  const sdks = [...new Set(lines.map(({ sdk }) => sdk))];
  const scenarios = [...new Set(lines.map(({ scenario }) => scenario))];
  const cells = scenarios.map((scenario) => [
    scenario,
    ...sdks.map((sdk) => cellOf(lines.find((line) => line.sdk === sdk && line.scenario === scenario))),
  ]);
  const sums = ['delivered everything, once', ...sdks.map((sdk) => perfect(lines, sdk))];
  const rows = [['scenario', ...sdks.map((sdk) => titles[sdk])], ...cells, sums];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const text = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  );
  return [LEGEND, ...text].join('\n');
}

function cellOf(line) {
  if (!line) return '';
  if (line.error) return 'failed to run';
  if (line.skipped) return 'n/a';
  const { delivered, tracked, delivered_before_return: early = delivered, double_counted } = line;
  const late = delivered > early ? ` !${delivered - early}` : '';
  const doubled = double_counted > 0 ? ` +${double_counted}` : '';
  const preflights = line.preflights > 0 ? `, ${line.preflights} p` : '';
  return `${delivered}/${tracked}${late}${doubled} (${line.requests}${preflights})`;
}

function perfect(lines, sdk) {
  const own = lines.filter((line) => line.sdk === sdk && !line.skipped);
  const good = own.filter((line) => line.delivered === line.tracked && line.double_counted === 0);
  return `${good.length} of ${own.length}`;
}
