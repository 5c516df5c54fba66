/** What a page loads beside the rest where Web Vitals are tracked; nothing imports it but for that. */

import { onCLS, onFCP, onINP, onLCP, onTTFB } from 'web-vitals';

/** A metric that is known. */
export interface Vital {
  name: string;
  /** Milliseconds; of CLS a score. */
  value: number;
  rating: string;
  /** The same for further values of the same metric. */
  id: string;
}

/** Calls back whenever one of the metrics is known. */
export function observe(known: (vital: Vital) => void): void {
  for (const on of [onCLS, onFCP, onINP, onLCP, onTTFB]) on(known);
}
