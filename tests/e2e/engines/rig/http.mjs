/** WebDriver over HTTP, as WebKitWebDriver and ChromeDriver speak it (https://www.w3.org/TR/webdriver2/). */

import { eventually } from '../../rig/eventually.mjs';
import { freePorts } from '../../rig/ports.mjs';
import { begin } from './program.mjs';

/** Where each command goes, below the session. */
const COMMANDS = {
  GetWindowHandle: ['GET', '/window'],
  NewWindow: ['POST', '/window/new'],
  SwitchToWindow: ['POST', '/window'],
  CloseWindow: ['DELETE', '/window'],
  Navigate: ['POST', '/url'],
  Refresh: ['POST', '/refresh'],
  Back: ['POST', '/back'],
  ExecuteScript: ['POST', '/execute/sync'],
};

/** Starts a driver, and a browser with these capabilities through it; `ended` is called when both are gone. */
export async function openHttpSession(driver, { capabilities, env, ended }) {
  const [port] = await freePorts(1);
  const program = await begin(driver, [`--port=${port}`], { env });
  const ask = async (method, path, parameters) => {
    const body = method === 'POST' ? JSON.stringify(parameters) : undefined;
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, body });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${value.error}: ${value.message}`);
    return value;
  };
  await eventually(
    () => ask('GET', '/status').catch(() => undefined),
    (status) => status?.ready,
  );
  const { sessionId } = await ask('POST', '/session', { capabilities: { alwaysMatch: capabilities } });
  const session = `/session/${sessionId}`;
  return {
    perform(command, parameters) {
      const [method, path] = COMMANDS[command];
      return ask(method, session + path, parameters);
    },
    async end() {
      await ask('DELETE', session);
      await program.kill();
      await ended();
    },
  };
}
