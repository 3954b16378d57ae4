/** A card as a Slack message and as a modal: its order, its buttons, what is cut and what never is, and that Slack would take it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { layCard } from '../../../src/channels/slack/card.ts';
import type { Buttons, Card, Part, Section } from '../../../src/core/render/card.ts';
import { line, type Shown } from '../../../src/core/render/shown.ts';
import { messageProblems, viewProblems } from './block-kit.ts';
import { blocksIn, buttonsIn, readable } from './readable.ts';

const tag = '0123456789abcdef0123456789abcdef';
const post = { id: 'pst_abcdefghijklmnopqrstuvwxyz', tag };
const all: Buttons = { approve: post, approveNot: null, deny: post, stop: post, open: post };

const lined = (
  id: Section['id'],
  must: boolean,
  texts: readonly string[],
  as: 'code' | 'quote' = 'code',
): Section => ({
  id,
  title: line(`Title of ${id}`),
  mark: null,
  must,
  parts: [{ as, lines: texts.map(line) }],
});
const card = (more: Partial<Card> = {}): Card => ({
  headline: line('Export 5,204 rows of customers'),
  environment: line('prod'),
  state: { title: line('Waiting for approval'), tone: 'waiting' },
  reversible: { text: line('Cannot be undone'), tone: 'bad' },
  consequence: line('The rows leave this company.'),
  sections: [
    lined('why', false, ['because']),
    lined('exact', true, ['{', '}']),
    lined('standing', false, ['0 of 1']),
  ],
  untilMs: Date.UTC(2026, 10, 20, 13, 30),
  shortDigest: line('sha256:000000000000'),
  url: 'http://localhost:7788/approvals/apr_1',
  whole: true,
  buttons: all,
  ...more,
});
const rows = (count: number, width = 60): readonly string[] =>
  Array.from({ length: count }, (_, at) => `${String(at).padStart(6, '0')} ${'x'.repeat(width)}`);

test('the order of a message, and the buttons of one that is whole', () => {
  const laid = layCard(card(), 'card');
  assert.deepEqual(messageProblems(laid.body, laid.text), []);
  assert.equal(
    readable(laid.body),
    [
      'Export 5,204 rows of customers · prod',
      'Waiting for approval · until 2026-11-20 13:30 UTC',
      'Cannot be undone. The rows leave this company.',
      'Title of why',
      'because',
      'Title of exact',
      '{',
      '}',
      'Title of standing',
      '0 of 1',
      'Approve',
      'Deny…',
      'Stop the agent…',
      'Open in the web inbox',
    ].join('\n'),
  );
  assert.deepEqual(blocksIn(laid.body).at(-1), {
    type: 'actions',
    elements: [
      {
        type: 'button',
        action_id: 'countersign.approve',
        text: { type: 'plain_text', text: 'Approve', emoji: false },
        value: `${post.id}.${tag}`,
        style: 'primary',
      },
      {
        type: 'button',
        action_id: 'countersign.deny',
        text: { type: 'plain_text', text: 'Deny…', emoji: false },
        value: `${post.id}.${tag}`,
        style: 'danger',
      },
      {
        type: 'button',
        action_id: 'countersign.stop',
        text: { type: 'plain_text', text: 'Stop the agent…', emoji: false },
        value: `${post.id}.${tag}`,
      },
      {
        type: 'button',
        action_id: 'countersign.web',
        text: { type: 'plain_text', text: 'Open in the web inbox', emoji: false },
        url: 'http://localhost:7788/approvals/apr_1',
      },
    ],
  });
  assert.equal(
    laid.text,
    'Export 5,204 rows of customers · prod. Waiting for approval. http://localhost:7788/approvals/apr_1',
  );
});

test('what is over has no button but the link', () => {
  const laid = layCard(
    card({ buttons: null, untilMs: null, state: { title: line('Denied'), tone: 'bad' } }),
    'card',
  );
  assert.deepEqual(buttonsIn(laid.body), ['countersign.web']);
  assert.match(readable(laid.body), /^Denied\nCannot be undone\./m);
});

test('where a policy keeps approving from here, it says why, and denying stays', () => {
  const approveNot = line('Approve in the web inbox: the policy asks for a passkey.');
  const laid = layCard(card({ buttons: { ...all, approve: null, approveNot } }), 'card');
  assert.deepEqual(buttonsIn(laid.body), ['countersign.deny', 'countersign.stop', 'countersign.web']);
  assert.ok(readable(laid.body).includes(approveNot));
  // Where it is too large as well, there is nothing to be won in a view.
  const large = layCard(
    card({ sections: [lined('exact', true, rows(300))], buttons: { ...all, approve: null, approveNot } }),
    'card',
  );
  assert.ok(readable(large.body).includes(approveNot));
});

test('where a policy asks for a reason, it says so, and the button opens a form for it', () => {
  const approveAsks = line('The policy asks for a reason with an approval.');
  const asking = { ...all, approveAsks };
  for (const as of ['card', 'view'] as const) {
    const laid = layCard(card({ buttons: asking }), as);
    assert.deepEqual(buttonsIn(laid.body), [
      'countersign.approve_why',
      'countersign.deny',
      'countersign.stop',
      'countersign.web',
    ]);
    assert.ok(readable(laid.body).includes(approveAsks));
    assert.match(readable(laid.body), /^Approve…$/m);
  }
  // Not whole: there is nothing to give a reason for, and the sentence is another one.
  const large = layCard(card({ sections: [lined('exact', true, rows(300))], buttons: asking }), 'card');
  assert.ok(!buttonsIn(large.body).some((id) => id.startsWith('countersign.approve')));
  assert.ok(!readable(large.body).includes(approveAsks));
});

test('what must be whole and does not fit a message: cut with words, no button to approve, the whole in a view', () => {
  const large = card({ sections: [lined('why', false, ['because']), lined('exact', true, rows(300))] });
  const laid = layCard(large, 'card');
  assert.equal(laid.whole, false);
  assert.deepEqual(buttonsIn(laid.body), [
    'countersign.open',
    'countersign.deny',
    'countersign.stop',
    'countersign.web',
  ]);
  const text = readable(laid.body);
  assert.match(text, /^… \d+ more lines in full view$/m);
  assert.match(text, /Review it in full/);
  assert.ok(text.includes('because'));
  const shown = rows(300).filter((row) => text.includes(row)).length;
  assert.ok(text.includes(`… ${300 - shown} more lines`), 'the number is right');
  assert.equal(shown, 30, 'enough to know it by, and the buttons in sight');

  const view = layCard(large, 'view');
  assert.equal(view.whole, true);
  assert.ok(buttonsIn(view.body).includes('countersign.approve'));
  assert.ok(!buttonsIn(view.body).includes('countersign.open'));
  for (const row of rows(300)) assert.ok(readable(view.body).includes(row));
  assert.deepEqual(viewProblems(view.body), []);
});

test('what does not fit a view either is for the web inbox, and the card says that already', () => {
  const huge = card({ sections: [lined('exact', true, rows(2000))] });
  const [message, view] = [layCard(huge, 'card'), layCard(huge, 'view')];
  assert.deepEqual([message.whole, view.whole], [false, false]);
  for (const { body } of [message, view]) {
    assert.match(readable(body), /The web inbox shows the whole/);
    assert.ok(!buttonsIn(body).includes('countersign.approve'));
    assert.ok(buttonsIn(body).includes('countersign.web'));
  }
  assert.deepEqual(messageProblems(message.body, message.text), []);
  assert.deepEqual(viewProblems(view.body), []);
});

test('what may be cut is cut with words, and the card is whole all the same', () => {
  const laid = layCard(
    card({
      sections: [
        lined('exact', true, ['{', '}']),
        lined('looks', false, rows(300)),
        lined('standing', false, ['0 of 1']),
      ],
    }),
    'card',
  );
  assert.equal(laid.whole, true);
  const text = readable(laid.body);
  assert.match(text, /^… \d+ more lines in full view$/m);
  // It is what goes first: the others are there.
  assert.ok(text.includes('0 of 1') && text.includes('{'));
  assert.ok(buttonsIn(laid.body).includes('countersign.approve'));
  assert.ok(buttonsIn(laid.body).includes('countersign.open'));
});

test('what must be whole leaves room for why one is asked', () => {
  for (let count = 50; count < 160; count += 1) {
    const laid = layCard(
      card({
        sections: [
          lined('why', false, rows(10)),
          lined('exact', true, rows(count)),
          lined('standing', false, ['0 of 1']),
        ],
      }),
      'card',
    );
    if (!laid.whole) return;
    for (const row of rows(10)) assert.ok(readable(laid.body).includes(row), `${count}`);
  }
  assert.fail('never too large');
});

test('a card that says itself that it is not whole is not', () => {
  const laid = layCard(card({ whole: false }), 'card');
  assert.equal(laid.whole, false);
  assert.ok(!buttonsIn(laid.body).includes('countersign.approve'));
});

test('a line longer than a block is there to its last character', () => {
  const long = 'abcdefghij'.repeat(600);
  for (const as of ['code', 'quote'] as const) {
    const laid = layCard(card({ sections: [lined('exact', true, [long, 'after'], as)] }), 'card');
    assert.equal(laid.whole, true);
    assert.deepEqual(messageProblems(laid.body, laid.text), []);
    assert.ok(readable(laid.body).includes(`${long}\nafter`));
  }
  const value: Part = {
    as: 'pairs',
    rows: [{ label: line('a'), value: line(long), literal: true, claimed: true }],
  };
  const pairs = layCard(card({ sections: [{ ...lined('exact', true, []), parts: [value] }] }), 'card');
  assert.ok(readable(pairs.body).replace('  claimed by the agent', '').includes(long));
  // Never between the two halves of a character.
  const wide = '😀'.repeat(2000);
  const laid = layCard(card({ sections: [lined('exact', true, [`x${wide}`])] }), 'view');
  assert.ok(readable(laid.body).includes(wide));
  assert.ok(JSON.stringify(laid.body).isWellFormed());
});

test('a headline that a header cannot hold stands in rich text', () => {
  for (const headline of ['x'.repeat(151), 'a < b', '&lt;!channel&gt;', '']) {
    const laid = layCard(card({ headline: line(headline), environment: null }), 'card');
    assert.deepEqual(messageProblems(laid.body, laid.text), [], headline);
    assert.ok(!JSON.stringify(blocksIn(laid.body)[0]).includes('"header"'), headline);
  }
});

const words = fc
  .oneof(
    fc.string({ unit: 'grapheme', maxLength: 60 }),
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.constant('y'.repeat(4000)),
  )
  .map((text): Shown => line(text));
const tone = fc.constantFrom('plain', 'bad', 'unknown', 'good', 'waiting', 'over');
const part: fc.Arbitrary<Part> = fc.oneof(
  fc.record({
    as: fc.constant('pairs' as const),
    rows: fc.array(fc.record({ label: words, value: words, literal: fc.boolean(), claimed: fc.boolean() }), {
      maxLength: 8,
    }),
  }),
  fc.record({
    as: fc.constant('items' as const),
    items: fc.array(fc.record({ text: words, tone }), { maxLength: 30 }),
  }),
  fc.record({
    as: fc.constantFrom('code' as const, 'quote' as const),
    lines: fc.array(words, { maxLength: 60 }),
  }),
  fc.record({
    as: fc.constant('table' as const),
    columns: fc.array(words, { maxLength: 6 }),
    rows: fc.array(fc.array(words, { maxLength: 6 }), { maxLength: 12 }),
    more: fc.nat(20),
  }),
);
const button = fc.option(fc.constant(post));
const cards: fc.Arbitrary<Card> = fc
  .record({
    headline: words,
    environment: fc.option(words),
    consequence: fc.option(words.map((text) => line(text.slice(0, 600)))),
    sections: fc.array(
      fc.record({
        id: fc.constantFrom(
          'undetermined',
          'why',
          'whom',
          'news',
          'special',
          'exact',
          'looks',
          'reason',
          'standing',
        ),
        title: fc.constant(line('A title')),
        mark: fc.option(fc.constant(line('unverified'))),
        must: fc.boolean(),
        parts: fc.array(part, { maxLength: 4 }),
      }),
      { maxLength: 9 },
    ),
    whole: fc.boolean(),
    buttons: fc.option(
      fc
        .record({ approve: button, approveNot: fc.option(words), deny: button, stop: button, open: button })
        .chain((some) =>
          words.map((asks) => (asks.length % 2 === 0 ? some : { ...some, approveAsks: asks })),
        ),
    ),
  })
  .map((some) => card({ ...some, headline: line(some.headline.slice(0, 600)) }));

test('whatever the card, Slack would take it, and approving is offered only on a whole one', () => {
  fc.assert(
    fc.property(cards, fc.constantFrom('card', 'view'), (one, as) => {
      const laid = layCard(one, as);
      assert.deepEqual(as === 'card' ? messageProblems(laid.body, laid.text) : viewProblems(laid.body), []);
      const text = readable(laid.body);
      const offers = buttonsIn(laid.body).some((id) => id.startsWith('countersign.approve'));
      assert.equal(offers, laid.whole && one.buttons?.approve != null);
      if (!laid.whole) return;
      assert.equal(one.whole, true);
      for (const { parts } of one.sections.filter((each) => each.must))
        for (const each of parts)
          for (const must of each.as === 'code' || each.as === 'quote' ? each.lines : [])
            assert.ok(text.includes(must));
    }),
    { numRuns: 200 },
  );
});
