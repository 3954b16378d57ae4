/** A card in Teams: its order, its buttons, what is cut and what never is, and that Teams would take it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { layCard, noteCard } from '../../../src/channels/teams/card.ts';
import type { Buttons, Card, Part, Section } from '../../../src/core/render/card.ts';
import { line, type Shown } from '../../../src/core/render/shown.ts';
import { buttonsIn, cardProblems, dataOf, readable } from './card-check.ts';

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
  const laid = layCard(card());
  assert.deepEqual(cardProblems(laid.body), []);
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
      'The agent gets nothing more done until somebody lets it go on.',
    ].join('\n'),
  );
  assert.deepEqual(buttonsIn(laid.body), ['approve', 'deny', 'stop', 'Open in the web inbox']);
  for (const verb of ['approve', 'deny', 'stop'])
    assert.deepEqual(dataOf(laid.body, verb), { b: `${post.id}.${tag}` });
  assert.equal(laid.whole, true);
  assert.equal(laid.text, 'Export 5,204 rows of customers · prod. Waiting for approval.');
});

test('what is over has no button but the link, and asks for nothing', () => {
  const { body } = layCard(
    card({ buttons: null, untilMs: null, state: { title: line('Denied'), tone: 'bad' } }),
  );
  assert.deepEqual(buttonsIn(body), ['Open in the web inbox']);
  assert.match(readable(body), /^Denied\nCannot be undone\./m);
  assert.ok(!JSON.stringify(body).includes('Input.'));
});

test('where a policy keeps approving from here, it says why, and denying stays', () => {
  const approveNot = line('Approve in the web inbox: the policy asks for a passkey.');
  const { body } = layCard(card({ buttons: { ...all, approve: null, approveNot } }));
  assert.deepEqual(buttonsIn(body), ['deny', 'stop', 'Open in the web inbox']);
  assert.ok(readable(body).includes(approveNot));
});

test('what must be whole and does not fit: cut with words, no button to approve, the whole in the web', () => {
  const { body, whole } = layCard(
    card({ sections: [lined('why', false, ['because']), lined('exact', true, rows(300))] }),
  );
  assert.equal(whole, false);
  assert.deepEqual(buttonsIn(body), ['Review in full', 'deny', 'stop']);
  assert.deepEqual(cardProblems(body), []);
  const text = readable(body);
  assert.match(text, /The web inbox shows the whole/);
  assert.ok(text.includes('because'));
  const shown = rows(300).filter((row) => text.includes(row)).length;
  assert.ok(text.includes(`… ${300 - shown} more lines`), 'the number is right');
  assert.equal(shown, 30, 'enough to know it by, and the buttons in sight');
});

test('what may be cut is cut with words, and the card is whole all the same', () => {
  const { body, whole } = layCard(
    card({
      sections: [
        lined('exact', true, ['{', '}']),
        lined('looks', false, rows(300)),
        lined('standing', false, ['0 of 1']),
      ],
    }),
  );
  assert.equal(whole, true);
  const text = readable(body);
  assert.match(text, /^… \d+ more lines in full view$/m);
  assert.ok(text.includes('0 of 1') && text.includes('{'));
  assert.ok(buttonsIn(body).includes('approve'));
});

test('what must be whole leaves room for why one is asked', () => {
  for (let count = 50; count < 200; count += 1) {
    const { body, whole } = layCard(
      card({
        sections: [
          lined('why', false, rows(10)),
          lined('exact', true, rows(count)),
          lined('standing', false, ['0 of 1']),
        ],
      }),
    );
    if (!whole) return;
    for (const row of rows(10)) assert.ok(readable(body).includes(row), `${count}`);
  }
  assert.fail('never too large');
});

test('a card that says itself that it is not whole is not', () => {
  const { body, whole } = layCard(card({ whole: false }));
  assert.equal(whole, false);
  assert.ok(!buttonsIn(body).includes('approve'));
});

test('a long line is there to its last character, and never cut within a character', () => {
  const long = 'abcdefghij'.repeat(600);
  const { body, whole } = layCard(card({ sections: [lined('exact', true, [long, 'after'])] }));
  assert.equal(whole, true);
  assert.deepEqual(cardProblems(body), []);
  assert.ok(readable(body).includes(`${long}\nafter`));
  const wide = '😀'.repeat(1500);
  const laid = layCard(card({ sections: [lined('exact', true, [`x${wide}`])] }));
  assert.ok(readable(laid.body).includes(wide));
  assert.ok(JSON.stringify(laid.body).isWellFormed());
});

test('blanks that a page would not draw are drawn', () => {
  const { body } = layCard(card({ sections: [lined('exact', true, ['  two', 'a   b', ' ', ''])] }));
  const texts = [...JSON.stringify(body).matchAll(/"text":"([^"]*)","fontType"/g)].map((one) => one[1]);
  assert.deepEqual(texts, ['\u{a0}\u{a0}two', 'a \u{a0}\u{a0}b', '\u{a0}', '\u{a0}']);
  // A tab can only come out of a text of several lines.
  const tabbed: Section = { ...lined('exact', true, []), parts: [{ as: 'code', lines: ['a\tb' as Shown] }] };
  assert.ok(readable(layCard(card({ sections: [tabbed] })).body).includes('a⟨U+0009⟩b'));
});

test('what has no place to be wrapped at is given some, and nothing else is', () => {
  const texts = [`${'ab'.repeat(10)} c`, 'd'.repeat(13), `${' '.repeat(15)}e`];
  const { body } = layCard(card({ sections: [lined('exact', true, texts)] }));
  const found = [...JSON.stringify(body).matchAll(/"text":"([^"]*)","fontType"/g)].map((one) => one[1]);
  assert.deepEqual(found, [
    `${'ab'.repeat(4)}\u{200b}${'ab'.repeat(4)}\u{200b}${'ab'.repeat(2)} c`,
    'd'.repeat(13),
    `${'\u{a0}'.repeat(8)}\u{200b}${'\u{a0}'.repeat(7)}e`,
  ]);
  for (const text of texts) assert.ok(readable(body).includes(text));
});

test('a note is a card without buttons but its link', () => {
  const note = noteCard({
    text: line('Denied by **Sam** [x](https://evil.test).'),
    url: 'http://localhost:7788/a',
  });
  assert.deepEqual(cardProblems(note), []);
  assert.deepEqual(buttonsIn(note), ['Open it']);
  assert.equal(readable(note), 'Denied by **Sam** [x](https://evil.test).');
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
const ids = [
  'undetermined',
  'why',
  'whom',
  'news',
  'special',
  'exact',
  'looks',
  'reason',
  'standing',
] as const;
const cards: fc.Arbitrary<Card> = fc
  .record({
    headline: words,
    environment: fc.option(words),
    consequence: fc.option(words),
    sections: fc.array(
      fc.record({
        id: fc.constantFrom(...ids),
        title: fc.constant(line('A title')),
        mark: fc.option(fc.constant(line('unverified'))),
        must: fc.boolean(),
        parts: fc.array(part, { maxLength: 4 }),
      }),
      { maxLength: 9 },
    ),
    whole: fc.boolean(),
    buttons: fc.option(
      fc.record({ approve: button, approveNot: fc.option(words), deny: button, stop: button, open: button }),
    ),
  })
  .map((some) => card(some));

test('whatever the card, it keeps to 25 KB, Teams would take it, and approving is offered only on a whole one', () => {
  fc.assert(
    fc.property(cards, (one) => {
      const laid = layCard(one);
      assert.deepEqual(cardProblems(laid.body), []);
      const text = readable(laid.body);
      const offers = buttonsIn(laid.body).includes('approve');
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
