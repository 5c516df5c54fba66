/** A shop that Vite builds: the package, its filter, which is loaded where it is needed, and autocapture. */

import { type Attune, init } from 'attune';
import { autocapture } from 'attune/autocapture';

const collector = new URLSearchParams(location.search).get('collector') ?? '';
const attune: Attune = init({ writeKey: 'e2e', collector, filter: { deny: ['debug.*'] } });
attune.onError(({ code, message }) => console.error(code, message));
autocapture(attune, { webVitals: true });

attune.track('debug.start');
for (let view = 0; view < 3; view += 1) attune.track('product_view', { category: 'lamps' });
