import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Case } from '../../src/core/case.ts';
import { asAgentId, asApprovalId, asPersonId } from '../../src/core/ids.ts';
import { askLimitDefaults, refusesStopped, type Stop } from '../../src/core/stops.ts';
import type { Verdict } from '../../src/core/verdict.ts';
import {
  action,
  allowed,
  askCommand,
  asked,
  directory,
  everybody,
  executionId,
  memory,
  requirement,
  reviewed,
  versions,
} from '../support/world.ts';

type Memory = ReturnType<typeof memory>;
type Answer = ReturnType<Memory['change']>;
const need = requirement('r', 'data-owners');
const wanted = reviewed(need);
const bot = asAgentId('crm-bot');
let serial = 0;

const codeOf = (answer: Answer): string =>
  answer.ok ? 'ok' : answer.error.kind === 'refused' ? answer.error.refusal.code : answer.error.kind;

function ask(
  store: Memory,
  options: { readonly likeKey?: string; readonly verdict?: Verdict; readonly mode?: 'observe' } = {},
) {
  serial += 1;
  const { likeKey = `like ${serial}`, verdict = wanted } = options;
  const one = asked(verdict, action(), {
    joinKey: `join ${serial}`,
    likeKey,
    atMs: store.world.nowMs,
    ...(options.mode === undefined ? {} : { mode: options.mode }),
  });
  const execution =
    verdict.effect === 'allow' || options.mode !== undefined ? executionId(`e${serial}`) : null;
  return { one, answer: store.change(askCommand(one, { execution })) };
}

function held(answer: Answer): Case {
  assert.ok(answer.ok && answer.value.kind === 'case', JSON.stringify(answer));
  return answer.value.case;
}

const review = (
  store: Memory,
  of: Case,
  decision: 'approve' | 'deny',
  more: { readonly by?: string; readonly unsafe?: boolean } = {},
) =>
  store.change({
    kind: 'review',
    approval: of.approval?.id ?? asApprovalId(''),
    proposed: {
      by: { kind: 'person', id: asPersonId(more.by ?? 'rosa') },
      decision,
      digest: of.asked.digest,
      reason: 'that is the wrong quarter',
      unsafe: more.unsafe ?? false,
      channel: 'web',
      shownWhole: true,
    },
    again: {
      verdict: of.asked.verdict,
      mayApprove: everybody(directory.people, [need]),
      targetHolds: true,
      mode: 'enforce',
    },
    expected: versions,
    limits: askLimitDefaults,
  });

const claim = (
  store: Memory,
  of: Case,
  verdict: Verdict = of.asked.verdict,
  mode: 'enforce' | 'observe' = 'enforce',
) =>
  store.change({
    kind: 'claim',
    action: of.asked.id,
    agent: bot,
    execution: executionId(`c${(serial += 1)}`),
    again: { verdict, mayApprove: everybody(directory.people, [need]), targetHolds: true, mode },
    expected: versions,
    limits: askLimitDefaults,
  });

const stop = (store: Memory, by: string, approval: Case['approval'] = null) =>
  store.change({
    kind: 'stop',
    agent: bot,
    by: asPersonId(by),
    approval: approval?.id ?? null,
    reason: 'it loops',
  });
const lift = (store: Memory, by: string, operation: string | null = null) =>
  store.change({ kind: 'lift', agent: bot, operation, by: asPersonId(by), reason: null });

test('five wait for people, the sixth is refused, and nobody is told of it', () => {
  const store = memory({ directory });
  for (let n = 0; n < 5; n += 1) held(ask(store).answer);
  const entries = store.log.length;
  assert.equal(codeOf(ask(store).answer), 'quota');
  assert.equal(store.log.length, entries);
  assert.equal(codeOf(ask(store, { verdict: allowed }).answer), 'ok', 'what needs nobody is not limited');
});

test('sixty approvals a minute at most, however fast they are withdrawn', () => {
  const store = memory({ directory });
  for (let n = 0; n < 60; n += 1) {
    const one = held(ask(store).answer);
    const approval = one.approval?.id ?? asApprovalId('');
    assert.ok(store.change({ kind: 'cancel', approval, by: { kind: 'agent', id: bot }, reason: null }).ok);
  }
  assert.equal(codeOf(ask(store).answer), 'quota');
  store.world.nowMs += 60_001;
  assert.equal(codeOf(ask(store).answer), 'ok');
});

