/** What must hold of a life at every crash and at its end, whatever failed meanwhile. */
import assert from 'node:assert/strict';
import { stateOf } from '../../../src/core/case.ts';
import type { AgentId } from '../../../src/core/ids.ts';
import { leafBody } from '../../../src/log/leaf.ts';
import { hashLeaf } from '../../../src/log/merkle.ts';
import { storeSource } from '../../../src/log/verify/store-source.ts';
import { noTrust } from '../../../src/log/verify/keys.ts';
import { verifyWhole } from '../../../src/log/verify/whole.ts';
import { rootOf } from '../../log/support/tree.ts';
import { clockOf, type Ack, type Life } from './life.ts';
import type { Model } from './model.ts';
import { agents, people } from './organisation.ts';
import { channelNames } from './outside.ts';

const pageMax = 500;

/** Tells the model what is new in the store. */
export async function follow(life: Life, model: Model): Promise<void> {
  for (;;) {
    const page = await life.watcher.entries(model.size - 1, pageMax);
    for (const sealed of page) model.take(sealed);
    if (page.length < pageMax) break;
  }
}

/** What was acknowledged is in the log, which the model has read to its end. */
export function checkAcks(life: Life, model: Model): void {
  for (const ack of life.acks.splice(0))
    assert.ok(isThere(ack, model), `acknowledged and not there: ${JSON.stringify(ack)}`);
  assert.deepEqual(life.wrongs, []);
}

function isThere(ack: Ack, model: Model): boolean {
  switch (ack.kind) {
    case 'asked':
      return model.actions.has(ack.action);
    case 'reviewed': {
      const told = model.approvals.get(ack.approval);
      return (ack.decision === 'deny' ? told?.deniers : told?.approvers)?.has(ack.person) === true;
    }
    case 'cancelled':
      return model.approvals.get(ack.approval)?.ended === 'approval.cancelled';
    case 'claimed':
      return model.actions.get(ack.action)?.execution === ack.execution;
    case 'reported':
    case 'settled': {
      const outcome = model.executions.get(ack.execution)?.outcome;
      return outcome === `execution.${ack.status}` || outcome === 'execution.settled';
    }
    case 'stopped':
      return model.entries.some(
        ({ entry }) => entry.type === 'agent.stopped' && entry.data['agent'] === ack.agent,
      );
    case 'said':
      return model.entries.some(
        ({ entry }) => entry.type === ack.type && entry.data[ack.field] === ack.value,
      );
    case 'erased':
      return ack.indexes.every((index) => model.erased.has(index));
  }
}

/** No effect twice, and none that the log does not hold. */
export function checkEffects(life: Life, model: Model): void {
  const byAction = new Map<string, Set<string>>();
  for (const { action, execution, how } of life.dones) {
    const before = byAction.get(action) ?? new Set();
    assert.ok(how === 'cooperative' || !before.has(execution), `${action} took effect twice`);
    byAction.set(action, before.add(execution));
    assert.equal(model.actions.get(action)?.execution, execution, `${action} took effect without its start`);
  }
  for (const [action, executions] of byAction)
    assert.equal(executions.size, 1, `${action} took effect under ${executions.size} grants`);
}

/** Every list of what waits is the one that the entries make. */
export async function checkInboxes(life: Life, model: Model): Promise<void> {
  assert.deepEqual(await life.watcher.head(), model.head);
  const nowMs = clockOf(life).nowMs();
  for (const person of people) {
    const held = await life.watcher.held({ status: 'pending', for: person, limit: 1000 });
    const found = held.flatMap(({ approval }) => approval?.id ?? []);
    assert.deepEqual(found.toSorted(), model.inboxOf(person, nowMs).toSorted(), `the inbox of ${person}`);
  }
  for (const agent of agents) {
    const crowd = await life.watcher.crowd({ agent, people });
    assert.equal(crowd.pending, pendingOf(model, agent), `what waits of ${agent}`);
    for (const { person, pending } of crowd.inbox)
      assert.equal(pending, model.inboxOf(person).length, `the count of ${person}`);
  }
}

const pendingOf = (model: Model, agent: AgentId): number =>
  [...model.actions.values()].filter(
    (told) => told.agent === agent && told.approval !== null && told.granted === null && told.ended === null,
  ).length;

