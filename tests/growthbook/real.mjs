/** The real package, asked in the way ours is. */

process.env.NODE_ENV = 'production';

const { GrowthBook } = await import('@growthbook/growthbook');
/** Functions that the package has and does not hand out by name. */
export const inner = await import('../../node_modules/@growthbook/growthbook/dist/esm/util.mjs');

console.error = () => {};

/** A service that keeps nothing: what it is told stands in the documents as well. */
const stickyBucketService = { saveAssignments: async () => {}, getAllAssignments: async () => ({}) };

/** An instance of the package for a payload and options in our form. */
export function real(payload, options) {
  const { stickyBucketAssignmentDocs, forcedFeatureValues, ...others } = structuredClone(options);
  const given = { ...structuredClone(payload), ...others };
  if (forcedFeatureValues) given.forcedFeatureValues = new Map(Object.entries(forcedFeatureValues));
  if (stickyBucketAssignmentDocs) Object.assign(given, { stickyBucketService, stickyBucketAssignmentDocs });
  return new GrowthBook(given);
}

/** A result as JSON carries it. */
export const plain = (result) => JSON.parse(JSON.stringify(result));
