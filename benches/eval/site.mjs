/** Everything that the page of the bench asks for: engines as scripts, modules, and rules in each engine's form. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { listen } from '../../tests/e2e/rig/listen.mjs';
import { ENGINES, FORMS, ruleFiles } from './engines.mjs';
import { definitions } from './rules.mjs';

const root = join(import.meta.dirname, '../..');
const PAGE = '<!doctype html><html lang="en"><title>eval</title><script src="/page.js"></script></html>';
/** An isolated page has a clock of 5 µs instead of 100 µs. */
const ISOLATED = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};
const TYPES = { html: 'text/html; charset=utf-8', js: 'text/javascript' };

/** Files by path, for rule sets of the given sizes; `attune` compiles Attune's. */
export async function files(counts, attune) {
  const made = new Map([['/index.html', PAGE]]);
  made.set('/page.js', await script('page.mjs'));
  for (const { name, module } of ENGINES) {
    made.set(`/code/${name}.js`, await script(`engines/${name}.mjs`));
    if (module) made.set(`/module/${name}`, readFileSync(join(root, module)));
  }
  for (const count of counts) {
    const rules = definitions(count);
    made.set(`/rules/${count}/bundle`, compile(rules, attune));
    for (const [file, form] of Object.entries(FORMS)) {
      made.set(`/rules/${count}/${file}`, JSON.stringify(form(rules)));
    }
  }
  return made;
}

/** Serves files by path. */
export function serve(made) {
  return listen((request, response) => {
    const body = made.get(request.url === '/' ? '/index.html' : request.url);
    if (body === undefined) return response.writeHead(404, ISOLATED).end();
    const type = TYPES[request.url === '/' ? 'html' : request.url.split('.').at(-1)];
    response.writeHead(200, { 'content-type': type ?? 'application/octet-stream', ...ISOLATED }).end(body);
  });
}

/** A script of its own with all that it imports. */
export async function script(entry) {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, entry)],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    globalName: 'engine',
    target: 'es2022',
    legalComments: 'none',
    logLevel: 'warning',
    define: { 'process.env.NODE_ENV': '"production"', 'import.meta.url': '""' },
  });
  return outputFiles[0].text;
}

function compile(rules, attune) {
  const folder = mkdtempSync(join(tmpdir(), 'attune-eval-'));
  try {
    for (const [name, text] of Object.entries(ruleFiles(rules))) writeFileSync(join(folder, name), text);
    const bundle = `${folder}.bundle`;
    execFileSync(attune, ['bundle', 'compile', folder, '-o', bundle], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return readFileSync(bundle);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(`${folder}.bundle`, { force: true });
  }
}
