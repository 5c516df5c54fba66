/** A shop: the package, and its filter, which is loaded where it is needed. */

import { init } from 'attune';

const collector = new URLSearchParams(location.search).get('collector');
const attune = init({ writeKey: 'e2e', collector, filter: { deny: ['debug.*'] } });
attune.onError(({ code, message }) => console.error(code, message));

attune.track('debug.start');
for (let view = 0; view < 3; view += 1) attune.track('product_view', { category: 'lamps' });
