/** Every frame that a page shows while something happens, and what is to be seen in a part of it. */

import { setTimeout as sleep } from 'node:timers/promises';

/** How long after it has happened frames are still taken. */
const AFTER_MS = 300;

/**
 * Takes every frame from before `act` until shortly after it, and counts in a rectangle of each (left, top, width, height)
 * the red and green points and all that are not white, and how far these reach to the right.
 */
export async function framesOf(page, act, rectangle) {
  const session = await page.context().newCDPSession(page);
  const images = [];
  session.on('Page.screencastFrame', ({ data, sessionId }) => {
    images.push(data);
    session.send('Page.screencastFrameAck', { sessionId }).catch(() => {});
  });
  await session.send('Page.startScreencast', { format: 'png', everyNthFrame: 1 });
  await act();
  await sleep(AFTER_MS);
  await session.send('Page.stopScreencast');
  await session.detach();
  const reader = await page.context().newPage();
  const frames = [];
  for (const data of images) frames.push(await reader.evaluate(look, [data, rectangle]));
  await reader.close();
  return frames;
}

async function look([data, [left, top, width, height]]) {
  const image = new Image();
  image.src = `data:image/png;base64,${data}`;
  await image.decode();
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  context.drawImage(image, left, top, width, height, 0, 0, width, height);
  const { data: points } = context.getImageData(0, 0, width, height);
  const found = { red: 0, green: 0, ink: 0, width: 0 };
  for (let at = 0; at < points.length; at += 4) {
    const [red, green, blue] = points.slice(at, at + 3);
    if (red > 240 && green > 240 && blue > 240) continue;
    found.ink += 1;
    found.width = Math.max(found.width, (at / 4) % width);
    if (red > 200 && green < 60) found.red += 1;
    if (green > 200 && red < 60) found.green += 1;
  }
  return found;
}
