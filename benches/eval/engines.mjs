/** The engines that are compared: what each is made of, and the form its rules have. */

import { attuneRules, growthbookFeatures, jsonLogic, jsonRulesEngine, zenExpressions } from './rules.mjs';

/** `npm` names the package whose version is measured; `module` its WebAssembly, from the root. */
export const ENGINES = [
  { name: 'attune', rules: 'bundle', isBinary: true, module: 'sdk-wasm/dist/core.wasm' },
  { name: 'growthbook', rules: 'features.json', npm: '@growthbook/growthbook' },
  { name: 'growthbook-client', rules: 'features.json', npm: '@growthbook/growthbook' },
  { name: 'growthbook-condition', rules: 'features.json', npm: '@growthbook/growthbook' },
  { name: 'json-logic', rules: 'json-logic.json', npm: 'json-logic-js' },
  { name: 'json-rules-engine', rules: 'json-rules-engine.json', npm: 'json-rules-engine' },
  {
    name: 'zen',
    rules: 'zen.json',
    npm: '@gorules/zen-engine-wasm',
    module: 'node_modules/@gorules/zen-engine-wasm/dist/zen_engine_wasm_bg.wasm',
  },
];

/** Rules in the form of each engine but Attune's, whose form is a compiled bundle. */
export const FORMS = {
  'features.json': growthbookFeatures,
  'json-logic.json': jsonLogic,
  'json-rules-engine.json': jsonRulesEngine,
  'zen.json': zenExpressions,
};

/** Rules of one file of Attune's, which may have 1 MiB. */
const RULES_PER_FILE = 2_000;

/** Attune's rule files by name; a folder is compiled as one. */
export function ruleFiles(rules) {
  const files = {};
  for (let from = 0; from < rules.length; from += RULES_PER_FILE) {
    files[`rules-${from}.json`] = JSON.stringify(attuneRules(rules.slice(from, from + RULES_PER_FILE)));
  }
  return files;
}
