/** The checker itself: one life as it should be, and each way in which it must not be, which the checker has to see. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wrongWithFacts } from './support/check-facts.ts';
import type { Fact } from './support/ledger.ts';
import { livesOf, wrongWith, type Entry } from './support/lives.ts';

const about = { action: 'act_1', approval: 'apr_1', execution: null };
const entry = (type: string, data: Entry['data'] = {}, more: Partial<Entry> = {}): Entry => ({
  index: 0,
  type,
  by: { kind: 'gate' },
  about,
  data,
  ...more,
});
const asked = entry('action.asked', { verdict: { effect: 'review' } });
const opened = entry('approval.opened', { conflict: [{ person: 'ann' }], requirements: [{ quorum: 2 }] });
const review = (id: string, decision = 'approve'): Entry =>
  entry('review.recorded', { decision }, { by: { kind: 'person', id } });
const approved = entry('approval.approved');
const closed = entry('approval.denied');
const started = entry('execution.started', {}, { about: { ...about, execution: 'exe_1' } });
const ended = (how: string, data: Entry['data'] = {}): Entry => entry(`execution.${how}`, data);

const lives = (entries: readonly Entry[]) => livesOf(entries.map((one, index) => ({ ...one, index })));
const wrong = (entries: readonly Entry[]): string =>
  [...lives(entries).values()].flatMap((life) => wrongWith(life)).join('\n');

const people = [review('bob'), review('cat')];
const whole = [asked, opened, ...people, approved, started, ended('succeeded')];

test('checker: a life as it should be', () => {
  assert.equal(wrong(whole), '');
  assert.equal(wrong([asked, opened, review('bob')]), '', 'one of two has approved: it waits, and may');
  assert.equal(wrong([asked, opened, review('bob', 'deny'), closed]), '');
  const late = [...whole.slice(0, -1), ended('unknown'), ended('succeeded', { late: true })];
  assert.equal(wrong(late), '', 'taken for gone, and it was not');
});

const broken: readonly (readonly [name: string, entries: readonly Entry[], says: RegExp])[] = [
  ['run twice', [...whole, started], /started 2 times/],
  ['run without approval', [asked, opened, ...people, started], /ran without approval/],
  ['run before approval', [asked, opened, started, ...people, approved], /ran without approval/],
  ['approved by too few', [asked, opened, review('bob'), approved, started], /ran with 1 of 2/],
  [
    'approved twice by one',
    [asked, opened, review('bob'), review('bob'), approved, started],
    /approved twice by one/,
  ],
  [
    'approved by whom it may not be',
    [asked, opened, review('ann'), review('bob'), approved],
    /by ann, who may not/,
  ],
  ['decided twice', [asked, opened, ...people, approved, approved], /approved 2 times/],
  ['left waiting', [asked, opened, ...people], /waits for ever/],
  [
    'run after it was closed',
    [asked, opened, ...people, approved, closed, started],
    /ran after it was closed/,
  ],
  ['approved after it was closed', [asked, opened, closed, ...people, approved], /approved after/],
  ['closed after it ran', [...whole, closed], /closed after it ran/],
  [
    'closed for a change that was none',
    [asked, opened, ...people, approved, entry('approval.denied', { code: 'policy_changed' })],
    /a change that nobody made/,
  ],
  ['closed twice', [asked, opened, closed, closed], /closed 2 times/],
  ['ended twice', [...whole, ended('failed')], /ended execution.succeeded, execution.failed/],
  ['ended and never started', [asked, opened, ended('succeeded')], /never started/],
  ['denied and run', [entry('action.asked', { verdict: { effect: 'deny' } }), started], /ran, and is denied/],
  ['never asked', [started], /nobody asked/],
];

for (const [name, entries, says] of broken)
  test(`checker: ${name}`, () => assert.match(wrong(entries), says));

const facts: readonly (readonly [name: string, fact: Fact, entries: readonly Entry[]])[] = [
  ['an action', { kind: 'state', action: 'act_2', state: 'pending', ask: null }, whole],
  ['a later state', { kind: 'state', action: 'act_1', state: 'ready', ask: null }, whole.slice(0, 4)],
  ['a denial', { kind: 'state', action: 'act_1', state: 'denied', ask: null }, whole],
  ['a review', { kind: 'reviewed', approval: 'apr_1', person: 'dan', decision: 'approve' }, whole],
  ['that a review did not count', { kind: 'barred', approval: 'apr_1', person: 'bob' }, whole],
  ['a withdrawal', { kind: 'cancelled', approval: 'apr_1' }, whole],
  ['a start', { kind: 'started', action: 'act_1', execution: 'exe_2' }, whole],
  ['an outcome', { kind: 'outcome', action: 'act_1', execution: 'exe_1', status: 'failed' }, whole],
];

for (const [name, fact, entries] of facts)
  test(`checker: ${name} that was acknowledged is missed`, () => {
    assert.equal(wrongWithFacts([fact], lives(entries)).length, 1);
  });

test('checker: what was acknowledged and is there', () => {
  const told: readonly Fact[] = [
    { kind: 'state', action: 'act_1', state: 'pending', ask: 'key' },
    { kind: 'state', action: 'act_1', state: 'succeeded', ask: 'key' },
    { kind: 'reviewed', approval: 'apr_1', person: 'bob', decision: 'approve' },
    { kind: 'barred', approval: 'apr_1', person: 'ann' },
    { kind: 'started', action: 'act_1', execution: 'exe_1' },
    { kind: 'outcome', action: 'act_1', execution: 'exe_1', status: 'succeeded' },
  ];
  assert.deepEqual(wrongWithFacts(told, lives(whole)), []);
});
