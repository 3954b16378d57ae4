/**
 * Attack: an agent, a tool or a person writes text that a chat would read as more than text, or so much of it that what matters
 * is out of sight. In Slack it stays text, all of it is there, or there is no button to approve.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layCard } from '../../src/channels/slack/card.ts';
import { approveForm, denyForm, stopForm } from '../../src/channels/slack/forms.ts';
import { homeView, homeWord } from '../../src/channels/slack/home.ts';
import { escaped, noteBlocks, wordBlocks } from '../../src/channels/slack/notes.ts';
import type { Buttons, Part } from '../../src/core/render/card.ts';
import { line, lines } from '../../src/core/render/shown.ts';
import { visible } from '../../src/core/visible.ts';
import { hostileCards, hostileTexts } from '../channels/hostile.ts';
import { blocksOf, messageProblems, textsIn, viewProblems } from '../channels/slack/block-kit.ts';
import { buttonsIn, readable } from '../channels/slack/readable.ts';

const tag = '0123456789abcdef0123456789abcdef';
const post = { id: 'pst_abcdefghijklmnopqrstuvwxyz', tag };
const buttons: Buttons = { approve: post, approveNot: null, deny: post, stop: post, open: post };
const url = 'http://localhost:7788/approvals/apr_1';
const cards = hostileCards({ url, buttons });

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

test('hostile text is only text, on every card and in every view', () => {
  for (const { name, card } of cards) {
    const laid = layCard(card, 'card');
    assert.deepEqual(messageProblems(laid.body, laid.text), [], name);
    const view = layCard(card, 'view');
    assert.deepEqual(viewProblems(view.body), [], name);
    for (const { body } of [laid, view])
      for (const text of textsIn(body)) assert.equal(visible(text), text, name);
  }
});

test('all of the action is there to its last argument, or there is no button to approve', () => {
  let [whole, not] = [0, 0];
  for (const { name, card } of cards) {
    for (const as of ['card', 'view'] as const) {
      const laid = layCard(card, as);
      const offers = buttonsIn(laid.body).includes('countersign.approve');
      assert.equal(offers, laid.whole && card.buttons !== null, name);
      if (!laid.whole) {
        not += 1;
        continue;
      }
      whole += 1;
      const text = readable(laid.body);
      for (const section of card.sections.filter((one) => one.must))
        for (const one of section.parts.flatMap(must))
          assert.ok(text.includes(one), `${name} (${as}): ${section.id} lacks ${one.slice(0, 80)}`);
    }
  }
  assert.ok(whole > 100 && not > 20, `${whole} whole, ${not} not`);
});

test('60 arguments are all there, by name and value', () => {
  const one = cards.find((each) => each.name === '60 arguments');
  assert.ok(one);
  const laid = layCard(one.card, 'card');
  assert.equal(laid.whole, true);
  const text = readable(laid.body);
  for (let at = 0; at < 60; at += 1)
    assert.ok(text.includes(`"argument_${at}_": "value_${at}_"`), `argument ${at}`);
});

test('where not all of it is there, the reader is told and can go where it is', () => {
  for (const { name, card } of cards) {
    const laid = layCard(card, 'card');
    if (laid.whole || card.buttons === null) continue;
    assert.match(readable(laid.body), /cannot be approved/, name);
    assert.ok(buttonsIn(laid.body).includes('countersign.open'), name);
    assert.ok(buttonsIn(laid.body).includes('countersign.deny'), name);
    assert.ok(buttonsIn(laid.body).includes('countersign.web'), name);
  }
  const large = cards.find((one) => one.name === '40 KB in lines');
  assert.ok(large);
  const view = layCard(large.card, 'view');
  if (!view.whole) assert.match(readable(view.body), /The web inbox shows the whole/);
});

test('200 empty lines, spaces or tabs push nothing out of sight', () => {
  for (const { name, card, text } of cards) {
    if (text === null || !name.startsWith('200')) continue;
    const laid = layCard(card, 'card');
    for (const one of textsIn(laid.body)) {
      assert.ok(!/\n\s*\n\s*\n\s*\n/.test(one), name);
      assert.ok(!/[ \t]{40}/.test(one), name);
    }
  }
});

test('notes, words, forms and the inbox take any text', () => {
  for (const { name, text } of hostileTexts) {
    const words = line(text);
    assert.deepEqual(blocksOf(noteBlocks({ text: words, url }), escaped(line(`x ${words}`))), [], name);
    assert.deepEqual(blocksOf(noteBlocks({ text: words, url: null }), escaped(line(`x ${words}`))), [], name);
    const refused = { kind: 'refused', text: words, code: 'not_found', link: { text: words, url } } as const;
    if (text.trim() !== '') {
      assert.deepEqual(blocksOf(wordBlocks(refused), 'x'), [], name);
      assert.deepEqual(viewProblems(homeWord(refused)), [], name);
    }
    assert.deepEqual(blocksOf(wordBlocks({ kind: 'done', text: words }), 'x'), [], name);
    for (const form of [approveForm, denyForm, stopForm])
      assert.deepEqual(viewProblems(form({ ...post, headline: words })), [], name);
    const inbox = {
      lines: Array.from({ length: 30 }, () => ({
        headline: words,
        agent: words,
        state: words,
        untilMs: 0,
        url,
        open: { use: 'inbox' as const, id: 'apr_abcdefghijklmnopqrstuvwxyz', tag },
      })),
      more: 7,
      url,
    };
    const home = homeView(inbox);
    assert.deepEqual(viewProblems(home), [], name);
    assert.match(readable(home), /and 17 more in the web inbox/);
  }
});

test('the line of a notification mentions nobody and links nowhere but to the gate', () => {
  for (const { name, text } of hostileTexts) {
    const said = escaped(line(text));
    assert.ok(!/[<>\n]|@\w|:\/\//.test(said), name);
    assert.ok(!/&(?!amp;|lt;|gt;)/.test(said), name);
  }
  assert.equal(escaped(line('<!channel> a & b @here')), '&lt;!channel&gt; a &amp; b ＠here');
  assert.ok(lines('x').length === 1);
});
