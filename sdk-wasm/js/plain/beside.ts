/** A core that decides and will not be whole, with what delivers in its place. */

import type { Driver, Start } from '../driver/contract.ts';

/** A core that only decides, what it has started with, and what hears of the driver that takes its place. */
export type Beside = [deciding: Driver, start: Start, become: (driver: Driver) => void];

/**
 * Both as one driver: the core hears of the context, of what is agreed to and of who the visitor is, and goes on deciding;
 * everything else is for what delivers. It takes calls about the visitor once it `isOpen`.
 */
export function asOne(deciding: Driver, plain: Driver, session: string, isOpen: () => boolean): Driver {
  let last = session;
  /** What holds for somebody else is not to be decided for whoever is here now. */
  const follow = () => {
    const member = plain.inspect()?.member;
    if (member) deciding.follow(member, () => last);
  };
  return {
    ...plain,
    isShort: () => !isOpen(),
    track(capture) {
      last = capture.session;
      plain.track(capture);
    },
    identify(user) {
      plain.identify(user);
      follow();
    },
    reset(session) {
      last = session;
      plain.reset(session);
      follow();
    },
    setContext: deciding.setContext,
    consent: deciding.consent,
    forget(session) {
      last = session;
      deciding.forget(session);
      // Behind the core, which stores a member of its own.
      plain.forget(session);
      follow();
      return undefined;
    },
    follow(other, session) {
      deciding.follow(other, () => {
        last = session();
        return last;
      });
      plain.follow(other, session);
    },
    signal: deciding.signal,
    shutdown() {
      plain.shutdown();
      deciding.shutdown();
    },
  };
}
