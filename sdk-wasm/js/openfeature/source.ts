/** What a provider of flags is over: decisions, who changes them, and who the visitor is. */

import type { Json, JsonObject } from '../context.ts';

/** What gives flags their values: the decision of one slot. */
export interface Giving {
  readonly slot: string;
  readonly rule: string;
  readonly reason: 'level' | 'latched';
  readonly variables: JsonObject;
}

/** The visitor in the words of OpenFeature's context, as JSON. */
export interface Subject {
  readonly id: string | undefined;
  /** The other attributes, and `id` where there is one. */
  readonly traits: Readonly<Record<string, Json>>;
}

/** Decisions of one visitor. */
export interface Source {
  /** Whether it has ended for good. */
  isEnded(): boolean;
  /** Settles when decisions are live; what it fails with is final. */
  readonly ready: Promise<void>;
  /** Decisions in effect, in order of slot. */
  decisions(): Giving[];
  /** Variables that may be given, as far as that is known. */
  variables(): string[];
  /** Calls back whenever a decision may have changed. Returns what ends that. */
  onChange(callback: () => void): () => void;
  /** Says who the visitor is now, and was said to be before. */
  become(now: Subject, before: Subject): void;
  /** Records what the visitor did, where there is anybody to record it. */
  track?(type: string, metadata: JsonObject): void;
}

/** Traits that differ between two subjects, with null for those that are gone. */
export function changedTraits(now: Subject, before: Subject): [name: string, value: Json][] {
  const names = new Set([...Object.keys(before.traits), ...Object.keys(now.traits)]);
  return [...names]
    .map((name): [string, Json] => [name, now.traits[name] ?? null])
    .filter(([name, value]) => !isSame(value, before.traits[name] ?? null));
}

/** Whether two values of JSON are equal, whatever the order of their fields; nothing equals nothing only. */
export function isSame(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [a, b] as [JsonObject, JsonObject];
  const names = Object.keys(left);
  if (names.length !== Object.keys(right).length) return false;
  return names.every((name) => Object.hasOwn(right, name) && isSame(left[name], right[name]));
}
