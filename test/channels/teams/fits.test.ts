/** The usual action fits a card in Teams whole: it is decided where it is read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layCard } from '../../../src/channels/teams/card.ts';
import type { Buttons } from '../../../src/core/render/card.ts';
import { cardOf } from '../../../src/core/render/card-of.ts';
import { heldExamples, type Length } from '../examples.ts';
import { buttonsIn, cardProblems } from './card-check.ts';

const post = { id: 'pst_abcdefghijklmnopqrstuvwxyz', tag: '0123456789abcdef0123456789abcdef' };
const buttons: Buttons = { approve: post, approveNot: null, deny: post, stop: post, open: null };
const url = 'http://localhost:7788/approvals/apr_abcdefghijklmnopqrstuvwxyz';

/** Issue 5: at least this part of what people are asked is decided on the card. */
const wholeMin = 0.9;

for (const length of ['as tabled', 'filled'] satisfies readonly Length[]) {
  test(`at least ${wholeMin * 100} % of the held actions that we ship fit a card whole (${length})`, async (t) => {
    const examples = await heldExamples(length);
    let [whole, bytes] = [0, 0];
    for (const { name, shown } of examples) {
      const laid = layCard(cardOf(shown, { url, buttons }));
      assert.deepEqual(cardProblems(laid.body), [], name);
      assert.equal(buttonsIn(laid.body).includes('approve'), laid.whole, name);
      if (laid.whole) whole += 1;
      else t.diagnostic(`not whole: ${name}`);
      bytes = Math.max(bytes, Buffer.byteLength(JSON.stringify(laid.body)));
    }
    assert.ok(examples.length >= 60, `${examples.length} examples`);
    const part = whole / examples.length;
    t.diagnostic(
      `${whole} of ${examples.length} whole (${(part * 100).toFixed(1)} %); the largest has ${bytes} bytes`,
    );
    assert.ok(part >= wholeMin, `${whole} of ${examples.length}`);
  });
}
