/**
 * WebDriver over Marionette, the protocol that Firefox itself speaks and geckodriver translates to: the same commands, as
 * `length:json` over TCP (https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html).
 */

import { once } from 'node:events';
import { connect } from 'node:net';

const COLON = 58;

/** Begins a session with a Firefox that listens on a port. */
export async function openMarionetteSession(port, ended) {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const waiting = new Map();
  let count = 0;
  const receive = ([, id, error, answer]) => {
    const { done, failed } = waiting.get(id);
    waiting.delete(id);
    if (error) failed(new Error(`${error.error}: ${error.message}`));
    // What is no object comes in one.
    else done(answer && 'value' in answer ? answer.value : answer);
  };
  readMessages(socket, (message) => Array.isArray(message) && receive(message));
  socket.on('error', () => {});
  socket.on('close', () => {
    for (const { failed } of waiting.values()) failed(new Error('Firefox is gone'));
  });
  const perform = (command, parameters) =>
    new Promise((done, failed) => {
      count += 1;
      waiting.set(count, { done, failed });
      const text = JSON.stringify([0, count, `WebDriver:${command}`, parameters]);
      socket.write(`${Buffer.byteLength(text)}:${text}`);
    });
  await perform('NewSession', { capabilities: { alwaysMatch: {} } });
  return {
    perform,
    async end() {
      socket.destroy();
      await ended();
    },
  };
}

function readMessages(socket, heard) {
  let bytes = Buffer.alloc(0);
  socket.on('data', (more) => {
    bytes = Buffer.concat([bytes, more]);
    for (;;) {
      const start = bytes.indexOf(COLON) + 1;
      const end = start + Number(bytes.subarray(0, Math.max(start - 1, 0)));
      if (start === 0 || bytes.length < end) return;
      const message = JSON.parse(bytes.subarray(start, end));
      bytes = bytes.subarray(end);
      heard(message);
    }
  });
}
