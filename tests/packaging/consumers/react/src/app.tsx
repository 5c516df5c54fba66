/** What server and browser render alike. */

import { useAttune, useDecision, useSignal, useTrack, useVariable } from 'attune/react';

export function App() {
  const title = useVariable('title', 'Welcome');
  const decision = useDecision('headline');
  const views = useSignal('category_views', 'lamps');
  const track = useTrack();
  const attune = useAttune();
  return (
    <main>
      <h1 id="headline">{title}</h1>
      <p id="rule">{decision?.rule ?? 'none'}</p>
      <p id="views">{views ?? 0}</p>
      <button id="view" type="button" onClick={() => track('product_view', { category: 'lamps' })}>
        View a lamp
      </button>
      <button id="log-in" type="button" disabled={!attune} onClick={() => attune?.identify('user-1')}>
        Log in
      </button>
    </main>
  );
}