test('a full inbox refuses what only its owner could decide, and no more', () => {
  const store = memory({ directory });
  const limits = { ...askLimitDefaults, pendingPerAgent: 1e9, creationsPerMinute: 1e9, inbox: 3 };
  const open = (verdict: Verdict) => {
    serial += 1;
    const one = asked(verdict, action(), { joinKey: `join ${serial}`, atMs: store.world.nowMs });
    return store.change(askCommand(one, { limits }));
  };
  for (let n = 0; n < 3; n += 1) held(open(wanted));
  assert.equal(codeOf(open(wanted)), 'quota');
  assert.equal(
    codeOf(open(reviewed(requirement('s', 'security', { quorum: 2 })))),
    'quota',
    'mia is one of two',
  );
  assert.equal(codeOf(open(reviewed(requirement('s', 'security')))), 'ok', 'lee has room');
});

test('a stopped agent asks nothing, runs nothing that was approved, and gets nothing approved', () => {
  const store = memory({ directory });
  const approved = held(ask(store).answer);
  const ready = held(review(store, approved, 'approve'));
  const waiting = held(ask(store).answer);
  assert.equal(codeOf(stop(store, 'ada')), 'not_permitted', 'an auditor only reads');
  assert.equal(codeOf(stop(store, 'lee')), 'not_permitted');
  assert.equal(codeOf(stop(store, 'rosa', waiting.approval)), 'ok', 'whoever reviews its action may');
  assert.equal(codeOf(ask(store, { verdict: allowed }).answer), 'agent_stopped');
  assert.equal(codeOf(ask(store, { mode: 'observe' }).answer), 'agent_stopped', 'observing stops no stop');
  assert.equal(codeOf(ask(store).answer), 'agent_stopped');
  assert.equal(codeOf(claim(store, ready)), 'agent_stopped');
  assert.equal(codeOf(review(store, waiting, 'approve', { by: 'mia' })), 'agent_stopped');
  assert.equal(codeOf(review(store, waiting, 'deny', { by: 'mia' })), 'ok', 'stopping goes on working');
  assert.equal(codeOf(lift(store, 'sam')), 'not_permitted', 'sam is an operator, and owns it');
  assert.equal(codeOf(lift(store, 'rosa')), 'not_permitted');
  const other = memory({
    directory: {
      ...directory,
      people: directory.people.map((one) =>
        one.id === 'mia' ? { ...one, groups: [...one.groups, ...(directory.people[0]?.groups ?? [])] } : one,
      ),
    },
  });
  assert.equal(codeOf(stop(other, 'sam')), 'ok', 'its owner may stop it');
  assert.equal(codeOf(lift(other, 'mia')), 'ok', 'an operator who does not own it may lift that');
  assert.equal(codeOf(lift(other, 'mia')), 'not_found');
  assert.equal(codeOf(ask(other, { verdict: allowed }).answer), 'ok');
  assert.deepEqual(
    other.log.map((entry) => entry.type).filter((type) => /stop/.test(type)),
    ['agent.stopped', 'stop.lifted'],
  );
});

test('an unsafe denial refuses the same action for fifteen minutes, under any session or run, with the reason', () => {
  const store = memory({ directory });
  held(review(store, held(ask(store, { likeKey: 'export' }).answer), 'deny', { unsafe: true }));
  const again = ask(store, { likeKey: 'export' }).answer;
  assert.equal(codeOf(again), 'cooldown');
  assert.ok(!again.ok && again.error.kind === 'refused');
  assert.match(again.error.refusal.detail, /wrong quarter/);
  assert.equal(
    codeOf(ask(store, { likeKey: 'export', verdict: allowed }).answer),
    'cooldown',
    'allowed today or not',
  );
  assert.equal(codeOf(ask(store, { likeKey: 'another' }).answer), 'ok');
  store.world.nowMs += 15 * 60_000 - 1;
  assert.equal(codeOf(ask(store, { likeKey: 'export' }).answer), 'cooldown');
  store.world.nowMs += 1;
  assert.equal(codeOf(ask(store, { likeKey: 'export' }).answer), 'ok');
});