/** Whatever a channel has to be told of has arrived there, waits still, or is given up in the log. */
export async function checkNotices(life: Life, model: Model): Promise<void> {
  const tables = new Map(await life.ground.dump());
  const due = new Set(
    (tables.get('notices') ?? []).map((row) => `${row['channel']} ${row['kind']} ${row['approval_id']}`),
  );
  for (const channel of channelNames)
    for (const notice of model.notices) {
      const key = `${channel} ${notice}`;
      assert.ok(
        life.arrived.get(channel)?.has(notice) === true || due.has(key) || model.givenUp.has(key),
        `nobody told ${channel} of ${notice}, and nobody will`,
      );
    }
}

/** What was erased is nowhere any more. */
export async function checkErased(life: Life, model: Model): Promise<number> {
  const { watcher } = life;
  for (const index of model.erased) {
    const [sealed] = await watcher.entries(index - 1, 1);
    assert.equal(sealed?.statement, '', `entry ${index} can be read`);
    assert.deepEqual(sealed.entry.data, {});
  }
  let gone = 0;
  const rows = (await life.ground.dump()).map(([table, all]) => [table, JSON.stringify(all)] as const);
  for (const [secret, actions] of life.secrets) {
    const stored = [...actions].filter((action) => model.actions.has(action));
    const cases = await Promise.all(stored.map((action) => watcher.caseBy({ action })));
    if (cases.length === 0 || cases.some((held) => held?.asked.erased === undefined)) continue;
    gone += 1;
    for (const [table, text] of rows)
      assert.ok(!text.includes(secret), `${secret} of ${stored.join(', ')} is erased, and still in ${table}`);
  }
  return gone;
}

/** The tree is the one of the entries, verifies as any auditor's would, and every checkpoint that was given out is of it. */
export async function checkTree(life: Life, model: Model): Promise<void> {
  const { watcher } = life;
  const newest = await watcher.newestCheckpoint();
  assert.ok(newest !== undefined, 'nothing was published');
  assert.equal(newest.size, model.size, 'the newest checkpoint covers all');
  const spkis = new Map((await watcher.logKeys()).map((key) => [key.id, key.spki]));
  const hashes: Uint8Array[] = [];
  while (hashes.length < newest.size) {
    const leaves = await watcher.leaves(hashes.length, 4096);
    assert.ok(leaves.length > 0, 'leaves');
    for (const { index, pae, keyId, signature } of leaves) {
      assert.equal(index, hashes.length);
      assert.equal(pae, model.entries[index]?.pae, `the leaf ${index} is of another entry`);
      hashes.push(hashLeaf(leafBody({ pae, signature, spki: spkis.get(keyId) ?? '' })));
    }
  }
  for (const [name, root] of life.given) {
    const size = Number(name.slice(name.lastIndexOf(' ') + 1));
    const made = Buffer.from(rootOf(hashes.slice(0, size))).toString('base64');
    assert.equal(root, made, `the checkpoint ${name} that was given out is of another tree`);
  }
  const report = await verifyWhole(storeSource(watcher, 'the store'), {
    trust: noTrust,
    held: [],
    signatures: 'all',
  });
  assert.ok(typeof report !== 'string', typeof report === 'string' ? report : '');
  assert.deepEqual([report.problems, report.size], [[], model.size]);
}

/** What a place was sent has no gap, and the same entry is the same at every repeat. */
export function checkShipped(life: Life, model: Model): void {
  for (const [place, sent] of life.shipped) {
    const ids: string[] = [];
    for (const { index, id } of sent) {
      assert.ok(index <= ids.length, `${place} has a gap before ${index}`);
      if (index === ids.length) ids.push(id);
      assert.equal(ids[index], id, `${place} was told two of entry ${index}`);
    }
    assert.equal(ids.length, model.size, `${place} has all`);
  }
}

/** Nobody waits for people who have decided. Only where everything is at rest. */
export async function checkWaits(life: Life): Promise<string | null> {
  for (const { owner, action, ms, by } of life.waits) {
    // Who waits for a run looks again every second, and was perhaps too late to be woken. And what failed waits no more.
    if (!owner.alive || ms === 1000 || by?.over !== false) continue;
    const held = await life.watcher.caseBy({ action });
    if (held === undefined || stateOf(held, Number.NEGATIVE_INFINITY) !== 'pending')
      return `somebody waits at ${owner.name} for ${action}, which is decided`;
  }
  return null;
}
