/** Programs that the tests start: each is the head of a process group, so that all it has begun ends with it. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';

const running = new Set();
process.once('exit', () => {
  for (const kill of running) kill();
});

/** The program that an environment variable names. */
export function programOf(variable) {
  const file = process.env[variable];
  if (!file) throw new Error(`${variable} is not set; \`cargo xtask test\` finds what it names and sets it`);
  return file;
}

/** Starts a program; `env` is added to the environment. */
export async function begin(file, words, { env, stdio = 'ignore' } = {}) {
  const child = spawn(file, words, { detached: true, stdio, env: { ...process.env, ...env } });
  await once(child, 'spawn');
  const ended = once(child, 'exit');
  const killGroup = () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // All of it has ended.
    }
  };
  running.add(killGroup);
  return {
    child,
    /** Ends it and all it has begun, at once, as a power cut would. */
    async kill() {
      killGroup();
      running.delete(killGroup);
      await ended;
    },
  };
}
