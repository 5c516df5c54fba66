/** Calls of the driver as data, and which of them outlive a page that could not make them. */

import type { Driver } from './driver/contract.ts';
import { fieldsOf } from './json.ts';

type Method = 'track' | 'identify' | 'reset' | 'setContext' | 'consent';

/** A call of the driver as data. */
export type Call = { [Name in Method]: [Name, ...Parameters<Driver[Name]>] }[Method];

/** Calls about what the visitor has done, and who it is. What every page load makes anew is not among them. */
const METHODS: unknown[] = ['track', 'identify', 'reset'] satisfies Method[];

/** Whether a call is about what the visitor has done, or who it is. */
export function isCapturing([method]: Call): boolean {
  return METHODS.includes(method);
}

/** Whether a value is a call that is stored. */
export function isStoredCall(value: unknown): value is Call {
  return Array.isArray(value) && METHODS.includes(fieldsOf(value)[0]);
}
