/** The recorded shop sessions as events: one click every ten seconds from the session's day on. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const recording =
  process.env.ATTUNE_RECORDING ?? join(import.meta.dirname, '../../../shared/data/eshop2008_apr_may.csv.gz');

/** Why the recording cannot be read; false where it can. */
export const missing = existsSync(recording) ? false : `${recording} is not on this machine`;

/** The third click in one main category within a session. */
export const RULES = {
  signals: [
    {
      name: 'clicks_in_category',
      on: 'click',
      by: 'metadata.category',
      aggregate: 'count',
      window: 'session',
    },
    {
      name: 'price_cents',
      on: 'click',
      of: 'metadata.price_cents',
      aggregate: 'sum',
      window: 'lifetime',
    },
  ],
  triggers: [
    {
      id: 'third-click',
      on: 'click',
      when: {
        $signal: {
          name: 'clicks_in_category',
          key: { $path: 'event.metadata.category' },
          is: { $gte: 3 },
        },
      },
      cap: { per: 'session', key: 'event.metadata.category', count: 1 },
      actions: [],
    },
  ],
};

/** The events of each session. */
export function visits() {
  const [head, ...lines] = gunzipSync(readFileSync(recording)).toString('utf8').trim().split('\n');
  const names = head.trim().split(',');
  const sessions = new Map();
  for (const line of lines) {
    const cells = line.trim().split(',');
    const click = Object.fromEntries(names.map((name, at) => [name, Number(cells[at])]));
    if (!sessions.has(click.session_id)) sessions.set(click.session_id, []);
    sessions.get(click.session_id).push(click);
  }
  return [...sessions].map(([session, clicks]) => {
    clicks.sort((a, b) => a.order - b.order);
    const { year, month, day } = clicks[0];
    const start = Date.UTC(year, month - 1, day, 10);
    return clicks.map((click, at) => event(session, click, start + 10_000 * at));
  });
}

function event(session, click, at) {
  return {
    event_id: `shop-${session}-${click.order}`,
    event_type: 'click',
    timestamp: new Date(at).toISOString(),
    anonymous_id: `visitor-${session}`,
    session_id: `session-${session}`,
    metadata: {
      category: String(click.page1_main_category),
      price_cents: 100 * click.price,
    },
  };
}
