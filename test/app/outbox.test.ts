/** When the outbox of a channel is looked at: what is written within a moment is told as one, and nothing after the end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Loop, type Outbox } from '../../src/app/outbox.ts';
import { eventually } from '../support/gate.ts';

const clock = { nowMs: () => Date.now() };

const counting = (): Outbox & { readonly looks: () => number } => {
  let looks = 0;
  return {
    looks: () => looks,
    take: () => {
      looks += 1;
      return Promise.resolve([]);
    },
    deliver: () => Promise.resolve({ pauseMs: undefined, failure: null }),
    fail: () => Promise.resolve(undefined),
    putBack: () => Promise.resolve(),
  };
};

test('three commits within a moment are one look; with no moment to wait each is looked at', async () => {
  for (const [gatherMs, looks] of [
    [40, 1],
    [0, 2],
  ] as const) {
    const outbox = counting();
    const loop = new Loop(outbox, clock, gatherMs);
    // The second and the third come while the first is looked at, where that is at once: they are looked at together.
    for (let commits = 0; commits < 3; commits += 1) loop.soon();
    await eventually(() => outbox.looks() >= looks, 'it is looked at');
    await loop.stop();
    assert.equal(outbox.looks(), looks);
  }
});

test('after the end nothing is looked at', async () => {
  const outbox = counting();
  const loop = new Loop(outbox, clock, 1);
  loop.soon();
  await loop.stop();
  loop.soon();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(outbox.looks(), 0);
});
