/** A collector of a test's own: free ports, a fresh data directory, a rule file that can be edited while it runs. */

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from './ports.mjs';

const SECRET_KEY = 'e2e-secret-of-one-run';
const READY_LIMIT_MS = 20_000;
/** More than the log of any test prints. */
const MAX_DUMP_BYTES = 64 * 1024 * 1024;

/** The write key that pages use. */
export const WRITE_KEY = 'e2e';

/** A collector that can be stopped and started again on the same ports and data. */
export class Collector {
  #child;
  #log = '';
  #folder = mkdtempSync(join(tmpdir(), 'attune-e2e-'));
  #ports;
  #more = [];

  /** Starts a collector with these rules. */
  static async start(rules) {
    const collector = new Collector();
    mkdirSync(collector.#rulesFolder);
    collector.writeRules(rules);
    return await collector.#begin();
  }

  /** Starts a collector with these rules and further arguments. */
  static async startWith(rules, more) {
    const collector = new Collector();
    mkdirSync(collector.#rulesFolder);
    collector.writeRules(rules);
    collector.#more = more;
    return await collector.#begin();
  }

  /** Starts a collector that gives a share of all members other rules. */
  static async startTrying(rules, candidate, percent) {
    const collector = new Collector();
    for (const folder of [collector.#rulesFolder, collector.#candidateFolder]) mkdirSync(folder);
    collector.writeRules(rules);
    collector.writeCandidate(candidate);
    collector.giveShare(percent);
    return await collector.#begin();
  }

  /** Starts a collector that serves the demo shop, with a copy of the shop's rule files. */
  static async startDemo() {
    const collector = new Collector();
    cpSync(join(import.meta.dirname, '../../../demo-site/rules'), collector.#rulesFolder, {
      recursive: true,
    });
    collector.#more = ['--demo', '--write-key', 'demo'];
    return await collector.#begin();
  }

  async #begin() {
    this.#ports = await freePorts(2);
    await this.start();
    return this;
  }

  /** Address of the public listener. */
  get url() {
    return `http://127.0.0.1:${this.#ports[0]}`;
  }

  /** Its data folder. */
  get dataDir() {
    return join(this.#folder, 'data');
  }

  get #rulesFolder() {
    return join(this.#folder, 'rules');
  }

  get #dataFolder() {
    return join(this.#folder, 'data');
  }

  get #candidateFolder() {
    return join(this.#folder, 'candidate');
  }

  /** Says for how many members the candidate is from the next start on. */
  giveShare(percent) {
    this.#more = ['--candidate-rules', this.#candidateFolder, '--candidate-percent', percent];
  }

  /** Replaces the rules that a share of all members gets. */
  writeCandidate(rules) {
    writeFileSync(join(this.#candidateFolder, 'rules.json'), JSON.stringify(rules));
  }

  /** Replaces a rule file; a running collector is to notice. */
  writeRules(rules, file = 'rules.json') {
    writeFileSync(join(this.#rulesFolder, file), JSON.stringify(rules));
  }

  /** Starts the process, unless it runs, and waits until it is ready. */
  async start() {
    if (this.#runs()) return;
    const binary = process.env.ATTUNE_BINARY;
    if (!binary)
      throw new Error('ATTUNE_BINARY is not set; `cargo xtask test` builds the collector and sets it');
    const [port, adminPort] = this.#ports;
    this.#child = spawn(binary, [
      'serve',
      ...['--port', port, '--admin-port', adminPort, '--data-dir', this.dataDir],
      ...['--rules', this.#rulesFolder],
      ...['--write-key', WRITE_KEY, '--secret-key', SECRET_KEY],
      ...this.#more,
    ]);
    for (const output of [this.#child.stdout, this.#child.stderr]) {
      output.on('data', (text) => {
        this.#log += text;
      });
    }
    const deadline = Date.now() + READY_LIMIT_MS;
    while (!(await this.#isReady())) {
      if (this.#child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`the collector did not become ready; its log:\n${this.#log}`);
      }
      await sleep(20);
    }
  }

  /** Stops the process as an operator would. */
  async stop() {
    if (!this.#runs()) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }

  /** Stops the process and removes its data. */
  async remove() {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The events in its log, one line of JSON each. */
  dump() {
    const words = ['log', 'dump', '--data-dir', this.#dataFolder];
    const text = execFileSync(process.env.ATTUNE_BINARY, words, { maxBuffer: MAX_DUMP_BYTES });
    return text.toString('utf8').split('\n').slice(0, -1);
  }

  /** What the collector counts, once its worker has caught up. */
  summary() {
    return this.#admin('/admin/summary?settled=1');
  }

  /** What the collector knows of a member that is a profile of its own, once its worker has caught up. */
  profile(member) {
    return this.#admin(`/admin/profiles/member:${member}?settled=1`);
  }

  /** What the collector knows of a user, once its worker has caught up. */
  user(id) {
    return this.#admin(`/admin/profiles/user:${id}?settled=1`);
  }

  /** The key that pages of this collector trust. */
  async trust() {
    return (await this.#admin('/admin/bundle')).trust;
  }

  #runs() {
    return this.#child?.exitCode === null && this.#child.signalCode === null;
  }

  async #admin(path) {
    const address = `http://127.0.0.1:${this.#ports[1]}${path}`;
    const response = await fetch(address, { headers: { authorization: `Bearer ${SECRET_KEY}` } });
    if (!response.ok) throw new Error(`${address}: ${response.status}`);
    return await response.json();
  }

  async #isReady() {
    try {
      return (await fetch(`${this.url}/health/ready`)).ok;
    } catch {
      return false;
    }
  }
}
