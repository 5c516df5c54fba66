/** The inline snippet: keeps calls until the script it loads takes them over. */

import { openQueue } from './queue.ts';

declare const ATTUNE_SCRIPT_URL: string;
declare const ATTUNE_WRITE_KEY: string;

const page = window as unknown as { attune?: Record<string, unknown> };

// An element with that id is there under its name as well.
if (!page.attune?.init) {
  page.attune = openQueue();
  const script = document.createElement('script');
  script.async = true;
  script.src = ATTUNE_SCRIPT_URL;
  script.dataset.writeKey = ATTUNE_WRITE_KEY;
  document.head.append(script);
}
