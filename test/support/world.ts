/** Makers of small worlds for tests of core: a directory, an action, a verdict, and a store in memory that runs real steps. */
import { identify, type Action } from '../../src/core/action.ts';
import type { Begun } from '../../src/core/begun.ts';
import { stateOf, type Asked, type Case } from '../../src/core/case.ts';
import type { AskCommand, Command } from '../../src/core/command.ts';
import type { MayApproveRows } from '../../src/core/judged.ts';
import type { EntryType } from '../../src/core/entry.ts';
import type { Delegation } from '../../src/core/delegation.ts';
import type { Change, Directory } from '../../src/core/directory.ts';
import type { Glass } from '../../src/core/glass.ts';
import {
  asActionId,
  asAgentId,
  asApprovalId,
  asExecutionId,
  asGroupId,
  asPersonId,
  asPolicyId,
  asSha256Hex,
  type PersonId,
} from '../../src/core/ids.ts';
import type { Loaded, Needs, Step, Write } from '../../src/core/loaded.ts';
import { everMinute, minuteOf, type RecentRow } from '../../src/core/recent.ts';
import type { Passkey } from '../../src/core/passkey.ts';
import { needsOf, step } from '../../src/core/steps/step.ts';
import { askLimitDefaults, creationsMs, type Crowd, type Stop, type Unsafe } from '../../src/core/stops.ts';
import {
  requirementDefaults,
  type Requirement,
  type Verdict,
  type Versions,
} from '../../src/core/verdict.ts';

export const versions: Versions = { policySet: 1, directory: 1, tools: 1 };

export const person = (id: string, ...groups: string[]) => ({
  id: asPersonId(id),
  name: id,
  groups: groups.map(asGroupId),
});

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

export const requirement = (id: string, approvers: string, more: Partial<Requirement> = {}): Requirement => ({
  id: asPolicyId(id),
  title: `Title of ${id}`,
  approvers: asGroupId(approvers),
  quorum: requirementDefaults.quorum,
  ttlMs: requirementDefaults.ttlMs,
  grantMs: requirementDefaults.grantMs,
  reasonRequired: false,
  stepUp: null,
  channels: null,
  escalate: null,
  ...more,
});

const explained = {
  versions,
  recent: null,
  policyDigest: null,
  explanation: { text: 'because', policies: [], clauses: [], wouldAllow: [] },
  toldAgent: 'because',
};
export const allowed: Verdict = { ...explained, effect: 'allow' };
export const deniedBy = (code: 'no_permit' | 'forbidden' | 'policy_error'): Verdict => ({
  ...explained,
  effect: 'deny',
  code,
});
export const reviewed = (...requirements: Requirement[]): Verdict => ({
  ...explained,
  effect: 'review',
  requirements,
});

export const hash = asSha256Hex('0'.repeat(64));

export const action = (more: Partial<Action> = {}): Action => ({
  v: 1,
  agent: asAgentId('crm-bot'),
  session: null,
  startedBy: null,
  delegation: [],
  operation: 'crm___export_rows',
  resource: { type: 'Server', id: 'crm' },
  input: { table: 'customers' },
  target: {
    kind: 'mcp',
    server: 'crm',
    tool: 'export_rows',
    definition: hash,
    profile: hash,
    upstream: hash,
  },
  enforcement: 'mediated',
  reason: null,
  salt: 'ab'.repeat(32),
  ...more,
});

let serial = 0;
export const asked = (verdict: Verdict, one: Action = action(), more: Partial<Asked> = {}): Asked => ({
  ...identify(asActionId(`act_${(serial += 1)}`), one),
  joinKey: 'same',
  likeKey: 'like',
  mode: 'enforce',
  callback: null,
  amount: null,
  run: null,
  verdict,
  profile: null,
  preview: null,
  before: null,
  atMs: 0,
  ...more,
});

/** Everybody may approve everything: membership is still core's own to check. */
export const everybody = (
  people: Directory['people'],
  requirements: readonly Requirement[],
): MayApproveRows =>
  people.map((one) => ({ person: one.id, requirements: requirements.map((each) => each.id) }));

export const askCommand = (one: Asked, more: Partial<AskCommand> = {}): AskCommand => ({
  kind: 'ask',
  asked: one,
  approval: asApprovalId(`apr_${one.id}`),
  execution: null,
  mayApprove: everybody(directory.people, one.verdict.effect === 'review' ? one.verdict.requirements : []),
  expected: versions,
  replayMs: 600_000,
  limits: askLimitDefaults,
  ...more,
});

