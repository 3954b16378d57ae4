/**
 * Seeded simulation of whole lives: agents ask and ask again, people decide at once, policies and people change, the store
 * fails in both ways (not done; done but reported as failed), and the gate crashes and starts again on the same disk.
 * `SEEDS=100 SEED=7 npm run sim` runs seeds 7 to 106. A failure prints its seed.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { authorize, type Attempt } from '../../src/app/authorize.ts';
import { recover } from '../../src/app/deadlines.ts';
import { delivered, effectOnce, runHeld } from '../../src/app/execute.ts';
import { limitDefaults, type Parts } from '../../src/app/parts.ts';
import { cancel, review } from '../../src/app/review.ts';
import { createPaces } from '../../src/app/pace.ts';
import { createTurns } from '../../src/app/turns.ts';
import { createWaiters } from '../../src/app/waiters.ts';
import { createWorld, type World } from '../../src/app/world.ts';
import { stateOf } from '../../src/core/case.ts';
import type { Directory } from '../../src/core/directory.ts';
import { chain, emptyHead } from '../../src/core/entry.ts';
import { asAgentId, asApprovalId, asGroupId, asPersonId } from '../../src/core/ids.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { sha256Hex } from '../../src/core/sha256.ts';
import { preAuthentication, payloadType } from '../../src/core/entry.ts';
import type { PolicyTexts } from '../../src/ports/policy.ts';
import type { Store } from '../../src/ports/store.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { Lives } from '../../src/log/verify/life.ts';
import { readStatement } from '../../src/log/verify/statement.ts';
import { faulty } from './support/faulty.ts';
import { simEngine } from './support/organisation.ts';
import { generator, seedsOf, type Generator } from './support/random.ts';

const people = ['ann', 'bob', 'cat', 'dan', 'eve'] as const;
const agents = ['bot-a', 'bot-b'] as const;

/** ann owns bot-a, bob owns bot-b; who is in which group changes. */
function organisation(random: Generator): Directory {
  return {
    people: people.map((id) => ({
      id: asPersonId(id),
      name: id,
      groups: [asGroupId('everybody'), ...(random.chance(0.8) ? [asGroupId('owners')] : [])],
    })),
    agents: agents.map((id, at) => ({
      id: asAgentId(id),
      owners: [asPersonId(at === 0 ? 'ann' : 'bob')],
      groups: [],
    })),
    roles: { operators: asGroupId('everybody'), auditors: null },
  };
}

const permit = '@id("all") permit (principal, action, resource);';
const needsOwners = (quorum: number): string =>
  `@id("owners") @title("Owners decide") @approvers("owners") @quorum("${quorum}")\nforbid (principal, action == Action::"shop___refund", resource);`;
const sets: readonly string[] = [
  `${permit}\n${needsOwners(1)}`,
  `${permit}\n${needsOwners(2)}`,
  `${permit}\n${needsOwners(2)}\n@id("too-much") @title("Too much") forbid (principal, action == Action::"shop___refund", resource) when { context.input.cents > 5 };`,
  permit,
  '@id("broken") permit (principal, action',
];
const texts = (text: string): PolicyTexts => ({
  policies: [{ file: 'sim.cedar', text }],
  schemas: [],
  entities: null,
});
const operations = [
  {
    operation: 'shop___refund',
    input: { type: 'object', properties: { cents: { type: 'integer' } } },
    profile: null,
    mode: 'enforce' as const,
  },
];

interface Life {
  readonly folder: string;
  readonly random: Generator;
  /** How often each action's effect happened. */
  readonly effects: Map<string, number>;
  readonly clock: { nowMs: () => number };
  passMs: (ms: number) => void;
}

interface Running {
  readonly parts: Parts;
  readonly world: World;
  readonly store: Store & { failing: boolean };
}

async function start(life: Life): Promise<Running> {
  const store = faulty(
    await openSqlite({ directory: life.folder, channels: [], clock: life.clock }),
    life.random,
  );
  const policy = simEngine();
  const world = createWorld({ store, policy, clock: life.clock, random: life.random });
  const waiters = createWaiters();
  store.onChange((changed) => waiters.wake(changed));
  const parts: Parts = {
    store,
    policy,
    world,
    waiters,
    turns: createTurns(),
    pace: createPaces(),
    clock: life.clock,
    random: life.random,
    limits: limitDefaults,
    origin: 'http://localhost',
  };
  await recover(parts);
  return { parts, world, store };
}

const attempt = (life: Life, world: World): Attempt | undefined => {
  const entry = world.catalog.entry('shop___refund');
  if (entry === undefined) return undefined;
  return {
    agent: asAgentId(life.random.pick(agents)),
    session: null,
    startedBy: null,
    delegation: [],
    operation: 'shop___refund',
    resource: null,
    input: { cents: life.random.pick([1, 2, 9]) },
    target: entry.target,
    enforcement: 'mediated',
    reason: null,
    run: null,
    profile: null,
    runsNow: true,
  };
};

