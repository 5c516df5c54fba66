/** A preview in place of the driver: the same calls, over a visitor of nobody's; nothing is stored and nothing is sent. */

import { timer } from '../browser/timer.ts';
import { wallMs } from '../clock.ts';
import type { JsonObject } from '../context.ts';
import { openPage } from '../dom/page.ts';
import type { Driver } from '../driver/contract.ts';
import { problemReport } from '../driver/problem.ts';
import { AttuneError } from '../errors.ts';
import { freshId } from '../fresh-id.ts';
import type { Host } from '../host.ts';
import { parseJson } from '../json.ts';
import type { Settings } from '../options.ts';
import { mergedContext } from '../page-context.ts';
import { PREVIEW } from '../preview-token.ts';
import { changesOf, variablesOf } from './actions.ts';
import { openModel } from './model.ts';
import { openOverlay } from './overlay.ts';
import { fetchSource } from './source.ts';
import { refused, verifyToken } from './token.ts';

/** Longest wait of a timer, well below what timers take. */
const MAX_WAIT_MS = 86_400_000;

/** Opens the preview that the settings name; throws where its token does not hold, and then the tab forgets it. */
export async function openPreview(
  settings: Settings,
  host: Pick<Host, 'decision' | 'report' | 'changed'>,
): Promise<Driver> {
  const token = settings.preview ?? '';
  const member = freshId();
  try {
    const { keySet, bundle } = await fetchSource(settings, member);
    const said = await verifyToken(token, keySet);
    keep((session) => {
      session.setItem(PREVIEW, token);
      // It stays, as other tabs may have theirs.
      localStorage.setItem(PREVIEW, '1');
    });
    return start(settings, host, await openModel(bundle, member, said), said, member);
  } catch (cause) {
    keep((session) => session.removeItem(PREVIEW));
    throw cause instanceof AttuneError ? cause : refused(String(cause));
  }
}

/** A tab that may keep nothing shows the preview where the address says so. */
function keep(act: (session: Storage) => void): void {
  try {
    act(sessionStorage);
  } catch {
    // There is nothing to keep or to forget.
  }
}

function start(
  settings: Settings,
  host: Pick<Host, 'decision' | 'report' | 'changed'>,
  model: Awaited<ReturnType<typeof openModel>>,
  said: Awaited<ReturnType<typeof verifyToken>>,
  member: string,
): Driver {
  const session = freshId();
  const wake = timer();
  let context: JsonObject = {};
  let user: string | null = null;
  /** By slot, what it shows, as a text. */
  const shown = new Map<string, string>();
  const report = problemReport(host.report);
  const { first } = settings;
  const page = first?.page ?? openPage(report, settings.loadActions);
  first?.hear(report);
  const leave = () => {
    keep((session) => session.removeItem(PREVIEW));
    const url = new URL(location.href);
    url.searchParams.delete(PREVIEW);
    // The same address again would only move to its fragment.
    if (url.href === location.href) location.reload();
    else location.replace(url);
  };
  const overlay = openOverlay(model, said, leave);
  const update = () => {
    const decisions = model.decide();
    for (const slot of [...shown.keys()]) {
      if (decisions.some((decision) => decision.slot === slot)) continue;
      shown.delete(slot);
      page.set(slot, []);
      host.decision(slot, undefined);
    }
    for (const { slot, rule, actions } of decisions) {
      const text = JSON.stringify([rule, actions]);
      if (shown.get(slot) === text) continue;
      shown.set(slot, text);
      page.set(slot, changesOf(actions), rule ?? undefined);
      const since = new Date(wallMs()).toISOString();
      host.decision(slot, {
        slot,
        rule: rule ?? '',
        reason: 'level',
        since,
        variables: variablesOf(actions),
      });
    }
    overlay.show();
    host.changed();
    const at = model.visitor.wakeAt();
    if (at === null) wake.clear();
    else wake.set(Math.min(Math.max(0, at - wallMs()), MAX_WAIT_MS), update);
  };
  const changed = (act: () => void) => {
    act();
    update();
  };
  update();
  first?.settle((slot) => shown.has(slot));
  return {
    isWaiting: () => false,
    isShort: () => false,
    whole: Promise.resolve(),
    token: () => undefined,
    track({ id, type, ms, metadata }) {
      const event = {
        event_id: id,
        event_type: type,
        timestamp: new Date(ms).toISOString(),
        anonymous_id: member,
        session_id: session,
        ...(user !== null && { user_id: user }),
        metadata: (parseJson(metadata ?? '{}') ?? {}) as JsonObject,
      };
      changed(() => model.absorb([event]));
    },
    identify(name) {
      user = name;
    },
    setContext(fields) {
      context = mergedContext(context, fields);
      changed(() => model.setContext(context));
    },
    consent(granted) {
      const state = (bit: number) => (granted & bit ? 'granted' : 'denied');
      const consent = { functional: state(1), analytics: state(2), personalization: state(4) } as const;
      changed(() => model.visitor.consent(consent));
    },
    shutdown() {
      wake.clear();
      page.clear();
      overlay.remove();
    },
    signal: () => undefined,
    inspect: () => ({
      core: [[], 0, 0, 0, 0, 0, 0],
      ...{ member, lane: session, user_id: user, stream: 'closed' },
    }),
    // The visitor is nobody's, so there is nothing to begin anew, to store, to send or to forget.
    reset() {},
    admit() {},
    forget: () => undefined,
    follow() {},
    flush() {},
  };
}
