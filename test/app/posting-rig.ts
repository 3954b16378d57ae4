/** A store on disk, a clock of the test's, approvals that are asked and decided, and a channel over a fake platform. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Notices } from '../../src/app/notices.ts';
import { limitDefaults, type Parts } from '../../src/app/parts.ts';
import { createPaces } from '../../src/app/pace.ts';
import { createTurns } from '../../src/app/turns.ts';
import { createWaiters } from '../../src/app/waiters.ts';
import { createWorld } from '../../src/app/world.ts';
import type { Case } from '../../src/core/case.ts';
import type { Post } from '../../src/core/chat.ts';
import type { Directory } from '../../src/core/directory.ts';
import type { Sealed } from '../../src/core/entry.ts';
import {
  actionIdOf,
  approvalIdOf,
  asAgentId,
  asDigest,
  asExecutionId,
  asGroupId,
  asPersonId,
  type ApprovalId,
} from '../../src/core/ids.ts';
import type { JsonValue } from '../../src/core/json.ts';
import type { NoticeKind } from '../../src/core/loaded.ts';
import type { Requirement } from '../../src/core/verdict.ts';
import { createPolicyEngine } from '../../src/policy/engine.ts';
import type { Destination, Told } from '../../src/ports/channel.ts';
import type { Store } from '../../src/ports/store.ts';
import { systemRandom } from '../../src/main.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { action, askCommand, asked, everybody, person, requirement, reviewed } from '../support/world.ts';

export const organisation = 'T0ORG';

export const directory: Directory = {
  people: [
    person('sam', 'data-owners', 'platform'),
    person('rosa', 'data-owners'),
    person('mia', 'data-owners', 'security'),
    person('lee', 'security'),
    person('ada', 'audit'),
  ],
  agents: [{ id: asAgentId('crm-bot'), owners: [asPersonId('sam')], groups: [] }],
  roles: { operators: asGroupId('platform'), auditors: asGroupId('audit') },
};

export const minuteMs = 60_000;

export interface Rig {
  readonly parts: Parts;
  /** Of the store. */
  readonly folder: string;
  /** Moves the clock. */
  readonly later: (ms: number) => void;
  readonly open: (...requirements: readonly Requirement[]) => Promise<ApprovalId>;
  readonly held: (approval: ApprovalId) => Promise<Case>;
  readonly review: (approval: ApprovalId, by: string, decision?: 'approve' | 'deny') => Promise<void>;
  readonly cancel: (approval: ApprovalId) => Promise<void>;
  /** What is due of it by now happens. */
  readonly due: (approval: ApprovalId) => Promise<void>;
  /** It runs, under its grant, and ends. */
  readonly run: (approval: ApprovalId) => Promise<void>;
  readonly told: (kind: NoticeKind, approval: ApprovalId, more?: Partial<Told>) => Promise<Told>;
  readonly posts: (approval: ApprovalId) => Promise<readonly Post[]>;
  readonly entries: (type: string) => Promise<readonly Sealed[]>;
  /** The same disk in the hands of another process: what the dead one still does comes to nothing. */
  readonly restart: () => Promise<void>;
  /** What the next commands of the store come to. */
  plan: (kind: string) => 'ok' | 'fault' | 'hang' | 'hangAfter';
}

const never = (): Promise<never> => new Promise(() => undefined);

/** The store of one process, until that one dies. */
function mortal(store: () => Store, rig: Pick<Rig, 'plan'>, alive: () => boolean): Store {
  const mine = store();
  return {
    ...mine,
    async change(command, idempotency, haste) {
      if (!alive()) return never();
      const plan = rig.plan(command.kind);
      if (plan === 'hang') return never();
      if (plan === 'fault') return { ok: false, error: { kind: 'fault', detail: 'the disk is full' } };
      const result = await mine.change(command, idempotency, haste);
      return plan === 'hangAfter' || !alive() ? never() : result;
    },
    caseBy: (key) => (alive() ? mine.caseBy(key) : never()),
    postsOf: (approval, channel) => (alive() ? mine.postsOf(approval, channel) : never()),
    noticeDone: (id) => (alive() ? mine.noticeDone(id) : never()),
    noticeLater: (id, untilMs, why) => (alive() ? mine.noticeLater(id, untilMs, why) : never()),
    takeNotices: (channel, leaseMs, limit) => (alive() ? mine.takeNotices(channel, leaseMs, limit) : never()),
  };
}