test('an ordinary denial stops nothing else', () => {
  const store = memory({ directory });
  held(review(store, held(ask(store, { likeKey: 'export' }).answer), 'deny'));
  assert.equal(codeOf(ask(store, { likeKey: 'export' }).answer), 'ok');
});

test('what was approved before an unsafe denial of the same action does not run during its time', () => {
  const store = memory({ directory });
  const [one, two] = [ask(store, { likeKey: 'export' }), ask(store, { likeKey: 'export' })];
  const ready = held(review(store, held(one.answer), 'approve'));
  store.world.nowMs += 1000;
  held(review(store, held(two.answer), 'deny', { unsafe: true, by: 'mia' }));
  assert.equal(codeOf(claim(store, ready)), 'cooldown');
});

test('three unsafe denials within a day pause the operation for that agent until another operator lifts it', () => {
  const store = memory({ directory });
  for (let n = 0; n < 3; n += 1) {
    assert.equal(store.bounds.stops.length, 0);
    held(review(store, held(ask(store).answer), 'deny', { unsafe: true }));
    store.world.nowMs += 3_600_000;
  }
  assert.equal(codeOf(ask(store).answer), 'operation_paused');
  assert.equal(codeOf(ask(store, { verdict: allowed }).answer), 'operation_paused');
  assert.ok(store.log.some((entry) => entry.type === 'operation.paused'));
  assert.equal(codeOf(lift(store, 'sam', 'crm___export_rows')), 'not_permitted');
});

test('unsafe denials further apart than a day pause nothing', () => {
  const store = memory({ directory });
  for (let n = 0; n < 4; n += 1) {
    held(review(store, held(ask(store).answer), 'deny', { unsafe: true }));
    store.world.nowMs += 13 * 3_600_000;
  }
  assert.deepEqual(store.bounds.stops, []);
});

test('observed: the verdict is recorded, nobody is asked, and every entry says so', () => {
  const store = memory({ directory });
  const one = held(ask(store, { mode: 'observe' }).answer);
  assert.equal(one.approval, null);
  assert.equal(one.execution?.status, 'started');
  assert.equal(one.asked.verdict.effect, 'review');
  assert.deepEqual(
    store.log.map((entry) => [entry.type, entry.data['mode']]),
    [
      ['action.asked', 'observe'],
      ['execution.started', 'observe'],
    ],
  );
});

test('what passed because it was observed is judged when it runs under enforcement', () => {
  for (const [mode, code] of [
    ['observe', 'ok'],
    ['enforce', 'ok'],
  ] as const) {
    const store = memory({ directory });
    const one = asked(wanted, action({ enforcement: 'cooperative' }), { mode: 'observe', joinKey: mode });
    const ready = held(store.change(askCommand(one)));
    const answer = claim(store, ready, wanted, mode);
    assert.equal(codeOf(answer), code);
    const after = held(answer);
    assert.equal(after.execution === null, mode === 'enforce', 'under enforcement it ends as policy_changed');
    assert.equal(after.ending?.code ?? null, mode === 'enforce' ? 'policy_changed' : null);
  }
});

test('a thing is used once', () => {
  const store = memory({ directory });
  const use = (hash: string) => store.change({ kind: 'use', hash, expiresAtMs: store.world.nowMs + 1000 });
  assert.equal(codeOf(use('a')), 'ok');
  assert.equal(codeOf(use('a')), 'input_invalid');
  assert.equal(codeOf(use('b')), 'ok');
  assert.equal(
    codeOf(store.change({ kind: 'use', hash: 'c', expiresAtMs: store.world.nowMs })),
    'input_invalid',
  );
});

test('asked of no operation, a stop of the whole agent refuses, and a pause does not', () => {
  const one = { agent: bot, by: { kind: 'gate' }, reason: null, atMs: 7 } as const;
  const stopped: Stop = { ...one, operation: null, kind: 'stopped' };
  const paused: Stop = { ...one, operation: 'crm___export_rows', kind: 'paused' };
  assert.equal(refusesStopped(bot, null, [paused]), undefined);
  assert.equal(refusesStopped(bot, null, [paused, stopped])?.code, 'agent_stopped');
  assert.equal(refusesStopped(bot, 'crm___export_rows', [paused])?.code, 'operation_paused');
  assert.equal(refusesStopped(asAgentId('other'), null, [stopped]), undefined);
});
