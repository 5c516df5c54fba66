/** Actions in the form of rule files, as the evaluator gives them, in the form that the page takes. */

import type { Json, JsonObject } from '../context.ts';
import type { Change } from '../dom/change.ts';

type Written = Readonly<Record<string, unknown>>;
type Texts = Record<string, string>;

/** The changes among them. */
export function changesOf(actions: readonly Written[]): Change[] {
  return actions.map(changeOf).filter((change) => change !== undefined);
}

/** The variables among them. */
export function variablesOf(actions: readonly Written[]): JsonObject {
  const variables = actions.filter(({ kind }) => kind === 'variable');
  return Object.fromEntries(variables.map(({ name, value }) => [name as string, value as Json]));
}

function changeOf(action: Written): Change | undefined {
  const { kind, target = '', value, name, property, template, position, url } = action as Texts;
  const list = (name: string) => (action[name] ?? []) as string[];
  const named = (action.values ?? {}) as Texts;
  const further = (texts: unknown[], filled: string[] = [], at = target): Change => [
    'further',
    at,
    [kind, ...texts] as string[],
    filled,
  ];
  switch (kind) {
    case 'text':
      return [kind, target, value as string];
    case 'attribute':
      return [kind, target, name as string, value as string];
    case 'class':
      return [kind, target, list('add'), list('remove')];
    case 'style':
      return [kind, target, property as string, value as string];
    case 'hide':
    case 'show':
      return [kind, target];
    case 'insert':
      return further([template, position, ...Object.keys(named)], Object.values(named));
    case 'html':
      return further([value, ...Object.keys(named)], Object.values(named));
    case 'reorder':
      return further(list('order'));
    case 'redirect':
      return further(list('allow'), [url as string], `preview:${url}`);
    case 'event':
      return further([name, JSON.stringify(action.detail ?? {})]);
    default:
      return undefined;
  }
}