export async function withRig(work: (rig: Rig) => Promise<void>, channels = ['slack']): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-posting-'));
  let nowMs = 1_800_000_000_000;
  const clock = { nowMs: () => nowMs };
  const inner = await openSqlite({ directory: folder, channels, clock });
  let life = 0;
  const engine = createPolicyEngine();
  // No policy keeps anything from anybody.
  const policy: Parts['policy'] = {
    ...engine,
    narrows: () => false,
    mayApprove: (_action, requirements, people) =>
      people.map((one) => ({ person: one, requirements: requirements.map((each) => each.id) })),
  };
  const world = createWorld({ store: inner, policy, clock, random: systemRandom });
  const partsOf = (): Parts => {
    const mine = (life += 1);
    return {
      store: mortal(
        () => inner,
        rig,
        () => life === mine,
      ),
      policy,
      clock,
      random: systemRandom,
      waiters: createWaiters(),
      turns: createTurns(),
      pace: createPaces(),
      world,
      limits: limitDefaults,
      origin: 'http://gate.test',
    };
  };
  let serial = 0;
  const heldOf = async (approval: ApprovalId): Promise<Case> => {
    const held = await inner.caseBy({ approval });
    assert.ok(held !== undefined);
    return held;
  };
  const changed = async (command: Parameters<Store['change']>[0]): Promise<void> => {
    const result = await inner.change(command);
    assert.ok(result.ok, JSON.stringify(result));
  };
  const againOf = (held: Case) => ({
    verdict: held.asked.verdict,
    mayApprove: everybody(
      directory.people,
      held.asked.verdict.effect === 'review' ? held.asked.verdict.requirements : [],
    ),
    targetHolds: true,
    mode: 'enforce' as const,
  });
  const rig: Rig & { parts: Parts } = {
    // Set before anybody has it.
    parts: undefined as unknown as Parts,
    folder,
    plan: () => 'ok',
    later: (ms) => void (nowMs += ms),
    async open(...requirements) {
      const versions = await inner.versions();
      const all = requirements.length > 0 ? requirements : [requirement('export', 'data-owners')];
      serial += 1;
      const one = asked({ ...reviewed(...all), versions }, action({ input: { table: `t${serial}` } }), {
        id: actionIdOf(systemRandom.bytes(16)),
        joinKey: `key ${serial}`,
        atMs: nowMs,
      });
      const approval = approvalIdOf(systemRandom.bytes(16));
      const many = 10_000;
      const limits = { ...limitDefaults, pendingPerAgent: many, inbox: many, creationsPerMinute: many };
      await changed({ ...askCommand(one), approval, expected: versions, limits });
      return approval;
    },
    held: heldOf,
    async review(approval, by, decision = 'approve') {
      const held = await heldOf(approval);
      await changed({
        kind: 'review',
        approval,
        proposed: {
          by: { kind: 'person', id: asPersonId(by) },
          decision,
          digest: held.asked.digest,
          reason: null,
          unsafe: false,
          channel: 'web',
          shownWhole: true,
        },
        again: againOf(held),
        expected: held.asked.verdict.versions,
        limits: limitDefaults,
      });
    },
    cancel: (approval) =>
      changed({ kind: 'cancel', approval, by: { kind: 'person', id: asPersonId('sam') }, reason: null }),
    async due(approval) {
      await changed({ kind: 'due', action: (await heldOf(approval)).asked.id });
    },
    async run(approval) {
      const held = await heldOf(approval);
      const execution = asExecutionId(`exe_${approval.slice(4)}`);
      await changed({
        kind: 'claim',
        action: held.asked.id,
        agent: held.asked.action.agent,
        execution,
        again: againOf(held),
        expected: held.asked.verdict.versions,
        limits: limitDefaults,
      });
      await changed({
        kind: 'outcome',
        execution,
        by: { kind: 'gate' },
        status: 'succeeded',
        detail: null,
        result: null,
      });
    },
    async told(kind, approval, more = {}) {
      const held = await heldOf(approval);
      return {
        kind,
        id: 'ntc_1',
        case: held,
        url: `http://gate.test/approvals/${approval}`,
        headline: 'Export rows of customers',
        to: [dataOwners],
        insteadOf: null,
        owners: [{ id: asPersonId('sam'), name: 'Sam Lee' }],
        nowMs,
        ...more,
      };
    },
    posts: (approval) => inner.postsOf(approval),
    entries: async (type) => (await inner.entries(-1, 100_000)).filter((one) => one.entry.type === type),
    async restart() {
      rig.plan = () => 'ok';
      rig.parts = partsOf();
      await Promise.resolve();
    },
  };
  rig.parts = partsOf();
  // A directory is JSON by construction.
  const body = directory as unknown as JsonValue;
  await changed({
    kind: 'accept',
    how: 'first',
    parts: [{ what: 'directory', body, digest: asDigest('sha256:1') }],
    by: { kind: 'operator' },
    expected: null,
  });
  try {
    await work(rig);
  } finally {
    await inner.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Loops over the outbox of one process, which a test can wait for. */
export interface Kept {
  /** Resolves once nothing is due and nobody works; `stuck` where the gate died of it. */
  readonly idle: () => Promise<'idle' | 'stuck'>;
  readonly stop: () => Promise<void>;
}

/** @param dies whether a call of the test's own has ended the process. */
export function keptOf(
  { parts }: Pick<Rig, 'parts'>,
  start: (parts: Parts) => Notices,
  dies: () => boolean = () => false,
): Kept {
  const { store } = parts;
  const held = new Set<string>();
  let taking = 0;
  let moved = 0;
  const put = (id: string): void => void (held.delete(id), (moved += 1));
  const watched: Parts = {
    ...parts,
    store: {
      ...store,
      async takeNotices(channel, leaseMs, limit) {
        taking += 1;
        const due = await store.takeNotices(channel, leaseMs, limit);
        for (const one of due) held.add(one.id);
        taking -= 1;
        moved += 1;
        return due;
      },
      noticeDone: async (id) => (await store.noticeDone(id), put(id)),
      noticeLater: async (id, untilMs, why) => (await store.noticeLater(id, untilMs, why), put(id)),
    },
  };
  const notices = start(watched);
  return {
    async idle() {
      for (let quiet = 0, seen = moved; quiet < 5;) {
        if (dies()) return 'stuck';
        await new Promise((resolve) => setTimeout(resolve, 1));
        quiet = moved === seen && taking === 0 && held.size === 0 && moved > 0 ? quiet + 1 : 0;
        seen = moved;
      }
      return 'idle';
    },
    stop: () => notices.stop(),
  };
}

export const dataOwners: Destination = { group: asGroupId('data-owners'), to: '#data' };
