/**
 * A small world for tests of the store: people, agents, verdicts, and commands as `app` would make them. Nothing here is
 * random: names are counted, so that a failure reads the same each time.
 */
import { identify, joinKeyOf, likeKeyOf, type Action, type Enforcement } from '../../src/core/action.ts';
import type { Asked, Channel, Mode } from '../../src/core/case.ts';
import type { AskCommand, ClaimCommand, ReviewCommand } from '../../src/core/command.ts';
import type { Again, MayApproveRows } from '../../src/core/judged.ts';
import type { Directory } from '../../src/core/directory.ts';
import {
  actionIdOf,
  approvalIdOf,
  asAgentId,
  asGroupId,
  asPersonId,
  asPolicyId,
  asSha256Hex,
  executionIdOf,
  type ActionId,
  type ApprovalId,
  type Digest,
  type PersonId,
} from '../../src/core/ids.ts';
import type { JsonObject, JsonValue } from '../../src/core/json.ts';
import { sha256Hex } from '../../src/core/sha256.ts';
import { configDigest } from '../../src/core/steps/config.ts';
import { askLimitDefaults, type AskLimits } from '../../src/core/stops.ts';
import type { Requirement, Verdict, Versions } from '../../src/core/verdict.ts';

export const agent = asAgentId('crm-bot');
/** Owns the agent, and is an approver: conflicted. */
export const sam = asPersonId('sam');
export const rosa = asPersonId('rosa');
export const mia = asPersonId('mia');
/** Operator and auditor, no approver. */
export const oz = asPersonId('oz');
export const owners = asGroupId('data-owners');
export const policy = asPolicyId('export.customers');

export const directory: Directory = {
  people: [
    { id: sam, name: 'Sam Lee', groups: [owners] },
    { id: rosa, name: 'Rosa Diaz', groups: [owners] },
    { id: mia, name: 'Mia Chen', groups: [owners] },
    { id: oz, name: 'Oz Tal', groups: [asGroupId('platform'), asGroupId('audit')] },
  ],
  agents: [{ id: agent, owners: [sam], groups: [] }],
  roles: { operators: asGroupId('platform'), auditors: asGroupId('audit') },
};

let counter = 0;
/** 16 bytes that no other call gave. */
export function fresh(): Uint8Array {
  counter += 1;
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, counter);
  // Other processes of the same test count from 1 too.
  view.setUint32(4, process.pid);
  return bytes;
}
export const freshKey = (): string => sha256Hex(fresh());

const joinSecret = new Uint8Array(32).fill(7);

export const requirement = (fields: Partial<Requirement> = {}): Requirement => ({
  id: policy,
  title: 'Bulk export',
  approvers: owners,
  quorum: 1,
  ttlMs: 4 * 3_600_000,
  grantMs: 900_000,
  reasonRequired: false,
  stepUp: null,
  channels: null,
  escalate: null,
  ...fields,
});

const judged = (versions: Versions) => ({
  versions,
  recent: null,
  policyDigest: null,
  explanation: { text: 'because', policies: [], clauses: [], wouldAllow: [] },
  toldAgent: 'because',
});

export const allow = (versions: Versions): Verdict => ({ ...judged(versions), effect: 'allow' });
export const deny = (versions: Versions): Verdict => ({
  ...judged(versions),
  effect: 'deny',
  code: 'forbidden',
});
export const review = (versions: Versions, ...requirements: readonly Requirement[]): Verdict => ({
  ...judged(versions),
  effect: 'review',
  requirements: requirements.length > 0 ? requirements : [requirement()],
});

export const everybodyMay: MayApproveRows = directory.people.map(({ id }) => ({
  person: id,
  requirements: [policy],
}));

/** Most tests are not about quotas. */
const roomy: AskLimits = {
  ...askLimitDefaults,
  pendingPerAgent: 1e9,
  creationsPerMinute: 1e9,
  inbox: 1e9,
};

export interface AskOptions {
  readonly resource?: Action['resource'];
  readonly input?: JsonObject;
  readonly operation?: string;
  readonly enforcement?: Enforcement;
  readonly run?: string | null;
  readonly execute?: boolean;
  readonly atMs?: number;
  readonly mode?: Mode;
  readonly callback?: string;
  readonly amount?: number;
  readonly limits?: Partial<AskLimits>;
}

/** An ask as `app` makes it; the same input twice is the same action. */
export function ask(verdict: Verdict, options: AskOptions = {}): AskCommand {
  const {
    input = { n: counter + 1 },
    operation = 'crm___export',
    enforcement = 'cooperative',
    run = null,
  } = options;
  const action: Action = {
    v: 1,
    agent,
    session: null,
    startedBy: null,
    delegation: [],
    operation,
    resource: options.resource ?? { type: 'Server', id: 'crm' },
    input,
    target: { kind: 'http', profile: asSha256Hex('0'.repeat(64)), declaration: asSha256Hex('1'.repeat(64)) },
    enforcement,
    reason: null,
    salt: sha256Hex(fresh()),
  };
  const asked: Asked = {
    ...identify(actionIdOf(fresh()), action),
    joinKey: joinKeyOf(joinSecret, action, run),
    likeKey: likeKeyOf(joinSecret, action),
    mode: options.mode ?? 'enforce',
    callback: options.callback ?? null,
    amount: options.amount ?? null,
    run,
    verdict,
    profile: { verb: 'Export', effect: 'export' },
    preview: { tool: 'count', input: {}, atMs: 1, answer: { ok: true, value: { rows: 5204 } } },
    before: null,
    atMs: options.atMs ?? Date.now(),
  };
  return {
    kind: 'ask',
    asked,
    approval: approvalIdOf(fresh()),
    execution: options.execute === true ? executionIdOf(fresh()) : null,
    mayApprove: everybodyMay,
    expected: verdict.versions,
    replayMs: 600_000,
    limits: { ...roomy, ...options.limits },
  };
}

export const again = (verdict: Verdict): Again => ({
  verdict,
  mayApprove: everybodyMay,
  targetHolds: true,
  mode: 'enforce',
});

export const reviewOf = (
  held: { readonly approval: ApprovalId; readonly digest: Digest; readonly verdict: Verdict },
  by: PersonId,
  decision: 'approve' | 'deny' = 'approve',
  channel: Channel = 'web',
): ReviewCommand => ({
  kind: 'review',
  approval: held.approval,
  proposed: {
    by: { kind: 'person', id: by },
    decision,
    digest: held.digest,
    reason: 'looks right',
    unsafe: false,
    channel,
    shownWhole: true,
  },
  again: again(held.verdict),
  expected: held.verdict.versions,
  limits: roomy,
});

export const claim = (action: ActionId, verdict: Verdict): ClaimCommand => ({
  kind: 'claim',
  action,
  agent,
  execution: executionIdOf(fresh()),
  again: again(verdict),
  expected: verdict.versions,
  limits: roomy,
});

export const acceptDirectory = (body: Directory = directory) =>
  ({
    kind: 'accept',
    how: 'machine',
    parts: [
      {
        what: 'directory',
        // A Directory is plain JSON.
        body: body as unknown as JsonValue,
        digest: configDigest(body as unknown as JsonValue),
      },
    ],
    by: { kind: 'operator' },
    expected: null,
  }) as const;
