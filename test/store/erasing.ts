/** What tests of erasures share: a world with two operators, a tree that stands where the log does, and what a database still holds. */
import assert from 'node:assert/strict';
import { chain, emptyHead, payloadType, preAuthentication } from '../../src/core/entry.ts';
import { erasedIndexes } from '../../src/core/erased.ts';
import {
  asAgentId,
  asGroupId,
  asPersonId,
  holdIdOf,
  type ActionId,
  type HoldId,
} from '../../src/core/ids.ts';
import type { Answer } from '../../src/core/loaded.ts';
import type { ErasureScope } from '../../src/core/retention.ts';
import { asSha256Hex } from '../../src/core/ids.ts';
import { sha256Hex } from '../../src/core/sha256.ts';
import type { ChangeError, Store } from '../../src/ports/store.ts';
import type { Result } from '../../src/core/result.ts';
import { tables } from '../../src/store/schema.ts';
import { caseOf, handle, value, type Opened } from './bench.ts';
import * as world from './world.ts';

export const pia = asPersonId('pia');
const platform = asGroupId('platform');
/** Oz and pia are operators, and so is sam, who owns the agent; rosa, who approves, too. */
export const directory = {
  ...world.directory,
  people: [
    ...world.directory.people.map((one) =>
      one.id === world.rosa || one.id === world.sam ? { ...one, groups: [...one.groups, platform] } : one,
    ),
    { id: pia, name: 'Pia Bo', groups: [platform] },
  ],
  agents: [...world.directory.agents, { id: asAgentId('other-bot'), owners: [world.mia], groups: [] }],
};

/** Nothing else in the store holds these. */
export const secrets = {
  input: 'zebra-4711',
  review: 'walrus-4712',
  detail: 'ocelot-4713',
  result: 'badger-4714',
  callback: 'lemur-4715',
  run: 'heron-4716',
} as const;
export const pattern = /(?:zebra|walrus|ocelot|badger|lemur|heron)-47\d\d/;

/** The tree stands where the log does; the signatures are nobody's. */
export async function publishAll(store: Store): Promise<void> {
  for (;;) {
    const published = await store.takeTree('test', 60_000);
    assert.ok(published !== null);
    const [{ size }, entries] = await Promise.all([store.head(), store.rawEntries(published.size, 1000)]);
    const last = entries.at(-1);
    if (last === undefined) return;
    const leaves = entries.map(({ index }) => ({ index, keyId: 'k', signature: 's' }));
    const { epoch } = published;
    const publishing = { epoch, from: published.size, leaves, tiles: [], head: last.head, checkpoint: null };
    assert.ok((await store.publish(publishing)).ok);
    if (last.index + 1 >= size) return;
  }
}

/** An action that was approved by rosa, ran and ended, with something of it everywhere. */
export async function ended(opened: Opened, operation = 'crm___export'): Promise<ActionId> {
  const { store } = opened;
  const versions = await store.versions();
  const ask = world.ask(world.review(versions), {
    operation,
    input: { secret: secrets.input, n: Math.random() },
    run: secrets.run,
    callback: `https://example.com/${secrets.callback}`,
    amount: 4717,
  });
  value(
    await store.change(ask, {
      principal: 'agent:crm-bot',
      key: `${secrets.run}${ask.asked.id}`,
      fingerprint: 'f',
    }),
  );
  const review = world.reviewOf(handle(ask), world.rosa);
  value(await store.change({ ...review, proposed: { ...review.proposed, reason: secrets.review } }));
  const claim = world.claim(ask.asked.id, ask.asked.verdict);
  value(await store.change(claim));
  value(
    await store.change({
      kind: 'outcome',
      execution: claim.execution,
      by: { kind: 'agent', id: world.agent },
      status: 'succeeded',
      detail: secrets.detail,
      result: { text: secrets.result },
    }),
  );
  return ask.asked.id;
}

/** An action that was denied outright, and so is over at once. */
export async function denied(opened: Opened): Promise<ActionId> {
  const ask = world.ask(world.deny(await opened.store.versions()), { input: { secret: secrets.input } });
  return caseOf(await opened.store.change(ask)).asked.id;
}

export const erase = (
  store: Store,
  by: typeof pia | 'gate',
  scope: ErasureScope,
  reason = 'asked for',
): Promise<Result<Answer, ChangeError>> =>
  store.change({
    kind: 'erase',
    by: by === 'gate' ? { kind: 'gate' } : { kind: 'person', id: by },
    scope,
    reason,
    basis: 'GDPR Art. 17',
  });

export const eraseAction = (store: Store, by: typeof pia, action: ActionId) =>
  erase(store, by, { kind: 'action', action });

export function erasedOf(result: Result<Answer, ChangeError>): Extract<Answer, { kind: 'erased' }> {
  const answer = value(result);
  assert.ok(answer.kind === 'erased');
  return answer;
}

export async function placed(
  store: Store,
  by: typeof pia,
  on: { readonly action?: ActionId; readonly person?: typeof pia } = {},
): Promise<HoldId> {
  const id = holdIdOf(world.fresh());
  const hold = { id, action: on.action ?? null, person: on.person ?? null, reason: 'a case in court' };
  value(await store.change({ kind: 'hold', by, hold }));
  return id;
}

/** Recomputes the log as a verifier does, blanks and all; answers the indexes that are blank. */
export async function assertErasedLog(store: Store): Promise<readonly number[]> {
  const blanks: number[] = [];
  const found = [];
  let head = emptyHead;
  for (let after = -1; ;) {
    const page = await store.entries(after, 1000);
    if (page.length === 0) break;
    for (const sealed of page) {
      after += 1;
      assert.equal(sealed.entry.index, after, 'entries are dense');
      if (sealed.statement === '') blanks.push(after);
      else assert.equal(sealed.pae, sha256Hex(preAuthentication(payloadType, sealed.statement)));
      if (sealed.entry.type === 'payloads.erased') found.push(sealed.entry);
      head = chain(head, asSha256Hex(sealed.pae));
      assert.equal(sealed.head, head, `entry ${after} follows`);
    }
  }
  const erased = erasedIndexes(found);
  assert.deepEqual(
    blanks.filter((index) => !erased.has(index)),
    [],
    'every blank is named',
  );
  const named = erased.ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0);
  assert.equal(named, blanks.length, 'and nothing is named that is there still');
  assert.equal((await store.head()).head, head);
  return blanks;
}

/** Every row of every table, as text. */
export async function everything({ raw }: Opened): Promise<string> {
  const rows = await Promise.all(tables.map(async (table) => [table, await raw(`SELECT * FROM ${table}`)]));
  return JSON.stringify(rows);
}
