/** A browser that is driven by the commands of W3C WebDriver, whatever carries them. */

import { Page } from './page.mjs';

/** One session; its first window stays empty and keeps it alive. */
export class Browser {
  #session;
  #kind;
  #first;
  #pages = [];

  /** Drives a session: what performs a command, and what ends it all. `kind` is what a page opens in. */
  constructor(session, kind = 'tab') {
    this.#session = session;
    this.#kind = kind;
  }

  /** Opens an address in a page of its own, in front of all others. */
  async open(url) {
    this.#first ??= await this.#session.perform('GetWindowHandle');
    // Nothing can be done from a window that has been closed.
    await this.#session.perform('SwitchToWindow', { handle: this.#first });
    const { handle } = await this.#session.perform('NewWindow', { type: this.#kind, focus: true });
    const page = new Page(this.#session, handle);
    this.#pages.push(page);
    await page.goto(url);
    return page;
  }

  /** Closes every page that is still open. */
  async closePages() {
    // One that a failed case has left in a strange state must not stand in the way of the next case.
    for (const page of this.#pages.splice(0)) await page.close().catch(() => {});
  }

  /** Ends the browser and removes what it has stored. */
  async close() {
    await this.#session.end();
  }
}
