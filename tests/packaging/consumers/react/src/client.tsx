/** Takes the server's page over; tests mount and unmount by what is at `window.shop`. */

import { AttuneProvider, type GivenDecision } from 'attune/react';
import { StrictMode, version } from 'react';
import { createRoot, hydrateRoot, type Root } from 'react-dom/client';
import { App } from './app';
import { start } from './start';

const container = document.getElementById('root') as HTMLElement;
const given: GivenDecision[] = JSON.parse(document.getElementById('decisions')?.textContent ?? '[]');
// What a page looks like that goes wrong: the browser does not know what the server has rendered by.
const decisions = location.search.includes('forgotten') ? [] : given;
const app = (
  <StrictMode>
    <AttuneProvider start={start} decisions={decisions}>
      <App />
    </AttuneProvider>
  </StrictMode>
);
const onRecoverableError = (error: unknown) => console.error('hydration:', error);
let root: Root = hydrateRoot(container, app, { onRecoverableError });

Object.assign(window, {
  shop: {
    version,
    unmount: () => root.unmount(),
    mount() {
      root = createRoot(container);
      root.render(app);
    },
  },
});
