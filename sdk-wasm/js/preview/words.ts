/** Why a rule holds or not, in a line for people. */

import type { Explanation } from '../evaluator/visitor.ts';

/** The line of an explanation, with the variations that the rule reads. */
export function words(explanation: Explanation): string {
  const variations = (explanation.experiments ?? []).map(
    ({ experiment, variation, origin }) => `${experiment} is ${variation ?? 'none'}, ${origin}`,
  );
  return [reasonOf(explanation), ...variations].join('; ');
}

function reasonOf({ reason, winner, unmet = [], purpose, why, since }: Explanation): string {
  if (reason === 'level') return 'holds';
  if (reason === 'latched') return `holds since ${since}`;
  if (reason === 'not_matched') {
    const parts = unmet.map(({ path, signal, key, found, ...rest }) => {
      const what = path ?? (signal && `signals.${signal}${key ? `.${key}` : ''}`) ?? JSON.stringify(rest);
      return found === undefined ? `${what}` : `${what} is ${JSON.stringify(found)}`;
    });
    return `does not match: ${parts.join('; ')}`;
  }
  const more = winner ?? purpose ?? why;
  return reason.replaceAll('_', ' ') + (more ? `: ${more}` : '');
}
