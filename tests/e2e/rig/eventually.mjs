/** Waiting for what somebody else does. */

/** Asks again until the answer is good enough, for 15 s. */
export async function eventually(ask, isGood) {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const answer = await ask();
    if (isGood(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`still ${JSON.stringify(answer)} after 15 s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
