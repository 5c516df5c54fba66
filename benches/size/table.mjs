/** The table for people: what a page loads of Attune and of others for the same job. */

const LEGEND = `KB (1,000 B) of brotli: scripts and WebAssembly, without what comes as data: rules, flags, settings.
capture: until an event is taken. The others deliver it with that; Attune with what loads behind its first decision.
Script tags: Attune with its queueing snippet, the others without theirs.
x+ delivers nothing without what its vendor serves besides.
`;
const HEAD = ['', 'capture', '+ first decision', 'whole first visit'];

/** Writes a row for each of `ours`, with bytes by column, and below it the peers of that form. */
export function tableOf(ours, lines) {
  const rows = ours.flatMap(({ form, version, capture, decision, visit }) => [
    [form, '', '', ''],
    [`  attune ${version}`, ...[capture, decision, visit].map(kilobytes)],
    ...lines.filter((line) => line.form === form).map((line) => rowOf(line, lines)),
  ]);
  const all = [HEAD, ...rows];
  const widths = HEAD.map((_, column) => Math.max(...all.map((row) => row[column].length)));
  const text = all.map((row) =>
    row
      .map((cell, column) => pad(cell, widths[column], column))
      .join('  ')
      .trimEnd(),
  );
  return [LEGEND, ...text, '', 'loaded later:', ...notesOf(lines)].join('\n');
}

function rowOf(line, lines) {
  const all = `${kilobytes(line.brotli_bytes)}${line.needs_vendor ? '+' : ''}`;
  if (line.peers) {
    const [capturing] = line.peers;
    const alone = lines.find(({ peer, form }) => peer === capturing && form === line.form);
    return [`  ${line.peers.join(' + ')}`, kilobytes(alone.brotli_bytes), all, all];
  }
  const name = `  ${line.peer} ${line.version}`;
  if (line.does === 'flags') return [name, '', all, ''];
  return [name, all, line.does === 'capture' ? '' : all, all];
}

function notesOf(lines) {
  const alone = lines.filter(({ later }) => later);
  const notes = new Map(alone.map(({ peer, later }) => [peer, `  ${peer}: ${later}`]));
  for (const { peer, brotli_bytes } of lines.filter(({ files }) => files)) {
    notes.set(peer, `${notes.get(peer)} (${kilobytes(brotli_bytes)} KB together)`);
  }
  return notes.values();
}

function kilobytes(bytes) {
  return (bytes / 1000).toFixed(1);
}

function pad(cell, width, column) {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}
