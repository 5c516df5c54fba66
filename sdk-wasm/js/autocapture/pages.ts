/** Which page is shown: says when path or query have become others without a page load. */

import type { Site } from './site.ts';

/** The pages that a visitor sees one after the other in one document. */
export interface Pages {
  /** The address that makes a page another one. */
  address(): string;
  /** Calls back for every further page. */
  onNext(callback: () => void): void;
}

/** Listens once somebody asks. With `isByHash` the fragment is part of the address. */
export function openPages(site: Site, isByHash: boolean): Pages {
  const callbacks: (() => void)[] = [];
  const address = () => location.pathname + location.search + (isByHash ? location.hash : '');
  const tell = site.guard(() => {
    shown = address();
    for (const callback of callbacks) callback();
  });
  let shown = address();
  // Routers set the title behind the address; a task later most of them have.
  const look = () => setTimeout(() => address() !== shown && tell());
  return {
    address,
    onNext(callback) {
      if (callbacks.push(callback) > 1) return;
      watchAddress(site, look);
      site.on<PageTransitionEvent>(window, 'pageshow', ({ persisted }) => persisted && setTimeout(tell));
    },
  };
}

/** Calls back after anything that may have changed the address. */
function watchAddress(site: Site, look: () => void): void {
  const { navigation } = window as { navigation?: Navigation };
  if (!navigation) {
    site.on(window, 'popstate', look);
    patch(site, 'pushState', look);
    patch(site, 'replaceState', look);
    return;
  }
  // A navigation that the page handles itself has its page, and title, only when it is over.
  site.on(navigation, 'currententrychange', () => navigation.transition || look());
  site.on(navigation, 'navigatesuccess', look);
  site.on(navigation, 'navigateerror', look);
}

/** Browsers without the Navigation API tell of no change that the page makes itself. */
function patch(site: Site, name: 'pushState' | 'replaceState', look: () => void): void {
  const original = history[name];
  const patched: typeof original = (...values) => {
    original.apply(history, values);
    look();
  };
  history[name] = patched;
  site.signal.addEventListener('abort', () => {
    // Whoever has patched it since goes on calling this one, which then does nothing but pass on.
    if (history[name] === patched) history[name] = original;
  });
}
