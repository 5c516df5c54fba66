/**
 * Which page is shown: says when another one is without a page load. One whose address is replaced by another with the
 * same path, as where campaign parameters are taken away, is the same page.
 */

import type { Site } from './site.ts';

/** The pages that a visitor sees one after the other in one document. */
export interface Pages {
  /** What tells the page's address from others. */
  address(): string;
  /** Calls back for every further page, and for one that goes on at another address. */
  onNext(callback: () => void, moved?: () => void): void;
}

/** Listens once somebody asks. With `isByHash` the fragment is part of the address. */
export function openPages(site: Site, isByHash: boolean): Pages {
  const callbacks: Parameters<Pages['onNext']>[] = [];
  const path = () => location.pathname + (isByHash ? location.hash : '');
  const address = () => path() + location.search;
  let shown = address();
  let shownPath = path();
  /** Whether there has been another entry of the history since. */
  let isEntered = false;
  const tell = site.guard((isSame?: unknown) => {
    shown = address();
    shownPath = path();
    for (const [next, moved] of callbacks) isSame ? moved?.() : next();
  });
  // Routers set the title behind the address; a task later most of them have.
  const look = () =>
    setTimeout(() => {
      const isSame = !isEntered && path() === shownPath;
      isEntered = false;
      if (address() !== shown) tell(isSame);
    });
  const enter = () => {
    isEntered = true;
  };
  return {
    address,
    onNext(...callback) {
      if (callbacks.push(callback) > 1) return;
      watchAddress(site, enter, look);
      site.on<PageTransitionEvent>(window, 'pageshow', ({ persisted }) => persisted && setTimeout(tell));
    },
  };
}

/** Calls back after anything that may have changed the address; before that where there is another entry of the history. */
function watchAddress(site: Site, enter: () => void, look: () => void): void {
  const { navigation } = window as { navigation?: Navigation };
  if (!navigation) {
    const enterAndLook = () => {
      enter();
      look();
    };
    site.on(window, 'popstate', enterAndLook);
    patch(site, 'pushState', enterAndLook);
    patch(site, 'replaceState', look);
    return;
  }
  site.on<NavigationCurrentEntryChangeEvent>(navigation, 'currententrychange', ({ navigationType }) => {
    if (navigationType && navigationType !== 'replace') enter();
    // A navigation that the page handles itself has its page, and title, only when it is over.
    if (!navigation.transition) look();
  });
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
