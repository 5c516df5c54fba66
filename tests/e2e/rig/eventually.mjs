/** Waiting for what somebody else does. */

/** Asks again until the answer is good enough, for 15 s unless told otherwise. */
export async function eventually(ask, isGood, limitMs = 15_000) {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (isGood(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`still ${JSON.stringify(answer)} after ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
