/** A vector's script of events over simulated time: a visitor's page, and a server beside it that fires triggers. */

import assert from 'node:assert/strict';
import { compiled } from './bundle.mjs';
import { Processor } from './processor.mjs';

const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const START_MS = Date.UTC(2026, 10, 20, 10);
/** The bits of purposes that visitors agree to. */
const PURPOSES = { functional: 1, analytics: 2, personalization: 4 };
const ALL = Object.keys(PURPOSES);
/** The type of an event that tells who the user is and nothing else. */
const NOBODYS = 'nobody.reads.this';

/** A visitor driven by a vector's steps. */
export class Script {
  #now = START_MS;
  #events = 0;
  #told = { session: 'first', granted: ALL, context: {} };
  #user;
  /** The exposures since they were last asked for, as `experiment:variation`. */
  exposed = [];

  constructor(core, vector) {
    const withErrors = 'diagnostics' in vector;
    this.rules = vector.rules;
    this.revision = 1;
    this.member = vector.steps[0].member ?? 'm';
    const bundle = compiled(vector.rules, { withErrors });
    this.page = new Page(core, bundle, this.member);
    this.server = new Server(core, bundle);
    /** By slot, what the server renders where it has heard of the member. */
    this.rendered = {};
  }

  /** Carries one step out and gives what fired; the page's decisions follow. */
  step(step) {
    this.server.fired = [];
    if (step.after) this.#now += durationMs(step.after);
    if (step.at) this.#now = Date.parse(step.at);
    this.server.at(this.#now);
    if (step.publish) this.#publish(step.publish);
    if (step.reload || (step.member ?? this.member) !== this.member) {
      this.member = step.member ?? this.member;
      this.page.begin(this.member);
    }
    const { session, granted, context } = this.#told;
    this.#told = {
      session: step.session ?? session,
      granted: step.granted ?? granted,
      context: step.context ?? context,
    };
    this.page.look(this.#now, this.#told);
    this.#user = step.user ?? this.#user;
    if (step.track) this.#track({ event_type: step.track, metadata: step.metadata ?? {} });
    else if (step.user) this.#track({ event_type: NOBODYS, metadata: {} });
    this.#tell();
    return this.server.fired;
  }

  #publish(rules) {
    this.rules = rules;
    this.revision += 1;
    const bundle = compiled(rules, { revision: this.revision });
    this.server.processor.publish(bundle, this.#now);
    this.page.publish(bundle, this.#now);
  }

  #track(event) {
    this.#events += 1;
    const whole = {
      // Of events of one instant the one with the smaller id is the earlier.
      event_id: `00000000-0000-0000-0000-${String(this.#events).padStart(12, '0')}`,
      timestamp: new Date(this.#now).toISOString(),
      anonymous_id: this.member,
      session_id: this.#told.session,
      ...(this.#user && { user_id: this.#user }),
      ...event,
    };
    this.page.absorb(whole);
    this.server.absorb(whole);
  }

  /** Tracks exposures and what is newly shown under a cap, as a page does, until there are none. */
  #tell() {
    const capped = new Set((this.rules.rules ?? []).filter(({ cap }) => cap).map(({ id }) => id));
    for (;;) {
      const exposures = this.page.exposures();
      const shown = this.page.newlyHeld().filter(({ rule }) => capped.has(rule));
      if (exposures.length + shown.length === 0) return;
      for (const { event_id, ...metadata } of exposures) {
        this.exposed.push(`${metadata.experiment}:${metadata.variation}`);
        this.#track({ event_id, event_type: 'attune.exposure', metadata });
      }
      for (const { rule, key } of shown) {
        this.#track({ event_type: 'attune.shown', metadata: { rule, key: key ?? '' } });
      }
    }
  }

  /** Decides on the server as well, for the page that it renders. */
  render() {
    for (const one of this.server.decide(this.member, this.#told.context)) {
      this.rendered[one.slot] = one.rule === null ? null : one;
    }
  }

  /** How long until time alone can change a decision, in milliseconds; null where it never does. */
  wakeAfter() {
    const at = this.page.wakeAt();
    return Number.isNaN(at) ? null : at - this.#now;
  }

  /** Frees what the script holds in the core. */
  close() {
    this.page.close();
    this.server.close();
  }
}

/** Decisions by an evaluator, for its one visitor. */
class Page {
  constructor(core, bundle, member) {
    this.core = core;
    this.handle = core.opened(core.exports.evaluator_new(core.put(bundle)));
    this.#name();
    this.begin(member);
  }

  /** Loads the page anew: what has latched stays, what was shown does not. */
  begin(member) {
    this.core.exports.visitor_name(this.handle, this.core.put(member));
    this.current = {};
    this.held = {};
  }

  /** Puts another bundle into effect; what it shows in slots that it has not is gone. */
  publish(bundle, ms) {
    const { core, handle } = this;
    const { errors } = core.answer(core.exports.evaluator_publish(handle, core.put(bundle), ms));
    assert.deepEqual(errors, []);
    this.#name();
    this.current = Object.fromEntries(this.slots.map((slot) => [slot, this.current[slot] ?? null]));
    this.#changed(core.exports.visitor_changed(handle));
  }

  /** Numbers the slots. */
  #name() {
    const { core, handle } = this;
    this.slots = core.answer(core.exports.evaluator_names(handle)).slots;
  }

  /** Decides at an instant, of what is said about the visitor. */
  look(ms, { session, granted, context }) {
    const { core, handle } = this;
    const bits = granted.reduce((bits, purpose) => bits | PURPOSES[purpose], 0);
    this.#changed(core.exports.visitor_set(handle, core.scratch(JSON.stringify({ context }))));
    this.#changed(core.exports.visitor_session(handle, core.scratch(session)));
    this.#changed(core.exports.visitor_consent(handle, bits));
    this.#changed(core.exports.visitor_time(handle, ms));
  }

  absorb(event) {
    const { core, handle } = this;
    const text = core.put(JSON.stringify([event]));
    const { errors } = core.answer(core.exports.evaluator_absorb(handle, text));
    assert.deepEqual(errors, []);
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

  /** What has given the visitor an experiment's variation, or kept the visitor out; null of one that does not exist. */
  origin(experiment) {
    const { core, handle } = this;
    const all = core.answer(core.exports.visitor_assignments(handle));
    return all.find((one) => one.experiment === experiment)?.origin ?? null;
  }

  /** The exposures that are due. */
  exposures() {
    const { core, handle } = this;
    return core.answer(core.exports.visitor_exposures(handle));
  }

  /** When time alone can next change a decision; NaN where it never does. */
  wakeAt() {
    return this.core.exports.visitor_wake(this.handle);
  }

  close() {
    this.core.exports.evaluator_free(this.handle);
  }
}

/** A processor with the states of everybody. */
class Server {
  #members = new Map();
  /** The profile of each member, by name. */
  #belongs = new Map();
  #profiles = new Map();
  fired = [];

  constructor(core, bundle) {
    this.processor = new Processor(core, bundle);
  }

  /** Lets time pass for everybody who is known. */
  at(ms) {
    for (const profile of this.#profiles.values()) {
      this.fired.push(...this.processor.wake(profile, ms).firings);
    }
  }

  absorb(event) {
    const { processor } = this;
    const name = event.anonymous_id;
    if (!this.#members.has(name)) this.#members.set(name, processor.member(name));
    const record = { event, proven: true };
    for (const change of processor.absorb(this.#members.get(name), [record]).changes) {
      const left = change.moved_from === null ? undefined : this.#profile(change.moved_from);
      const answer = processor.combine(this.#profile(change.profile), [change], left);
      assert.deepEqual(answer.errors, []);
      this.fired.push(...answer.firings);
      this.#belongs.set(name, change.profile);
    }
  }

  /** The slots of a member that differ in a context; none of a member without events. */
  decide(member, context) {
    if (!this.#belongs.has(member)) return [];
    return this.processor.decide(this.#profile(this.#belongs.get(member)), context).decisions;
  }

  #profile(name) {
    if (!this.#profiles.has(name)) this.#profiles.set(name, this.processor.profile());
    return this.#profiles.get(name);
  }

  close() {
    for (const state of [...this.#members.values(), ...this.#profiles.values()]) state.close();
    this.processor.free();
  }
}

/** `rule` or `rule:key`. */
export const keyed = ({ rule, key }) => (key === null ? rule : `${rule}:${key}`);

/** A duration such as `30m` in milliseconds. */
export function durationMs(text) {
  const [, count, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(text);
  return Number(count) * UNITS_MS[unit];
}
