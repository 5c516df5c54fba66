/** What follows decisions. */
'use client';

import { useTrack, useVariable } from 'attune/react';

export function Shop() {
  const title = useVariable('title', 'Welcome');
  const freeFrom = useVariable('free_shipping_from', 50);
  const track = useTrack();
  return (
    <main>
      <h1 id="headline">{title}</h1>
      <p id="shipping">{`Free shipping from ${freeFrom}`}</p>
      <button id="view" type="button" onClick={() => track('product_view', { category: 'lamps' })}>
        View a lamp
      </button>
    </main>
  );
}
