/** Moves between the pages of the shop without loading it again. */

export interface Route<Page> {
  readonly pattern: RegExp;
  readonly page: (found: string) => Page;
}

/** Calls back with the page of the address, now and whenever it changes. */
export function startRouter<Page>(
  routes: readonly Route<Page>[],
  show: (page: Page, first: boolean) => void,
): void {
  const open = (first = false) => {
    for (const { pattern, page } of routes) {
      const found = pattern.exec(location.pathname);
      if (found) return show(page(found[1] ?? ''), first);
    }
    return undefined;
  };
  addEventListener('popstate', () => open());
  addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link || link.target || link.origin !== location.origin || event.button !== 0) return;
    if (link.hash || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(link.pathname, open);
  });
  open(true);
}

function go(path: string, open: () => void): void {
  if (path !== location.pathname) history.pushState(null, '', path);
  open();
}
