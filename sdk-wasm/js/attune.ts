/** The public API: fixes id, time and session of every call, and hands it to the driver in order. */

import { type KeyValue, openStorage } from './browser/storage.ts';
import { type Campaign, openCampaign } from './campaign.ts';
import { wallMs } from './clock.ts';
import { type Consent, grantedBits, type Said } from './consent.ts';
import { mergeConsent } from './consent-merge.ts';
import { deviceContext, type Json, type JsonObject, pageContext, watchDevice } from './context.ts';
import { type Decision, variableIn } from './decision.ts';
import { type DevtoolsPort, devtoolsPort } from './devtools-port.ts';
import type { Capture } from './driver/contract.ts';
import { MEMBER, SESSION } from './driver/state.ts';
import { AttuneError, type AttuneErrorKind } from './errors.ts';
import { isObject, jsonText } from './json.ts';
import { type DriverLink, openLink } from './link.ts';
import { type Listeners, openListeners, openReports } from './listeners.ts';
import type { Settings } from './options.ts';
import { defaultContext } from './page-context.ts';
import { openSession, type Session } from './session.ts';
import { uuidV7 } from './uuid.ts';
import type { Saying } from './words.ts';

/** How soon an event leaves and how late it is given up. */
export type Priority = 'low' | 'normal' | 'critical';

/** When and as what a call was made, where that is earlier than now. */
export interface Moment {
  id: string;
  ms: number;
}

const PRIORITIES: Priority[] = ['low', 'normal', 'critical'];
const MAX_ID_CHARS = 100;
/** Every purpose, by bits. */
const ALL_GRANTED = 7;

/** One site's Attune on one page. Made by `init`. */
export class Attune {
  /** Settles when decisions are live; fails with `wasm_unavailable`, which `onError` hears as well. */
  readonly ready: Promise<void>;
  /** Where the other entries reach in. */
  readonly [devtoolsPort]: DevtoolsPort;

  readonly #reports = openReports();
  readonly #decisions = new Map<string, Decision>();
  readonly #listeners = new Map<string, Listeners<Decision | undefined>>();
  readonly #ended = new AbortController();
  readonly #session: Session;
  readonly #campaign: Campaign;
  readonly #link: DriverLink;
  readonly #settings: Settings;
  #moment: Moment | undefined;
  /** Whether the site's own filter is being asked. */
  #isJudging = false;

  /** Use `init`. */
  constructor(settings: Settings) {
    // A call may be taken out of the object, and a value of the site's may throw wherever it is looked at.
    const calls = this as unknown as Record<string, unknown>;
    // The first name is the constructor's.
    for (const name of Object.getOwnPropertyNames(Attune.prototype).slice(1)) {
      const call = calls[name];
      if (!(call instanceof Function)) continue;
      calls[name] = (...values: unknown[]) => {
        try {
          return call.apply(this, values);
        } catch (cause) {
          // What is thrown may have no text of its own.
          return this.#refuse('json_invalid', name, `${(cause as Error | undefined)?.message}`);
        }
      };
    }
    const storage = openStorage(() => this.#link?.mayStore());
    const space = `attune/${settings.writeKey}/`;
    const port: DevtoolsPort = {
      inspect: () => this.#link.ask((driver) => driver.inspect()),
      signal: (name, key) => this.signal(name, key),
      decisions: () => [...this.#decisions.values()],
      report: (...error) => this.#reports.report(new AttuneError(...error)),
      tell: (...saying) => this.#tell(saying, 'usage'),
    };
    this[devtoolsPort] = port;
    // First of all, since it begins with what takes longest: the way to the collector.
    this.#link = openLink({
      settings,
      storage,
      ended: this.#ended.signal,
      events: {
        decision: (slot, decision) => this.#decided(slot, decision),
        shown: (metadata) => void this.#capture('attune.shown', metadata),
        exposed: (id, metadata) => void this.#capture('attune.exposure', metadata, 'normal', id),
        resumed: (session, isAgreed) => this.#session.follow(session, wallMs(), isAgreed),
        consented: (...heard) => this.#consented(...heard),
        forgotten: (isHeard) => this.#forget(isHeard),
        changed: () => port.changed?.(),
        report: this.#reports.report,
        tell: (...saying) => this.#tell(saying),
      },
      became: (member) => this.#become(member),
      session: (ms) => this.#sessionAt(ms),
      judge: (capture) => this.#judge(capture),
    });
    this.#session = openSession(storage, space + SESSION, (text) => this.#link.keep(SESSION, text));
    this.#campaign = openCampaign(storage, space, settings.filter);
    this.#link.look();
    this.ready = this.#link.ready;
    this.#settings = settings;
    // Before anything is decided.
    const granted = grantedBits(settings.consent);
    if (granted !== ALL_GRANTED) this.#link.call('consent', granted);
    const campaign = this.#campaign.own;
    this.setContext({
      ...defaultContext(),
      campaign,
      ...settings.context,
      ...this.#privacy(settings.consent),
    });
    this.#noteSession(this.#session.living(wallMs()));
    this.#listen(space, storage);
  }