async function agentCalls(life: Life, { parts, world }: Running): Promise<void> {
  const fresh = attempt(life, world);
  if (fresh === undefined) return;
  // Half of the calls repeat one that is held, as clients do that gave up waiting.
  const known = life.random.chance(0.5)
    ? (await parts.store.held({ status: 'all', limit: 10 })).map((held) => held.asked.action)
    : [];
  const again = known.length > 0 ? life.random.pick(known) : fresh;
  const tried: Attempt = { ...fresh, agent: again.agent, input: again.input };
  const effect = async (): Promise<{ status: 'succeeded'; detail: null; result: JsonObject }> => {
    life.effects.set(running, (life.effects.get(running) ?? 0) + 1);
    return { status: 'succeeded', detail: null, result: {} };
  };
  let running = '';
  const asked = await authorize(parts, tried);
  if (!asked.ok) return;
  const { held } = asked.value;
  running = held.asked.id;
  const { execution } = held;
  if (execution !== null && !asked.value.joined && execution.status === 'started')
    await effectOnce(parts, held, execution.id, effect);
  else if (stateOf(held, parts.clock.nowMs()) === 'ready')
    await runHeld(parts, held, effect, { signal: AbortSignal.timeout(20) });
  if (life.random.chance(0.8)) await delivered(parts, held.asked.id);
}

async function somebodyDecides(life: Life, { parts }: Running): Promise<void> {
  const pending = await parts.store.held({ status: 'pending', limit: 50 });
  if (pending.length === 0) return;
  const held = life.random.pick(pending);
  const approval = held.approval?.id ?? asApprovalId('');
  if (life.random.chance(0.05))
    await cancel(parts, { kind: 'agent', id: held.asked.action.agent }, approval, { reason: null });
  const clicks = Array.from({ length: 1 + life.random.below(4) }, () =>
    review(parts, { kind: 'person', id: asPersonId(life.random.pick(people)) }, approval, {
      decision: life.random.chance(0.05) ? 'deny' : 'approve',
      digest: held.asked.digest,
      reason: null,
      unsafe: false,
      channel: 'web',
      shownWhole: true,
    }),
  );
  await Promise.all(clicks);
}

/** What the log alone must show, whatever happened. */
async function checkLog(
  life: Life,
  store: Store,
): Promise<{ readonly runs: number; readonly approvedRuns: number }> {
  const entries = await store.entries(-1, 1_000_000);
  let head = emptyHead;
  const started = new Set<string>();
  const approved = new Map<string, Set<string>>();
  const asksPeople = new Set<string>();
  let approvedRuns = 0;
  const lives = new Lives();
  for (const [index, sealed] of entries.entries()) {
    const facts = readStatement(sealed.statement, index);
    // What `log verify` asks of every log.
    assert.deepEqual(typeof facts === 'string' ? facts : lives.see(facts), []);
    assert.equal(sealed.entry.index, index, 'dense');
    assert.equal(sealed.pae, sha256Hex(preAuthentication(payloadType, sealed.statement)));
    head = chain(head, sealed.pae);
    assert.equal(sealed.head, head, 'chained');
    const action = sealed.entry.about.action ?? '';
    const { type, data, by } = sealed.entry;
    if (type === 'approval.opened') asksPeople.add(action);
    if (type === 'review.recorded' && data['decision'] === 'approve' && by.kind === 'person')
      approved.set(action, (approved.get(action) ?? new Set()).add(by.id));
    if (type === 'execution.started') {
      assert.ok(!started.has(action), `${action} started once`);
      started.add(action);
      if (asksPeople.has(action)) {
        approvedRuns += 1;
        const owner =
          (await store.caseBy({ action: sealed.entry.about.action as never }))?.asked.action.agent === 'bot-a'
            ? 'ann'
            : 'bob';
        assert.ok((approved.get(action)?.size ?? 0) >= 1, 'somebody approved');
        assert.ok(!approved.get(action)?.has(owner), 'and not its owner');
      }
    }
  }
  assert.deepEqual(await store.head(), { size: entries.length, head });
  for (const [action, count] of life.effects) {
    assert.equal(count, 1, `${action} took effect once`);
    assert.ok(started.has(action), `${action} was in the log before it took effect`);
  }
  return { runs: started.size, approvedRuns };
}

async function live(seed: number, rounds: number) {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-sim-'));
  const random = generator(seed);
  let now = 1_800_000_000_000;
  const life: Life = {
    folder,
    random,
    effects: new Map(),
    clock: { nowMs: () => now },
    passMs: (ms) => void (now += ms),
  };
  try {
    let running = await start(life);
    const propose = async (): Promise<void> => {
      running.store.failing = false;
      await running.world.propose(
        { directory: organisation(random), servers: [], operations },
        { kind: 'texts', texts: texts(random.pick(sets)) },
      );
    };
    await propose();
    for (let round = 0; round < rounds; round += 1) {
      running.store.failing = true;
      const work = Array.from({ length: 1 + random.below(4) }, () =>
        random.chance(0.55) ? agentCalls(life, running) : somebodyDecides(life, running),
      );
      await Promise.all(work);
      life.passMs(random.below(120_000));
      if (random.chance(0.02)) life.passMs(5 * 3_600_000);
      if (random.chance(0.05)) await propose();
      if (random.chance(0.05)) {
        running.store.failing = false;
        await running.store.close();
        running = await start(life);
        await propose();
      }
    }
    const counted = await checkLog(life, running.store);
    await running.store.close();
    return counted;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const seedList = seedsOf(8);
const [first = 1] = seedList;
const seeds = seedList.length;

test(`lives of seeds ${first} to ${first + seeds - 1}: nothing runs twice, nothing without its people, the log is whole`, async () => {
  let runs = 0;
  let approvedRuns = 0;
  for (let seed = first; seed < first + seeds; seed += 1) {
    const counted = await live(seed, 100).catch((error: unknown) => {
      throw new Error(`seed ${seed}`, { cause: error });
    });
    runs += counted.runs;
    approvedRuns += counted.approvedRuns;
  }
  console.log(`${seeds} lives: ${runs} runs, ${approvedRuns} of them approved by people`);
  assert.ok(approvedRuns >= seeds, 'lives without approved runs would show nothing');
});
