/** Prerendered pages, which nobody may ever look at. */

type Prerendered = Document & { prerendering?: boolean };

/** Whether the page is prerendered and has not been activated yet. */
export function isPrerendering(): boolean {
  return (document as Prerendered).prerendering === true;
}

/** Settles when somebody looks at the page: at once where it is no prerendered one. */
export function activated(): Promise<void> {
  return new Promise((done) => {
    if (!isPrerendering()) return done();
    document.addEventListener('prerenderingchange', () => done(), { once: true });
  });
}
