/** The provider is a component of the browser, since the function that starts Attune cannot come from the server. */
'use client';

import { init } from 'attune';
import { AttuneProvider } from 'attune/react';

export function Attune({ collector, decisions, children }) {
  const start = () => {
    const attune = init({ writeKey: 'e2e', collector, filter: { deny: ['debug.*'] } });
    attune.onError(({ code, message }) => console.error(code, message));
    attune.page();
    document.documentElement.dataset.attune = 'started';
    return attune;
  };
  return (
    <AttuneProvider start={start} decisions={decisions}>
      {children}
    </AttuneProvider>
  );
}
