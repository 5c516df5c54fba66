/** Attributes that were meant to be those by which a visitor is asked first: a slip of the pen must not open what they close. */

/** What such an attribute was meant to be. */
export type Careful = 'consent' | 'strict';

const CAREFUL: Careful[] = ['consent', 'strict'];

/** Which of these a name begins with, or is but for one sign or two neighbours. */
export function meantBy(name: string): Careful | undefined {
  return CAREFUL.find((meant) =>
    [...meant].some((_, at) => {
      const nearly = `${meant.slice(0, at)}.{1,3}${meant.slice(at + 2)}`;
      return RegExp(`^(${meant}.*|${nearly})$`, 'i').test(name);
    }),
  );
}

/** Takes such an attribute for what was meant, with nothing granted, unless that is there as well. */
export function closeSlips({ dataset }: HTMLElement): void {
  for (const name of Object.keys(dataset)) {
    const meant = meantBy(name);
    if (meant) dataset[meant] ??= '';
  }
}
