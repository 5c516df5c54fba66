/** What may leave the page, as a site says it in the options of `init`; docs/filter.md has the meaning of each field. */

/** What is taken out of texts. */
export type RedactedKind = 'email' | 'card' | 'iban' | 'phone' | 'ip';

/** What a property has to be. */
export interface PropertyPolicy {
  /** @defaultValue `any` */
  type?: 'any' | 'text' | 'number' | 'boolean' | 'list' | 'object';
  /** @defaultValue `false` */
  required?: boolean;
  /**
   * Most bytes of a text in UTF-8, or of a list or an object in packed form.
   * @defaultValue any number
   */
  max_bytes?: number;
}

/** What holds for the event types that a pattern covers: the exact entry counts, else the one with the longest pattern. */
export interface TypePolicy {
  /** An event type, or the beginning of some with a `*` at the end. */
  on: string;
  /**
   * Share of visitors whose events are kept, from 0 to 1 in steps of 1/10,000.
   * @defaultValue `1`
   */
  sample?: number;
  /**
   * Most events a minute.
   * @defaultValue any number
   */
  per_minute?: number;
  /**
   * What is taken out of texts, in place of the policy's.
   * @defaultValue the policy's
   */
  redact?: 'all' | RedactedKind[];
  /** Properties of the metadata by name. */
  properties?: { [name: string]: PropertyPolicy };
  /**
   * What becomes of properties that are not listed.
   * @defaultValue `keep`
   */
  others?: 'keep' | 'remove';
}

/** Which events may leave the page, and with what. */
export interface FilterPolicy {
  /**
   * The only event types that are kept, exact or with a `*` at the end.
   * @defaultValue all
   */
  allow?: string[];
  /**
   * Event types that are not kept, even if they are allowed.
   * @defaultValue none
   */
  deny?: string[];
  /**
   * What becomes of events of programs such as crawlers.
   * @defaultValue `keep`
   */
  bots?: 'keep' | 'drop';
  /**
   * Seed of the sampling: the same one lets the same visitors in.
   * @defaultValue empty
   */
  seed?: string;
  /**
   * Most events a minute of all types together.
   * @defaultValue any number
   */
  per_minute?: number;
  /**
   * What is taken out of texts.
   * @defaultValue nothing
   */
  redact?: 'all' | RedactedKind[];
  /**
   * Which parameters addresses lose: known sensitive ones and those of `remove`, with `defaults: 'keep'` the latter alone,
   * or all but those of `keep`.
   * @defaultValue none
   */
  url_params?: { remove?: string[]; defaults?: 'remove' | 'keep' } | { keep: string[] };
  /** What holds for single event types. */
  types?: TypePolicy[];
}
