/** When a page says that its slots are decided. */

/** The rules are known as far as they can be had. */
export const KNOWN = 1;
/** The collector has been asked for them. */
export const ASKED = 2;
/** What judges events is not to be waited for. */
export const LAST = 4;
/** Something capped waits for this page's turn to show it. */
export const TURN = 8;

/**
 * Gives what hears such news and says that slots are decided, once it is known what is stored, and what the rules are; where
 * events wait to be judged, not before those have been; and where something capped waits for its turn, not before that
 * is over. What is shown there is an event, which other pages are to find.
 */
export function openSettling(
  /** Whether what is stored is still being taken in, or the core holds decisions back. */
  isEarly: () => boolean,
  /** Whether events wait to be judged. */
  isWaiting: () => boolean,
  takeTurn: (begun: () => void, ended: () => void) => void,
  ready: () => void,
  decided: () => void,
): (news?: number) => void {
  let known = 0;
  let hasTurn = false;
  const settle = (news = 0) => {
    known |= news;
    if (hasTurn || !(known & KNOWN) || isEarly()) return;
    const isJudging = !(known & LAST) && isWaiting();
    if (known & TURN) {
      if (isJudging) return;
      hasTurn = true;
      const begun = () => {
        known &= ~TURN;
      };
      return takeTurn(begun, () => {
        hasTurn = false;
        settle();
      });
    }
    if (known & ASKED) ready();
    if (!isJudging) decided();
  };
  return settle;
}