  /** Records what the visitor did and returns its event id. Never throws; what is wrong reaches `onError`. */
  track(type: string, metadata?: JsonObject, options?: { priority?: Priority }): string {
    if (typeof type === 'string' && type.startsWith('attune.'))
      return this.#refuse('event_type_reserved', type);
    if (!isObject(options ?? {})) return this.#refuse('priority_unknown', type);
    this.#checkOptions('track', 'priority', options);
    return this.#capture(type, metadata, options?.priority);
  }

  /** Records a page view, with the page's path and title beside the given metadata. */
  page(metadata?: JsonObject): string {
    const page = pageContext();
    this.setContext({ page });
    const { path, title } = page;
    return this.#capture('page_view', isObject(metadata ?? {}) ? { path, title, ...metadata } : metadata);
  }

  /** Says who the visitor is; another user than before begins as a new visitor. */
  identify(userId: string, traits: JsonObject = {}, options?: { proof?: string }): void {
    if (!this.#isNamed('identify', userId, traits)) return;
    this.#checkOptions('identify', 'proof', options);
    this.#link.call('identify', userId);
    this.#capture('attune.identify', { traits, proof: options?.proof });
  }

  /** Says which group, such as a company, the visitor belongs to. */
  group(id: string, traits: JsonObject = {}): void {
    if (this.#isNamed('group', id, traits)) this.#capture('attune.group', { group_id: id, traits });
  }

  /** Begins as a new visitor: at logout, or on a shared device. */
  reset(): void {
    this.#link.call('reset', this.#session.reset(this.#now().ms));
  }

  /** Merges fields into the page's context; `null` removes a field. */
  setContext(values: JsonObject): void {
    const text = this.#jsonText('setContext: values', values);
    if (text !== undefined) this.#link.call('setContext', text);
  }

  /** Takes in what the visitor has said of each purpose; one that is left out stays as it was. */
  consent(said: Consent): void {
    const merged = mergeConsent(this.#link.said(), said);
    if (typeof merged === 'string') {
      this.#refuse('consent_invalid', merged);
      return;
    }
    this.#consented(merged);
  }

  /**
   * Forgets the visitor: whatever is stored or waits to be sent on this device is deleted, in all tabs, and the collector
   * is asked to erase what it has.
   */
  forget(): void {
    this.#link.erase();
    this.#forget();
  }

  /** What fills a slot now. */
  decision(slot: string): Decision | undefined {
    return this.#decisions.get(slot);
  }

  /** Calls back whenever what fills a slot changes, and at once if something fills it. Returns what ends that. */
  onDecision(slot: string, callback: (decision: Decision | undefined) => void): () => void {
    if (!this.#isCallback('onDecision', callback)) return () => {};
    let listeners = this.#listeners.get(slot);
    if (!listeners) {
      listeners = openListeners(this.#reports.reportFailedListener);
      this.#listeners.set(slot, listeners);
    }
    const remove = listeners.add(callback);
    const current = this.#decisions.get(slot);
    if (current) listeners.emitTo(callback, current);
    return remove;
  }

  /**
   * The value that the decisions in effect give a name; the fallback where none does or its type is another.
   * Where several slots give it one, the first slot by name counts.
   */
  variable(name: string, fallback: string): string;
  variable(name: string, fallback: number): number;
  variable(name: string, fallback: boolean): boolean;
  variable<Value extends Json>(name: string, fallback: Value): Value;
  variable(name: string, fallback: Json): Json {
    return variableIn(this.isShutDown ? [] : this.#decisions.values(), name, fallback);
  }

  /** The live value of a signal, under a key where it is counted by key. */
  signal(name: string, key?: string): number | string | undefined {
    const value = this.#link.ask((driver) => driver.signal(name, key));
    return typeof value === 'number' || typeof value === 'string' ? value : undefined;
  }

  /** Calls back with every error; the first listener also hears of those before it. Returns what ends that. */
  onError(callback: (error: AttuneError) => void): () => void {
    if (!this.#isCallback('onError', callback)) return () => {};
    return this.#reports.add(callback);
  }

  /** Writes what waits to be stored and sends what waits to be sent, now. */
  flush(): void {
    this.#session.flush();
    this.#link.ask((driver) => driver.flush());
  }

  /** Ends Attune on this page: sends the rest and takes every change of the page back. */
  async shutdown(): Promise<void> {
    this.flush();
    this.#ended.abort();
    this.#link.end();
  }

  /** Whether `shutdown` has been called. */
  get isShutDown(): boolean {
    return !!this.#link?.isEnded();
  }

  /** Makes a call under the id and time of an earlier moment; for the queueing snippet. */
  at(moment: Moment, call: () => unknown): unknown {
    this.#moment = moment;
    try {
      return call();
    } finally {
      this.#moment = undefined;
    }
  }

  #capture(type: string, metadata?: JsonObject, priority: Priority = 'normal', derived?: string): string {
    const level = PRIORITIES.indexOf(priority);
    if (typeof type !== 'string' || type === '') return this.#refuse('event_type_missing');
    if (level < 0) return this.#refuse('priority_unknown', type, String(priority), PRIORITIES.join(', '));
    const { id: fresh, ms } = this.#now();
    const id = derived ?? fresh;
    // Callers without types say null where they have nothing to say.
    const text = metadata == null ? undefined : this.#metadataText(type, metadata);
    if (metadata != null && text === undefined) return id;
    const isTaking = this.#link.isTaking();
    const whole = { id, type, ms, session: '', metadata: text, priority: level };
    // What may not be taken yet has no part in a session yet, and the site's own filter is asked when it is.
    const capture = isTaking ? this.#judge(whole) : whole;
    if (!capture) return id;
    if (isTaking) capture.session = this.#sessionAt(ms);
    this.#link.call('track', capture);
    this[devtoolsPort].captured?.(capture);
    return id;
  }

  /** The session of an event, and with it its campaign. */
  #sessionAt(ms: number): string {
    const session = this.#session.at(ms);
    this.#noteSession(session);
    return session;
  }

  #noteSession(session: string | undefined): void {
    const campaign = this.#campaign.note(session);
    if (campaign !== undefined) this.setContext({ campaign });
  }

  #consented(said: Said, heardAtMs?: number): void {
    this.setContext(this.#privacy(said));
    this.#link.consent(said, heardAtMs);
  }

  /** Goes on as the visitor that another page has begun. */
  #become(member: string): void {
    const session = () => {
      this.#session.reload();
      return this.#session.at(wallMs());
    };
    // Without a driver nobody has been here yet.
    if (!this.#link.ask((driver) => [driver.follow(member, session)])) this.#session.reload();
  }

  #forget(isHeard?: boolean): void {
    this.#link.forget(this.#session.reset(wallMs(), true), isHeard);
  }

  /** What batches and rules are told of the visitor's wishes, where there are any. */
  #privacy(said: Said): JsonObject {
    const gpc = this.#settings.privacyControl;
    const isOpen = grantedBits(said) === ALL_GRANTED && !gpc;
    return { privacy: isOpen ? null : { ...said, gpc } };
  }

  /** What the site's own filter leaves of an event; nothing where it drops it. */
  #judge(capture: Capture): Capture | undefined {
    const filter = this.#settings.beforeSend;
    if (!filter) return capture;
    const { type, metadata = '{}' } = capture;
    // It would be asked about what it tracks, without an end.
    if (this.#isJudging) {
      this.#refuse('before_send_failed', type, 'it tracks an event');
      return undefined;
    }
    this.#isJudging = true;
    try {
      const sent = filter({ event_type: type, metadata: JSON.parse(metadata) });
      if (!sent) return undefined;
      if (!isObject(sent.metadata)) throw new TypeError('it returned no metadata');
      const text = this.#metadataText(type, sent.metadata);
      return text === undefined ? text : { ...capture, metadata: text };
    } catch (cause) {
      this.#refuse('before_send_failed', type, String(cause));
      return undefined;
    } finally {
      this.#isJudging = false;
    }
  }

  #metadataText(type: string, metadata: JsonObject): string | undefined {
    return this.#jsonText(`track: metadata of "${type}"`, metadata);
  }

