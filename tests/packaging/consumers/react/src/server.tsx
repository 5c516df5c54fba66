/** Prints the page with what the server has decided, which is said on the command line. */

import { AttuneProvider, type GivenDecision } from 'attune/react';
import { StrictMode } from 'react';
import { renderToString } from 'react-dom/server';
import { App } from './app';
import { start } from './start';

declare const process: { argv: string[] };

const decisions: GivenDecision[] = JSON.parse(process.argv[2] ?? '[]');
const markup = renderToString(
  <StrictMode>
    <AttuneProvider start={start} decisions={decisions}>
      <App />
    </AttuneProvider>
  </StrictMode>,
);
console.log(`<!doctype html>
<html lang="en">
<title>Shop</title>
<div id="root">${markup}</div>
<script type="application/json" id="decisions">${JSON.stringify(decisions).replaceAll('<', '\\u003c')}</script>
<script type="module" src="/dist/client.js"></script>
</html>`);
