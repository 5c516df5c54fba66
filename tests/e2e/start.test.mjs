/** `npm start` as a person meets it: one ready line, an outage on request, and a clean end. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

const root = join(import.meta.dirname, '../..');
const READY_LIMIT_MS = 120_000;

/** Starts the demo on a port; its lines on stdout and all of stderr are kept. */
function startDemo(port, data) {
  const binary = process.env.XTASK_BINARY;
  if (!binary) throw new Error('XTASK_BINARY is not set; `cargo xtask test` sets it');
  const child = spawn(binary, ['demo', '--port', port, '--data-dir', data], { cwd: root });
  const demo = { child, lines: [], errors: '' };
  createInterface({ input: child.stdout }).on('line', (line) => demo.lines.push(line));
  child.stderr.on('data', (text) => {
    demo.errors += text;
  });
  return demo;
}

/** Three ports in a row that nothing listens on. */
async function threeFreePorts() {
  for (let port = 20_000 + (process.pid % 10_000) * 3; port < 60_000; port += 3) {
    const free = await Promise.all([port, port + 1, port + 2].map(isFree));
    if (free.every(Boolean)) return port;
  }
  throw new Error('no three free ports in a row');
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

async function until(condition, limitMs, what) {
  const deadline = Date.now() + limitMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`${what} did not happen within ${limitMs} ms`);
    await sleep(20);
  }
}

describe('npm start', () => {
  let port;
  let data;
  let demo;
  const isReady = () =>
    fetch(`http://127.0.0.1:${port}/health/ready`).then(
      (response) => response.ok,
      () => false,
    );

  before(async () => {
    port = await threeFreePorts();
    data = mkdtempSync(join(tmpdir(), 'attune-start-'));
    demo = startDemo(port, data);
    const came = () => demo.lines.length > 0 || demo.child.exitCode !== null;
    await until(came, READY_LIMIT_MS, 'the ready line');
  });
  after(() => {
    demo.child.kill('SIGKILL');
    rmSync(data, { recursive: true, force: true });
  });

  it('prints one ready line and serves the shop', async () => {
    assert.deepEqual(demo.lines, [`ready http://127.0.0.1:${port}/`], demo.errors);
    const place = () => /^demo: the binary is (.+)$/m.exec(demo.errors)?.[1];
    await until(place, READY_LIMIT_MS, 'the line that says where the binary is');
    assert.ok(existsSync(place()), place());
    assert.doesNotMatch(demo.errors, /^ready /m);
    const shop = await fetch(`http://127.0.0.1:${port}/`);
    assert.match(shop.headers.get('content-type') ?? '', /text\/html/);
    const config = await (await fetch(`http://127.0.0.1:${port}/demo/config.json`)).json();
    assert.equal(config.write_key, 'demo');
    assert.equal(config.control, `http://127.0.0.1:${port + 2}`);
  });

  it('says in one line that a port is in use', async () => {
    const second = startDemo(port, data);
    const [code] = await once(second.child, 'exit');
    assert.equal(code, 1);
    assert.match(second.errors.trim(), new RegExp(`^.*127\\.0\\.0\\.1:${port} cannot be used.*$`));
  });

  it('takes the collector down for the asked time and brings it back', async () => {
    const outage = `http://127.0.0.1:${port + 2}/outage?seconds=1`;
    const strange = { method: 'POST', headers: { origin: 'http://elsewhere.example' } };
    assert.equal((await fetch(outage, strange)).status, 403);
    const answer = await fetch(outage, {
      method: 'POST',
      headers: { origin: `http://127.0.0.1:${port}` },
    });
    assert.equal(answer.status, 202);
    await until(async () => !(await isReady()), 5_000, 'the outage');
    await until(isReady, 10_000, 'the return');
    assert.equal(demo.lines.length, 1);
  });

  it('ends with status 0 at SIGTERM and takes the collector with it', async () => {
    const ended = once(demo.child, 'exit');
    demo.child.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null], demo.errors);
    assert.equal(await isReady(), false);
  });
});
