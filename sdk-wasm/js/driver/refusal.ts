/** Why an event was not taken, for people. */

/** Says which field is wrong and what its limit is. */
export function refusalText(code: string, actual: number, limit: number): string {
  const field = code.replace(/_(missing|invalid|too_long|too_large|not_an_object)$/, '');
  if (code.endsWith('object')) return `${field} is not a JSON object`;
  if (actual === 0) return `${field} is empty`;
  const unit = code.endsWith('large') ? 'bytes' : 'characters';
  return `${field} is ${grouped(actual)} ${unit}; the limit is ${grouped(limit)}`;
}

function grouped(count: number): string {
  return count.toLocaleString('en');
}
