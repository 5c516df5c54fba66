/** A page of a driven browser. */

import { eventually } from '../../rig/eventually.mjs';

/** Runs in the page's own realm, so that the page cannot tell it from a script of its own. */
const CALL = 'return window.eval(arguments[0])(...window.JSON.parse(arguments[1]))';

/** One tab or window; what is done to it happens in the order of the calls. */
export class Page {
  #session;
  #handle;

  /** Use `Browser.open`. */
  constructor(session, handle) {
    this.#session = session;
    this.#handle = handle;
  }

  /** Runs a function in one task of the page; gives what it returns, or what its promise brings. */
  async run(act, ...values) {
    return await this.#perform('ExecuteScript', {
      script: CALL,
      args: [`(${act})`, JSON.stringify(values)],
    });
  }

  /** Asks until a function in the page gives the expected answer. */
  async until(expected, ask, ...values) {
    await eventually(
      () => this.run(ask, ...values),
      (answer) => answer === expected,
    );
  }

  /** Goes to an address. */
  async goto(url) {
    await this.#perform('Navigate', { url });
  }

  /** Loads the page again. */
  async reload() {
    await this.#perform('Refresh');
  }

  /** Goes back by one page. */
  async back() {
    await this.#perform('Back');
  }

  /** Closes the page, if it is still open. */
  async close() {
    if (!this.#handle) return;
    await this.#perform('CloseWindow');
    this.#handle = undefined;
  }

  async #perform(command, parameters = {}) {
    await this.#session.perform('SwitchToWindow', { handle: this.#handle, focus: true });
    return await this.#session.perform(command, parameters);
  }
}
