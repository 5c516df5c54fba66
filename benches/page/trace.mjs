/** Reads a trace of Chromium: what scripts have cost a page, and its longest task. */

/** What is traced. */
export const CATEGORIES = [
  'toplevel',
  'devtools.timeline',
  'disabled-by-default-devtools.timeline',
  'v8',
  'blink.user_timing',
];

/** Events that are script at work: compiling it, running it, collecting what it has left. */
const SCRIPT = new Set([
  'EvaluateScript',
  'FunctionCall',
  'RunMicrotasks',
  'TimerFire',
  'EventDispatch',
  'FireIdleCallback',
  'XHRReadyStateChange',
  'v8.compile',
  'v8.run',
  'v8.callFunction',
  'V8.GCScavenger',
  'MinorGC',
  'MajorGC',
]);
const WASM = /^(v8|V8)\.wasm\./;

/**
 * The figures of the thread that has set the mark `tracked`, in milliseconds; CPU time of that thread where the trace has
 * it, so that what else the machine does stays out.
 */
export function readTrace(events) {
  const marks = marksIn(events);
  const tracked = marks.get('tracked');
  if (!tracked) throw new Error('the trace has no mark of the first event: the page did not track');
  const own = events.filter(({ pid, tid, ph }) => pid === tracked.pid && tid === tracked.tid && ph === 'X');
  const scripts = outermost(own.filter(({ name }) => SCRIPT.has(name) || WASM.test(name)));
  const tasks = own.filter(({ name }) => name === 'RunTask' || name === 'ThreadControllerImpl::RunTask');
  if (tasks.length === 0) throw new Error('the trace has no tasks');
  const first = own.find(({ name, args }) => name === 'EvaluateScript' && /attune\.js/.test(args?.data?.url));
  const ready = marks.get('ready');
  return {
    script_ms: sum(scripts),
    script_until_tracked_ms: sum(scripts.filter(({ ts }) => ts <= tracked.ts)),
    longest_task_ms: Math.max(...tasks.map(({ dur = 0 }) => dur / 1_000)),
    longest_script_task_ms: Math.max(0, ...scripts.map(({ dur = 0 }) => dur / 1_000)),
    ready_ms: first && ready ? (ready.ts - first.ts) / 1_000 : undefined,
  };
}

/** How long the loader has run, and when after its beginning and its end the page has changed, in milliseconds. */
export function readPaint(events) {
  const painted = marksIn(events).get('painted');
  if (!painted) throw new Error('the trace has no mark of a change: the loader has painted nothing');
  const run = events.find(
    ({ name, pid, args }) =>
      name === 'EvaluateScript' && pid === painted.pid && /loader\.js/.test(args?.data?.url),
  );
  if (!run) throw new Error('the trace has no run of the loader');
  return {
    loader_run_ms: run.dur / 1_000,
    decided_after_start_ms: (painted.ts - run.ts) / 1_000,
    decided_after_end_ms: Math.max(0, painted.ts - run.ts - run.dur) / 1_000,
  };
}

/** The first mark of each name. */
function marksIn(events) {
  const marks = new Map();
  for (const event of events) {
    const isMark = event.cat?.includes('blink.user_timing') && event.ph !== 'E';
    if (isMark && !marks.has(event.name)) marks.set(event.name, event);
  }
  return marks;
}

/** Those events that are within no other one. */
function outermost(events) {
  let end = 0;
  const sorted = events.toSorted((a, b) => a.ts - b.ts || (b.dur ?? 0) - (a.dur ?? 0));
  return sorted.filter(({ ts, dur = 0 }) => {
    if (ts < end) return false;
    end = ts + dur;
    return true;
  });
}

function sum(events) {
  return events.reduce((total, { dur = 0, tdur = dur }) => total + tdur, 0) / 1_000;
}
