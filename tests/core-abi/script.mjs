/** A vector's script of events over simulated time: a visitor's page, and a server beside it that fires triggers. */

import { compiled } from './bundle.mjs';
import { Processor } from './processor.mjs';

const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const START_MS = Date.UTC(2026, 10, 20, 10);
/** The type of an event that tells a session, or that somebody is there, and nothing else. */
const NOBODYS = 'nobody.reads.this';

/** Why a script cannot be run through the byte interface; null where it can. */
export function whyNot({ rules, steps }) {
  if (steps.some((step) => 'granted' in step)) return 'the byte interface carries no consent';
  const isSilent = (step) => 'session' in step && !('track' in step);
  if (steps.some(isSilent) && readsEverything(rules)) {
    return 'a session without an event, where every event counts';
  }
  return null;
}

/** Whether an event of any type has an effect. */
function readsEverything(rules) {
  const judged = [...(rules.rules ?? []), ...(rules.triggers ?? [])];
  const isNameless = (rule) => !('on' in rule) && JSON.stringify(rule).includes('event.');
  return judged.some(isNameless) || JSON.stringify(rules).includes('"*"');
}

/** A visitor driven by a vector's steps. */
export class Script {
  #now = START_MS;
  #session = 'first';
  #events = 0;
  #context = {};

  constructor(core, vector) {
    const withErrors = 'diagnostics' in vector;
    this.rules = vector.rules;
    this.revision = 1;
    this.member = vector.steps[0].member ?? 'm';
    const bundle = compiled(vector.rules, { withErrors });
    const publishes = vector.steps.some((step) => 'publish' in step);
    this.page = new (publishes ? Rendered : Page)(core, bundle, this.member);
    this.server = new Server(core, bundle);
  }

