/** What a page loads beside the rest where it has a filter policy: the core's filter, which judges events before they count. */

import type { Json } from './context.ts';
import type { CoreExports } from './core/core.ts';
import { readerOf } from './core/reader.ts';
import { write } from './core/writer.ts';
import { loadCore } from './core-loading.ts';
import { AttuneError, usageError } from './errors.ts';
import { encodePolicy } from './filter/encode.ts';
import { type Filter, type Judges, judgesOf } from './filter/judges.ts';
import type { FilterPolicy } from './filter-policy.ts';

/** Operations, as `docs/filter.md` numbers them. */
const POLICY = 0;
const JUDGE = 1;
const STRIP = 2;
/** What is read before an answer: how often each kind was redacted. */
const COUNTS = 'nnnnn';

/** What stands in a bundle for a policy that could not be read. */
const KEEPS_NOTHING = { deny: ['*', 'attune.*'] };
const BROKEN: Filter['flaw'] = [
  'filter_keeps_nothing',
  "the bundle's filter keeps no event: its policy is broken and never had a sound text, which the collector's log explains",
];

/** Loads what judges by a policy, behind others where there are some. Fails with `filter_invalid` or `wasm_unavailable`. */
export async function openJudges(policy: FilterPolicy | Uint8Array, before?: Judges): Promise<Judges> {
  return judgesOf(await openFilter(policy), before);
}

/** Loads the filter; a bundle has its policy as bytes. */
async function openFilter(policy: FilterPolicy | Uint8Array): Promise<Filter> {
  let bytes: Uint8Array;
  try {
    bytes = policy instanceof Uint8Array ? policy : encodePolicy(policy);
  } catch (cause) {
    throw usageError('filter_invalid', `init: option ${(cause as Error).message}`);
  }
  const { memory, input, call, output }: CoreExports = await loadCore(
    new URL(ATTUNE_FILTER_WASM, import.meta.url).href,
  );
  // Its buffer is another one after memory has grown.
  const view = (at: number, length: number) => new Uint8Array(memory.buffer, at, length);
  const ask = (operation: number, form: string, ...fields: unknown[]) => {
    const asked = write(form, fields);
    view(input(asked.length), asked.length).set(asked);
    const length = call(operation, asked.length);
    const read = readerOf(view(output(), length));
    return { isRefused: read('b')?.[0] === 0, read: (form: string) => read(form) ?? [] };
  };
  const { isRefused } = ask(POLICY, 'tr', navigator.userAgent, bytes);
  // What has been checked is refused only where this file and the module are of different versions.
  if (isRefused) throw new AttuneError('filter_invalid', 'the filter does not know this form of a policy');
  return {
    flaw:
      policy instanceof Uint8Array && String(bytes) === String(encodePolicy(KEEPS_NOTHING))
        ? BROKEN
        : undefined,
    judge(type, member, metadata) {
      const answer = ask(JUDGE, 'fttv', performance.now(), member, type, metadata);
      if (answer.isRefused) {
        const [code, message] = answer.read('tt') as [string, string];
        return { code, message };
      }
      return { metadata: answer.read(`${COUNTS}v`).at(-1) as Json };
    },
    strip(value) {
      const answer = ask(STRIP, 'v', value);
      // A value that cannot be read is no value that may leave.
      return answer.isRefused ? null : (answer.read(`${COUNTS}v`).at(-1) as Json);
    },
  };
}
