/** The usual action fits a Slack message whole: it is decided where it is read, without another click. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layCard } from '../../../src/channels/slack/card.ts';
import type { Buttons } from '../../../src/core/render/card.ts';
import { cardOf } from '../../../src/core/render/card-of.ts';
import { heldExamples, type Length } from '../examples.ts';
import { messageProblems, viewProblems } from './block-kit.ts';
import { buttonsIn } from './readable.ts';

const post = { id: 'pst_abcdefghijklmnopqrstuvwxyz', tag: '0123456789abcdef0123456789abcdef' };
const buttons: Buttons = { approve: post, approveNot: null, deny: post, stop: post, open: post };
const url = 'http://localhost:7788/approvals/apr_abcdefghijklmnopqrstuvwxyz';

/** Issue 5: at least this part of what people are asked is decided on the card. */
const wholeMin = 0.9;

for (const length of ['as tabled', 'filled'] satisfies readonly Length[]) {
  test(`at least ${wholeMin * 100} % of the held actions that we ship fit a message whole (${length})`, async (t) => {
    const examples = await heldExamples(length);
    let [whole, uncut, bytes] = [0, 0, 0];
    for (const { name, shown } of examples) {
      const card = cardOf(shown, { url, buttons });
      const laid = layCard(card, 'card');
      assert.deepEqual(messageProblems(laid.body, laid.text), [], name);
      assert.deepEqual(viewProblems(layCard(card, 'view').body), [], name);
      const pressed = buttonsIn(laid.body);
      assert.equal(pressed.includes('countersign.approve'), laid.whole, name);
      if (laid.whole) whole += 1;
      else t.diagnostic(`not whole: ${name}`);
      if (laid.whole && !pressed.includes('countersign.open')) uncut += 1;
      bytes = Math.max(bytes, Buffer.byteLength(JSON.stringify(laid.body)));
    }
    assert.ok(examples.length >= 60, `${examples.length} examples`);
    for (const from of ['packs', 'policies', 'demo'] as const)
      assert.ok(
        examples.some((one) => one.from === from),
        from,
      );
    const part = whole / examples.length;
    t.diagnostic(
      `${whole} of ${examples.length} whole on the message (${(part * 100).toFixed(1)} %), ${uncut} with nothing cut at all; the largest has ${bytes} bytes`,
    );
    assert.ok(part >= wholeMin, `${whole} of ${examples.length}`);
  });
}