/** The store's promise in memory: one command after another on whole cases. Only for tests of core. */
export function memory(initial: { readonly directory: Directory; readonly changes?: readonly Change[] }) {
  const cases = new Map<string, Case>();
  const log: Step['entries'][number][] = [];
  const world = {
    directory: initial.directory,
    changes: initial.changes ?? [],
    delegations: [] as readonly Delegation[],
    versions,
    nowMs: 1_000_000,
  };
  const find = (command: Command): Case | null => {
    const needs = needsOf(command);
    if (needs.rows !== 'case') return null;
    const all = [...cases.values()].toReversed();
    const fits = (held: Case): boolean => {
      if (needs.by === 'action') return held.asked.id === needs.id;
      if (needs.by === 'approval') return held.approval?.id === needs.id;
      if (needs.by === 'execution') return held.execution?.id === needs.id;
      return held.asked.joinKey === needs.id;
    };
    return all.find(fits) ?? null;
  };
  const bounds = {
    stops: [] as Stop[],
    glasses: [] as Glass[],
    unsafe: [] as Unsafe[],
    grants: [] as Extract<Write, { row: 'recent' }>[],
    used: new Set<string>(),
    begun: new Map<string, Begun>(),
    passkeys: new Map<string, Passkey>(),
  };
  const grantedOf = (held: Case | null): EntryType | null => {
    const entry = held?.grant == null ? undefined : log[held.grant.index];
    return entry !== undefined && entry.about.action === held?.asked.id ? entry.type : null;
  };
  const recentRows = (command: Command): readonly RecentRow[] => {
    const { recent } = needsOf(command);
    const operation = recent === 'of case' ? find(command)?.asked.action.operation : recent?.operation;
    return bounds.grants
      .filter((one) => one.operation === operation)
      .flatMap(({ agent, atMs, amount }) =>
        [minuteOf(atMs), everMinute].map((minute) => ({ agent, minute, count: 1, sum: amount ?? 0 })),
      );
  };
  const crowdOf = ({ agent, people }: NonNullable<Needs['crowd']>): Crowd => {
    const pending = [...cases.values()].filter((held) => stateOf(held, world.nowMs) === 'pending');
    const opened = [...cases.values()].filter(
      (held) => held.approval !== null && held.asked.atMs > world.nowMs - creationsMs,
    );
    const inboxOf = (of: PersonId): number =>
      pending.filter((held) => held.approval?.eligibleThen.some((one) => one.people.includes(of)) === true)
        .length;
    return {
      pending: pending.filter((held) => held.asked.action.agent === agent).length,
      opened: opened.filter((held) => held.asked.action.agent === agent).length,
      inbox: people.map((one) => ({ person: one, pending: inboxOf(one) })),
    };
  };
  return {
    world,
    cases,
    bounds,
    log,
    change(command: Command): Step['answer'] {
      const needs = needsOf(command);
      const loaded: Loaded = {
        case: find(command),
        tools: [],
        link: null,
        used: needs.rows === 'used' && bounds.used.has(needs.hash),
        recent: recentRows(command),
        crowd: needs.crowd === undefined ? null : crowdOf(needs.crowd),
        tokens: [],
        change: null,
        begun: [...bounds.begun.values()].filter((one) => needs.begun?.includes(one.hash) === true),
        passkeys: [...bounds.passkeys.values()].filter(
          (one) =>
            needs.passkeys?.ids.includes(one.id) === true || needs.passkeys?.of.includes(one.person) === true,
        ),
        stops: bounds.stops,
        glasses: bounds.glasses.filter((one) => one.review === null),
        unsafe: bounds.unsafe,
        ...world,
        nextIndex: log.length,
        granted: grantedOf(find(command)),
      };
      const result = step(command, loaded);
      for (const write of result.writes) {
        if (write.row === 'case') cases.set(write.next.asked.id, write.next);
        if (write.row === 'used') bounds.used.add(write.hash);
        if (write.row === 'begun') bounds.begun.set(write.begun.hash, write.begun);
        if (write.row === 'passkey') bounds.passkeys.set(write.passkey.id, write.passkey);
        if (write.row === 'delegation')
          world.delegations = [
            ...world.delegations.filter((one) => one.id !== write.delegation.id),
            write.delegation,
          ];
        if (write.row === 'stop') bounds.stops.push(write.stop);
        if (write.row === 'glass')
          bounds.glasses = [...bounds.glasses.filter((one) => one.id !== write.glass.id), write.glass];
        if (write.row === 'unsafe') bounds.unsafe.push(write.unsafe);
        if (write.row === 'lifted')
          bounds.stops = bounds.stops.filter(
            (one) => one.agent !== write.agent || one.operation !== write.operation,
          );
        if (write.row === 'recent') bounds.grants.push(write);
      }
      log.push(...result.entries);
      return result.answer;
    },
  };
}

export const executionId = (name: string) => asExecutionId(`exe_${name}`);
