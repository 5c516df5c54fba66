/** Why there is no answer to a question for rules. */

/** Why, and whether that is the site's own mistake. */
export interface Unreachable {
  code: string;
  message: string;
  isUsage: boolean;
}

/** What is reported of an answer that is none. */
export function unreachable(status: number | undefined): Unreachable {
  const why = status ? `status ${status}` : 'no answer';
  return {
    code: 'bundle_unreachable',
    message: `the bundle cannot be fetched (${why}); what is in effect stays`,
    isUsage: status === 401 || status === 403,
  };
}