  /** Carries one step out and gives what fired; the page's decisions follow. */
  step(step) {
    this.server.fired = [];
    if (step.after) this.#now += durationMs(step.after);
    if (step.at) this.#now = Date.parse(step.at);
    this.server.at(this.#now);
    if (this.#events === 0 && !readsEverything(this.rules)) this.#track(NOBODYS, {});
    if (step.publish) {
      this.rules = step.publish;
      this.revision += 1;
      const bundle = compiled(step.publish, { revision: this.revision });
      this.server.processor.publish(bundle, this.#now);
      this.page.publish(bundle, this.#now);
    }
    if (step.reload || (step.member ?? this.member) !== this.member) {
      this.member = step.member ?? this.member;
      this.page.begin(this.member);
    }
    if (step.session) {
      this.#session = step.session;
      if (!step.track) this.#track(NOBODYS, {});
    }
    this.#context = step.context ?? this.#context;
    this.page.look(this.#now, this.#context);
    if (step.track) this.#track(step.track, step.metadata ?? {});
    this.#show();
    return this.server.fired;
  }

  #track(type, metadata) {
    this.#events += 1;
    const event = {
      // Of events of one instant the one with the smaller id is the earlier.
      event_id: `00000000-0000-0000-0000-${String(this.#events).padStart(12, '0')}`,
      event_type: type,
      timestamp: new Date(this.#now).toISOString(),
      anonymous_id: this.member,
      session_id: this.#session,
      metadata,
    };
    this.page.absorb(event);
    this.server.absorb(event);
  }

  /** Tracks what is newly shown under a cap, as a page does, until nothing is. */
  #show() {
    const capped = new Set((this.rules.rules ?? []).filter(({ cap }) => cap).map(({ id }) => id));
    for (;;) {
      const shown = this.page.newlyHeld().filter(({ rule }) => capped.has(rule));
      if (shown.length === 0) return;
      for (const { rule, key } of shown) this.#track('attune.shown', { rule, key: key ?? '' });
    }
  }

  /** Frees what the script holds in the core. */
  close() {
    this.page.close();
    this.server.close();
  }
}

/** Decisions by an evaluator, for its one visitor. */
class Page {
  explains = true;

  constructor(core, bundle, member) {
    this.core = core;
    this.handle = core.opened(core.exports.evaluator_new(core.put(bundle)));
    this.slots = core.answer(core.exports.evaluator_names(this.handle)).slots;
    this.begin(member);
  }

  /** Loads the page anew: what has latched stays, what was shown does not. */
  begin(member) {
    this.core.exports.visitor_name(this.handle, this.core.put(member));
    this.current = {};
    this.held = {};
  }

  look(ms, context) {
    const { core, handle } = this;
    const length = core.scratch(JSON.stringify({ context }));
    this.#changed(core.exports.visitor_set(handle, length));
    this.#changed(core.exports.visitor_time(handle, ms));
  }

  absorb(event) {
    const { core, handle } = this;
    const text = core.put(JSON.stringify([event]));
    const { errors } = core.answer(core.exports.evaluator_absorb(handle, text));
    if (errors.length > 0) throw new Error(JSON.stringify(errors));
    this.#changed(core.exports.visitor_changed(handle));
  }

  #changed(count) {
    const { core, handle } = this;
    if (count < 0) core.opened(count);
    const address = core.exports.visitor_changes(handle) >>> 0;
    const pairs = new Uint32Array(core.exports.memory.buffer.slice(address, address + 8 * count));
    for (let at = 0; at < pairs.length; at += 2) {
      const decision = core.answer(core.exports.visitor_decision(handle, pairs[at]));
      this.current[this.slots[pairs[at]]] = decision;
    }
  }

  /** The decision in effect for a slot; undefined where it is empty. */
  decision(slot) {
    return this.current[slot] ?? undefined;
  }

  /** The decisions in effect. */
  decided() {
    return Object.values(this.current).filter((decision) => decision !== null);
  }

  /** The decisions whose rule or key was not there when this was last asked. */
  newlyHeld() {
    const before = this.held;
    this.held = Object.fromEntries(this.decided().map((one) => [one.slot, keyed(one)]));
    return this.decided().filter(({ slot }) => before[slot] !== this.held[slot]);
  }

  /** Why a rule holds or not. */
  reason(rule) {
    const { core, handle } = this;
    const { reason, why } = core.answer(core.exports.visitor_explain(handle, core.put(rule)));
    return why === undefined ? reason : `${reason}:${why}`;
  }

  close() {
    this.core.exports.evaluator_free(this.handle);
  }
}

/** Decisions by a processor over one member's profile, which follows bundles that are published. */
class Rendered extends Page {
  explains = false;

  constructor(core, bundle, member) {
    super(core, bundle, member);
    super.close();
    this.processor = new Processor(core, bundle);
    this.member = this.processor.member(member);
    this.profile = this.processor.profile();
  }

  begin(member) {
    this.current = {};
    this.held = {};
    if (this.profile) this.profile = this.processor.profile(this.profile.close());
    if (this.name !== undefined && this.name !== member) {
      throw new Error('a vector that publishes has one member');
    }
    this.name = member;
  }

  publish(bundle, ms) {
    this.processor.publish(bundle, ms);
  }

  look(ms, context) {
    this.context = context;
    this.processor.wake(this.profile, ms);
    this.#decide();
  }

  absorb(event) {
    const { changes } = this.processor.absorb(this.member, [{ event }]);
    this.processor.combine(this.profile, changes);
    this.#decide();
  }

  #decide() {
    for (const one of this.processor.decide(this.profile, this.context ?? {}).decisions) {
      this.current[one.slot] = one.rule === null ? null : one;
    }
  }

  close() {
    this.member.close();
    this.profile.close();
    this.processor.free();
  }
}

/** A processor with the states of everybody. */
class Server {
  #states = new Map();
  fired = [];

  constructor(core, bundle) {
    this.processor = new Processor(core, bundle);
  }

  /** Lets time pass for everybody who is known. */
  at(ms) {
    for (const { profile } of this.#states.values()) {
      this.fired.push(...this.processor.wake(profile, ms).firings);
    }
  }

  absorb(event) {
    const { processor } = this;
    const name = event.anonymous_id;
    if (!this.#states.has(name)) {
      this.#states.set(name, { member: processor.member(name), profile: processor.profile() });
    }
    const { member, profile } = this.#states.get(name);
    const answer = processor.combine(profile, processor.absorb(member, [{ event }]).changes);
    if (answer.errors.length > 0) throw new Error(JSON.stringify(answer.errors));
    this.fired.push(...answer.firings);
  }

  close() {
    for (const { member, profile } of this.#states.values()) {
      member.close();
      profile.close();
    }
    this.processor.free();
  }
}

/** `rule` or `rule:key`. */
export const keyed = ({ rule, key }) => (key === null ? rule : `${rule}:${key}`);

function durationMs(text) {
  const [, count, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(text);
  return Number(count) * UNITS_MS[unit];
}
