/** A sentence for every type of entry, whatever its data holds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { aboutNothing, entryTypes, type Entry } from '../../../src/core/entry.ts';
import { asAgentId, asPersonId } from '../../../src/core/ids.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import { entryData, entryWords } from '../../../src/core/render/log-words.ts';
import { visible } from '../../../src/core/visible.ts';
import { directory } from '../../support/world.ts';
import { stringsIn } from './scenes.ts';

const entry = (type: Entry['type'], data: JsonObject, by: Entry['by'] = { kind: 'gate' }): Entry => ({
  index: 0,
  at: '2026-11-20T09:30:00.000Z',
  type,
  by,
  about: aboutNothing,
  data,
});
const rosa = { kind: 'person', id: asPersonId('rosa') } as const;

test('entries in plain words', () => {
  const words = (...args: Parameters<typeof entry>): string => entryWords(entry(...args), directory).text;
  const bot = { kind: 'agent', id: asAgentId('crm-bot') } as const;
  assert.equal(
    words('action.asked', { operation: 'crm___x', verdict: { effect: 'review' } }, bot),
    'The agent crm-bot asked for a run of crm___x: held for people.',
  );
  assert.equal(
    words('approval.opened', { requirements: [{ quorum: 2, approvers: 'security' }] }),
    'People were asked about an action: 2 of security must approve.',
  );
  assert.equal(
    words('approval.approved', { people: ['rosa', 'mia'] }),
    'An action was approved by rosa and mia, and may run once.',
  );
  assert.equal(words('approval.denied', { reason: 'No.' }, rosa), 'An action was denied by rosa: No.');
  assert.equal(
    words('review.recorded', { decision: 'deny', unsafe: true, channel: 'web', reason: null }, rosa),
    'rosa denied an action as unsafe',
  );
  assert.equal(words('person.signed_in', {}, rosa), 'rosa signed in.');
  assert.equal(words('person.signed_out', {}, rosa), 'rosa signed out.');
});

test('every type has its sentence, and nothing hides in it', () => {
  const data = fc.dictionary(
    fc.constantFrom(
      'operation',
      'reason',
      'verdict',
      'requirements',
      'people',
      'for',
      'person',
      'decision',
      'code',
    ),
    fc.jsonValue(),
  ) as fc.Arbitrary<JsonObject>;
  fc.assert(
    fc.property(fc.constantFrom(...entryTypes), data, fc.string({ unit: 'binary' }), (type, some, id) => {
      const one = entry(type, some, { kind: 'person', id: asPersonId(id) });
      const words = entryWords(one, directory);
      assert.ok(words.text.length > 5);
      for (const text of [...stringsIn(words), ...stringsIn(entryData(one))])
        assert.equal(visible(text), text);
    }),
  );
});
