/** Why there is no answer to a question for rules. */

/** Why, and whether that is the site's own mistake. */
export interface Unreachable {
  code: string;
  message: string;
  isUsage: boolean;
}

/** What is reported of an answer that is none. */
export function unreachable(address: string, status = 0): Unreachable {
  const why = status ? `status ${status}` : 'no answer';
  return {
    code: 'bundle_unreachable',
    message: `the bundle cannot be fetched (${address}: ${why}); what is in effect stays`,
    isUsage: [401, 403, 404].includes(status),
  };
}
