/** What `npm pack` makes, as the tools that judge packages see it. */

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { openConsumer, programOf } from './rig/consumer.mjs';

const root = join(import.meta.dirname, '../..');
/** What npm runs by itself at one time or another. */
const LIFECYCLE = /^(pre|post)|^(install|prepare|publish|dependencies)$/;

describe('the packed package', () => {
  let consumer;
  let folder;
  let manifest;
  before(async () => {
    consumer = await openConsumer('node');
    folder = join(consumer.folder, 'node_modules/attune');
    manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  });
  after(() => consumer?.remove());

  it('is installed alone, and runs nothing when it is', () => {
    assert.deepEqual(manifest.dependencies ?? {}, {});
    assert.deepEqual(
      Object.keys(manifest.scripts).filter((name) => LIFECYCLE.test(name)),
      [],
    );
    const optional = Object.entries(manifest.peerDependenciesMeta).filter(([, { optional }]) => optional);
    assert.deepEqual(
      optional.map(([name]) => name),
      Object.keys(manifest.peerDependencies),
    );
    const installed = readdirSync(join(consumer.folder, 'node_modules')).filter(
      (name) => !name.startsWith('.'),
    );
    assert.deepEqual(installed, ['attune']);
  });

  it('brings its documentation and licences, and no sources', () => {
    for (const licence of ['LICENSE-APACHE', 'LICENSE-MIT']) {
      assert.equal(readFileSync(join(folder, licence), 'utf8'), readFileSync(join(root, licence), 'utf8'));
    }
    const files = readdirSync(folder).sort();
    assert.deepEqual(files, ['LICENSE-APACHE', 'LICENSE-MIT', 'README.md', 'dist', 'package.json']);
    assert.ok(manifest.keywords.length > 0);
  });

  it('says where documents are that it links to and does not bring', () => {
    const text = readFileSync(join(folder, 'README.md'), 'utf8');
    const links = [...text.matchAll(/\]\(([^)#]+)/g)].map(([, link]) => link);
    const outside = links.filter((link) => !link.startsWith('https://') && !link.startsWith('../docs/'));
    assert.deepEqual(outside, []);
    assert.match(text, /Links to `\.\.\/docs\/` lead to\s+the folder `docs\/` of the repository/);
  });

  it('has a file behind every entry, and types behind every module', () => {
    for (const [entry, target] of Object.entries(manifest.exports)) {
      const { types, default: file = target } = target;
      if (entry.endsWith('*')) continue;
      assert.ok(existsSync(join(folder, file)), `${entry}: ${file}`);
      if (file.endsWith('.js')) assert.ok(existsSync(join(folder, types)), `${entry}: ${types}`);
    }
  });

  it('has what is loaded from inside in the tarball', () => {
    const dist = join(folder, 'dist');
    const named = readdirSync(dist)
      .filter((name) => name.endsWith('.js'))
      .flatMap((name) => {
        const text = readFileSync(join(dist, name), 'utf8');
        return [...text.matchAll(/(?:new URL|import)\("\.\/([\w.-]+)"/g)].map(([, file]) => file);
      });
    assert.ok(named.length >= 10);
    for (const file of named) assert.ok(existsSync(join(dist, file)), file);
  });

  it('asks for nothing beside it where its WebAssembly is inside', () => {
    for (const name of ['inline.js', 'inline-trust.js', 'inline-filter.js']) {
      assert.doesNotMatch(readFileSync(join(folder, 'dist', name), 'utf8'), /import\.meta/, name);
    }
  });

  it('is clean for publint', async () => {
    const { messages, pkg } = await publint({ pkgDir: folder, strict: true, pack: false });
    assert.deepEqual(
      messages.map((message) => formatMessage(message, pkg)),
      [],
    );
  });

  it('is clean for @arethetypeswrong/cli, as a package of ES modules alone', async () => {
    // What an import of WebAssembly or of a page gives is the bundler's to say.
    const untyped = Object.keys(manifest.exports).filter((entry) => /\.(wasm|json)$|\*$/.test(entry));
    const words = [
      consumer.tarball,
      '--profile',
      'esm-only',
      '--no-color',
      '--exclude-entrypoints',
      ...untyped,
    ];
    // It fails where it finds a problem.
    const said = await consumer.node(programOf('@arethetypeswrong/cli', 'dist/index.js'), words);
    for (const name of ['attune', 'attune/inline', 'attune/react', 'attune/script/attune.js']) {
      assert.match(said, new RegExp(`"${name}" +│ 🟢 \\(ESM\\) +│ 🟢 `, 'u'));
    }
  });
});
