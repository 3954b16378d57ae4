/**
 * Attack: an agent, a tool or a person writes text that Teams would read as more than text, or so much of it that what matters is
 * out of sight. On a card it stays text, all of it is there, or there is no button to approve.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layCard, noteCard } from '../../src/channels/teams/card.ts';
import { literal } from '../../src/channels/teams/presses.ts';
import type { Buttons, Part } from '../../src/core/render/card.ts';
import { line } from '../../src/core/render/shown.ts';
import { visible } from '../../src/core/visible.ts';
import { hostileCards, hostileTexts } from '../channels/hostile.ts';
import { buttonsIn, cardProblems, readable } from '../channels/teams/card-check.ts';

const tag = '0123456789abcdef0123456789abcdef';
const post = { id: 'pst_abcdefghijklmnopqrstuvwxyz', tag };
const buttons: Buttons = { approve: post, approveNot: null, deny: post, stop: post, open: post };
const cards = hostileCards({ url: 'http://localhost:7788/approvals/apr_1', buttons });

/** Every text of a part that must be readable. */
function must(part: Part): readonly string[] {
  switch (part.as) {
    case 'pairs':
      return part.rows.flatMap((row) => [row.label, row.value]);
    case 'items':
      return part.items.map((one) => one.text);
    case 'code':
    case 'quote':
      return part.lines;
    case 'table':
      return part.rows.flat();
  }
}

test('hostile text is only text: in runs, with every character to be seen, and no word of it in what Teams reads as markup', () => {
  for (const { name, card } of cards) {
    const laid = layCard(card);
    assert.deepEqual(cardProblems(laid.body), [], name);
    const text = readable(laid.body);
    assert.equal(visible(text), text, name);
    assert.equal(visible(laid.text), laid.text, name);
    assert.ok(!laid.text.includes('\n') && Array.from(laid.text).length <= 300, name);
  }
});

test('all of the action is there to its last argument, or there is no button to approve', () => {
  let [whole, not] = [0, 0];
  for (const { name, card } of cards) {
    const laid = layCard(card);
    assert.equal(buttonsIn(laid.body).includes('approve'), laid.whole && card.buttons !== null, name);
    if (laid.whole) whole += 1;
    else not += 1;
    const text = readable(laid.body);
    for (const section of laid.whole ? card.sections.filter((one) => one.must) : [])
      for (const one of section.parts.flatMap(must))
        assert.ok(text.includes(one), `${name}: ${section.id} lacks ${one.slice(0, 80)}`);
  }
  assert.ok(whole > 100 && not > 5, `${whole} whole, ${not} not`);
});

test('60 arguments are all there, by name and value', () => {
  const one = cards.find((each) => each.name === '60 arguments');
  assert.ok(one);
  const laid = layCard(one.card);
  assert.equal(laid.whole, true);
  const text = readable(laid.body);
  for (let at = 0; at < 60; at += 1)
    assert.ok(text.includes(`"argument_${at}_": "value_${at}_"`), `argument ${at}`);
});

test('notes and answers: nothing that is a link, a mention or an image of somebody else', () => {
  for (const { name, text } of hostileTexts) {
    const note = noteCard({ text: line(text), url: null });
    assert.deepEqual(cardProblems(note), [], name);
    const answer = literal(line(text));
    assert.doesNotMatch(answer, /\]\(|<|>|:\/\//, name);
  }
});
