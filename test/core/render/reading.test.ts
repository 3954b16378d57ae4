/** What the reading pages are made of: a tool's difference, a policy in words, an action in a list, what is observed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asGroupId, asPolicyId } from '../../../src/core/ids.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import { glanceWords } from '../../../src/core/render/glance.ts';
import { observedWords } from '../../../src/core/render/observed.ts';
import { requirementLines } from '../../../src/core/render/policy-words.ts';
import { toolView, type DiffLine } from '../../../src/core/render/tool-view.ts';
import { definitionHash, type PinnedTool } from '../../../src/core/tool.ts';
import type { Requirement, Verdict } from '../../../src/core/verdict.ts';

const tool = (definition: JsonObject | null, seen: JsonObject | null): PinnedTool => ({
  server: 'crm',
  tool: 't',
  status: definition === null ? 'waiting' : seen === null ? 'enabled' : 'disabled',
  definition,
  hash: definition === null ? null : definitionHash(definition),
  seen,
  seenHash: seen === null ? null : definitionHash(seen),
  atMs: 1,
});
const textOf = (one: DiffLine, part: 'before' | 'changed' | 'after'): string =>
  one[part].map((token) => token.text).join('');
const rowsOf = (before: JsonObject, now: JsonObject) =>
  (toolView(tool(before, now)).diff ?? assert.fail('no difference'))
    .filter((one) => one.kind === 'gone' || one.kind === 'new')
    .map((one) => [one.kind, textOf(one, 'before'), textOf(one, 'changed'), textOf(one, 'after')]);

test('an enabled tool offers nothing; a new one offers what it says; a changed one offers that and the difference', () => {
  const definition = { name: 't', description: 'Reads.' };
  assert.deepEqual(
    [toolView(tool(definition, null)).offered, toolView(tool(definition, null)).diff],
    [null, null],
  );
  const fresh = toolView(tool(null, definition));
  assert.equal(fresh.offered?.hash, definitionHash(definition));
  assert.equal(fresh.diff, null);
  assert.ok(fresh.definition.length > 0);
  const now = { name: 't', description: 'Reads all.' };
  const changed = toolView(tool(definition, now));
  assert.equal(changed.offered?.hash, definitionHash(now));
  assert.deepEqual(rowsOf(definition, now), [
    ['gone', '  "description": "Reads', '', '.",'],
    ['new', '  "description": "Reads', ' all', '.",'],
  ]);
});

test('the order in which a server writes its fields is no difference', () => {
  const before = { name: 't', inputSchema: { a: 1, b: 2 }, description: 'x' };
  const now = { description: 'x', inputSchema: { b: 2, a: 1 }, name: 't' };
  assert.equal(definitionHash(before), definitionHash(now));
  assert.deepEqual(toolView(tool(before, now)).diff, []);
});

test('what a description hides is a mark of its own, noted, and never cut in two', () => {
  const before = { name: 't', description: 'a\u202Eb' };
  const now = { name: 't', description: 'a\u202Db' };
  const view = toolView(tool(before, now));
  const marks = (view.diff ?? [])
    .flatMap((one) => [...one.before, ...one.changed, ...one.after])
    .filter((one) => one.kind === 'hidden');
  assert.deepEqual(
    marks.map((one) => one.text),
    ['⟨U+202E⟩', '⟨U+202D⟩'],
  );
  assert.deepEqual(
    view.notes.map((one) => one.kind),
    ['hidden'],
  );
  // Two halves of one character are never told apart.
  for (const row of rowsOf({ name: 't', description: 'x😀y' }, { name: 't', description: 'x😁y' }))
    for (const part of row) assert.ok(part.isWellFormed(), JSON.stringify(row));
});

test('what is too large to be shown is not whole, and has no difference', () => {
  const huge = { name: 't', description: 'line\n'.repeat(6000) };
  const view = toolView(tool({ name: 't' }, huge));
  assert.deepEqual([view.whole, view.diff], [false, null]);
});

const requirement: Requirement = {
  id: asPolicyId('x'),
  title: 'X',
  approvers: asGroupId('data-owners'),
  quorum: 1,
  ttlMs: 4 * 3_600_000,
  grantMs: 15 * 60_000,
  reasonRequired: false,
  stepUp: null,
  channels: null,
  escalate: null,
};

test('a requirement in words', () => {
  assert.deepEqual(requirementLines(null), []);
  assert.deepEqual(requirementLines(requirement), ['1 of data-owners, within 4 h']);
  assert.deepEqual(
    requirementLines({
      ...requirement,
      quorum: 2,
      grantMs: 60_000,
      reasonRequired: true,
      stepUp: 'passkey',
      channels: ['web', 'slack'],
      escalate: { afterMs: 600_000, group: asGroupId('leads') },
    }),
    [
      '2 different people of data-owners, within 4 h',
      'after 10 min without them, leads may too',
      'then 1 min to run it',
      'with a reason',
      'with a passkey',
      'only in web and slack',
    ],
  );
});

const judged = {
  versions: { policySet: 1, directory: 1, tools: 1 },
  recent: null,
  policyDigest: null,
  explanation: { text: '', policies: [], clauses: [], wouldAllow: [] },
  toldAgent: '',
};
const verdicts: Readonly<Record<Verdict['effect'], Verdict>> = {
  allow: { ...judged, effect: 'allow' },
  review: { ...judged, effect: 'review', requirements: [requirement, { ...requirement, quorum: 2 }] },
  deny: { ...judged, effect: 'deny', code: 'forbidden' },
};

test('what was only observed says so, and what it would have been, whatever became of it', () => {
  const would = (effect: Verdict['effect']) => glanceWords(verdicts[effect], 'succeeded', 'observe').observed;
  assert.equal(would('allow'), 'observed: nobody was asked; would have been allowed');
  assert.equal(
    would('review'),
    'observed: nobody was asked; would have been held for 1 of data-owners and 2 of data-owners',
  );
  assert.equal(would('deny'), 'observed: nobody was asked; would have been denied (forbidden)');
  assert.equal(glanceWords(verdicts.deny, 'denied', 'enforce').observed, null);
  assert.equal(glanceWords(verdicts.deny, 'denied', 'enforce').text, 'denied (forbidden)');
  assert.equal(glanceWords(verdicts.review, 'denied', 'enforce').text, 'denied by people');
  assert.equal(glanceWords(verdicts.allow, 'succeeded', 'enforce').text, 'allowed, ran');
});

test('what is observed is named, and beyond a few counted', () => {
  assert.equal(observedWords([]), null);
  assert.equal(observedWords(['crm', 'files___write\u202E']), 'crm and files___write⟨U+202E⟩');
  assert.match(
    observedWords(['1', '2', '3', '4', '5', '6', '7', '8']) ?? '',
    /^1, 2, 3, 4, 5, 6 and 2 more$/,
  );
});
