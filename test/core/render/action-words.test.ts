/** The sentences of the log name the agent and the action, whatever its profile says, and no more than a reader may see. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entryTypes, type Entry } from '../../../src/core/entry.ts';
import { asActionId, asAgentId, asPersonId } from '../../../src/core/ids.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import type { Profile } from '../../../src/core/profile.ts';
import { actionWords } from '../../../src/core/render/action-words.ts';
import { entryWords } from '../../../src/core/render/log-words.ts';
import type { Titled } from '../../../src/core/render/read.ts';
import { hiddenWords, veiled } from '../../../src/core/sight.ts';
import { action, directory } from '../../support/world.ts';
import { deleteProfile, exportProfile, grantProfile, scene, seen } from './scenes.ts';

const sam = { kind: 'person', id: asPersonId('sam') } as const;
const entry = (type: Entry['type'], data: JsonObject, by: Entry['by'] = { kind: 'gate' }): Entry => ({
  index: 7,
  at: '2026-11-20T09:30:00.000Z',
  type,
  by,
  about: { action: asActionId('act_1'), approval: null, execution: null },
  data,
});
const exported: Titled = {
  action: action({
    agent: asAgentId('crm-bot'),
    operation: 'crm___export_rows',
    resource: { type: 'Dataset', id: 'customers' },
    input: { table: 'customers' },
  }),
  profile: exportProfile,
  preview: seen('count_rows', { rows: 5204 }),
  before: null,
};
const titled = (profile: Profile | null, more: Parameters<typeof action>[0] = {}): Titled => ({
  ...exported,
  action: { ...exported.action, ...more },
  profile,
  preview: null,
});

test('a denial reads as the issue wants it', () => {
  const said = entryWords(
    entry('review.recorded', { decision: 'deny', channel: 'web', reason: 'wrong quarter' }, sam),
    directory,
    exported,
  );
  assert.equal(said.text, 'sam denied crm-bot’s export of 5,204 rows from customers: wrong quarter');
  const chat = entry('review.recorded', { decision: 'approve', channel: 'slack', reason: null }, sam);
  assert.equal(
    entryWords(chat, directory, exported).text,
    'sam approved crm-bot’s export of 5,204 rows from customers (slack)',
  );
});

test('what an action is called follows its verb; an unknown verb is quoted as it stands', () => {
  const said = (one: Titled): string => actionWords(one).owned;
  assert.equal(
    said({ ...exported, preview: null }),
    'crm-bot’s export of an unknown number of rows from customers',
  );
  assert.equal(
    said(titled(grantProfile, { input: { principal: 'crm-bot', role: 'admin', scope: 'eu' } })),
    'crm-bot’s grant of admin on eu to crm-bot',
  );
  assert.equal(
    said(titled(deleteProfile, { resource: { type: 'Region', id: 'eu-west' } })),
    'crm-bot’s deletion of region eu-west',
  );
  assert.equal(said(titled(null)), 'crm-bot’s run of export_rows of crm');
  assert.equal(
    said(titled({ verb: 'Frobnicate', effect: 'write' })),
    'crm-bot’s action “Frobnicate customers”',
  );
  assert.equal(actionWords(exported).plain, 'an export of 5,204 rows from customers');
  assert.equal(actionWords(titled(null)).plain, 'a run of export_rows of crm');
});

test('every sentence about an action names its agent and the action, and none says “it”', () => {
  const subjects = /^(?:approval|execution|grant|outcome|preview|question|review)\./;
  const about = entryTypes.filter((type) => subjects.test(type) || type === 'notice.posted');
  assert.ok(about.length > 15);
  for (const type of about) {
    const { text } = entryWords(
      entry(type, { channel: 'slack', to: '#data', tool: 'x' }, sam),
      directory,
      exported,
    );
    assert.match(text, /crm-bot’s export of 5,204 rows from customers/, type);
    assert.doesNotMatch(text, /\bit\b/i, type);
    const alone = entryWords(entry(type, {}, sam), directory);
    assert.match(alone.text, /the action act_1/i, type);
  }
  const asked = entry(
    'action.asked',
    { operation: 'crm___x', verdict: { effect: 'review' } },
    {
      kind: 'agent',
      id: asAgentId('crm-bot'),
    },
  );
  assert.equal(
    entryWords(asked, directory, exported).text,
    'The agent crm-bot asked for an export of 5,204 rows from customers: held for people.',
  );
});

test('secrets are masked in a sentence, and what is not the reader’s to see is not in it', () => {
  const secret = 'AKIAIOSFODNN7EXAMPLE';
  const masked = entryWords(
    entry('execution.started', { enforcement: 'mediated' }),
    directory,
    titled({ verb: 'Read', effect: 'read' }, { resource: { type: 'File', id: `/k/${secret}` } }),
  );
  assert.match(masked.text, /read of \/k\/⟨masked/);
  assert.ok(!masked.text.includes(secret));
  const { held } = scene(exported.action, { profile: exportProfile, preview: exported.preview });
  const hidden = actionWords(veiled(held).asked).owned;
  assert.ok(!hidden.includes('customers') && !hidden.includes(hiddenWords) && !hidden.includes('5,204'));
  assert.match(hidden, /’s export of /);
});

test('an erased entry says so and no more, whatever is still known of its action', () => {
  const { text } = entryWords({ ...entry('review.recorded', {}), erased: true }, directory, exported);
  assert.match(text, /was erased/);
  assert.ok(!text.includes('customers'));
});