  #refuse(...saying: Saying): string {
    this.#tell(saying, 'usage');
    return this.#now().id;
  }

  /** Reports an error, in words as soon as those are there. It is made here, so that its stack names the call. */
  async #tell(saying: Saying, kind?: AttuneErrorKind): Promise<void> {
    const [code, ...details] = saying;
    const error = new AttuneError(code, details.join(': '), kind);
    try {
      // Where nothing may be requested yet, what it is about has to do.
      if (this.#link.mayRequest()) Object.assign(error, (await this.#settings.loadWords()).wordsFor(saying));
    } catch {
      // They cannot be had.
    }
    this.#reports.report(error);
  }

  /** Whether an id and traits are what they have to be. */
  #isNamed(call: 'identify' | 'group', id: unknown, traits: unknown): boolean {
    const isId = typeof id === 'string' && id !== '' && id.length <= MAX_ID_CHARS;
    if (!isId) this.#refuse('id_invalid', call);
    else if (!isObject(traits ?? {})) this.#refuse('json_invalid', `${call}: traits`);
    else return true;
    return false;
  }

  /** Tells of options that a call does not have. */
  #checkOptions(call: string, known: string, options: unknown): void {
    const unknown = Object.keys(Object(options)).filter((name) => name !== known);
    if (unknown[0]) this.#refuse('option_unknown', call, known, ...unknown);
  }

  #isCallback(name: string, value: unknown): boolean {
    if (typeof value === 'function') return true;
    this.#refuse('callback_invalid', name);
    return false;
  }

  #jsonText(name: string, value: unknown): string | undefined {
    try {
      // A value may bring a JSON form of its own.
      const text = isObject(value) ? jsonText(value) : '';
      if (text.startsWith('{')) return text;
      this.#refuse('json_invalid', name);
    } catch (cause) {
      this.#refuse('json_invalid', name, String(cause));
    }
    return undefined;
  }

  #now(): Moment {
    if (this.#moment) return this.#moment;
    const ms = wallMs();
    return { id: uuidV7(ms), ms };
  }

  #decided(slot: string, decision: Decision | undefined): void {
    if (decision) this.#decisions.set(slot, decision);
    else this.#decisions.delete(slot);
    this.#listeners.get(slot)?.emit(decision);
  }

  #listen(space: string, storage: KeyValue): void {
    const { signal } = this.#ended;
    const session = this.#session;
    watchDevice(() => this.setContext({ device: deviceContext() }), signal);
    const save = () => {
      session.flush();
      this.#link.save(wallMs());
    };
    const follow = ({ key, newValue }: StorageEvent) => {
      if (key === space + SESSION) session.follow(newValue, wallMs());
      // Of pages that say different things all take the last one's word.
      const member = key === space + MEMBER && storage.getItem(key);
      if (member) this.#become(member);
    };
    addEventListener('pagehide', save, { signal });
    const turn = () => (document.hidden ? session.flush() : this.#link.look());
    addEventListener('visibilitychange', turn, { signal });
    addEventListener('storage', follow, { signal });
  }
}
