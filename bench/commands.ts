/** Commands as `app` makes them for a tool call of ordinary size, with a verdict as Cedar gives it. Nothing is shared between two. */
import { randomBytes } from 'node:crypto';
import { identify, joinKeyOf, likeKeyOf, type Action } from '../src/core/action.ts';
import type { Asked } from '../src/core/case.ts';
import type { AcceptCommand } from '../src/core/command-config.ts';
import type { AskCommand, ReviewCommand } from '../src/core/command.ts';
import type { MayApproveRows } from '../src/core/judged.ts';
import type { Directory } from '../src/core/directory.ts';
import {
  actionIdOf,
  approvalIdOf,
  asAgentId,
  asDigest,
  asGroupId,
  asPersonId,
  asPolicyId,
  asSha256Hex,
  executionIdOf,
} from '../src/core/ids.ts';
import type { JsonObject, JsonValue } from '../src/core/json.ts';
import { sha256Hex } from '../src/core/sha256.ts';
import { askLimitDefaults, type AskLimits } from '../src/core/stops.ts';
import { requirementDefaults, type Requirement, type Verdict, type Versions } from '../src/core/verdict.ts';

const agent = asAgentId('crm-bot');
const owner = asPersonId('sam');
const approver = asPersonId('rosa');
const owners = asGroupId('data-owners');

export const directory: Directory = {
  people: [
    { id: owner, name: 'Sam Lee', groups: [owners, asGroupId('platform')] },
    { id: approver, name: 'Rosa Diaz', groups: [owners] },
    { id: asPersonId('mia'), name: 'Mia Chen', groups: [owners] },
    { id: asPersonId('oz'), name: 'Oz Tal', groups: [asGroupId('audit')] },
  ],
  agents: [{ id: agent, owners: [owner], groups: [asGroupId('support-agents')] }],
  roles: { operators: asGroupId('platform'), auditors: asGroupId('audit') },
};

export const acceptDirectory: AcceptCommand = {
  kind: 'accept',
  how: 'first',
  parts: [
    {
      what: 'directory',
      // A Directory is plain JSON.
      body: directory as unknown as JsonValue,
      digest: asDigest(`sha256:${sha256Hex(JSON.stringify(directory))}`),
    },
  ],
  by: { kind: 'operator' },
  expected: null,
};

const requirement: Requirement = {
  id: asPolicyId('export.customers'),
  title: 'Bulk export of customer data needs a data owner',
  approvers: owners,
  ...requirementDefaults,
  reasonRequired: false,
  stepUp: null,
  channels: null,
  escalate: null,
};

const mayApprove: MayApproveRows = directory.people.map(({ id }) => ({
  person: id,
  requirements: [requirement.id],
}));

function verdictOf(effect: 'allow' | 'review', versions: Versions): Verdict {
  const [id, title] =
    effect === 'allow'
      ? ['read.customers', 'Support may read customers']
      : [requirement.id, requirement.title];
  const judged = {
    versions,
    recent: null,
    policyDigest: sha256Hex('the policy set'),
    explanation: {
      text: `${title}.`,
      policies: [
        { id: asPolicyId(id), title, effect: effect === 'allow' ? ('permit' as const) : ('forbid' as const) },
      ],
      clauses: [{ policy: asPolicyId(id), text: 'context.input.rows > 1000', left: '5204', right: '1000' }],
      wouldAllow: [],
    },
    toldAgent: `${title}.`,
  };
  return effect === 'allow' ? { ...judged, effect } : { ...judged, effect, requirements: [requirement] };
}

/** About 600 bytes, as an agent's call has. */
export const inputOf = (serial: number): JsonObject => ({
  table: 'customers',
  serial,
  columns: ['id', 'name', 'email', 'phone', 'country', 'plan', 'created_at', 'last_seen_at'],
  where: { country: 'DE', plan: ['team', 'enterprise'], seenSince: '2026-01-01T00:00:00Z', churned: false },
  limit: 5204,
  destination: 's3://support-exports/weekly/customers-de.csv',
  note: 'The support lead asked for the weekly list of customers whose plan ends this month, to be called before the renewal.',
});

/** Everything is asked by one agent here, of one person. */
const limits: AskLimits = { ...askLimitDefaults, pendingPerAgent: 1e9, creationsPerMinute: 1e9, inbox: 1e9 };

const hash = (name: string) => asSha256Hex(sha256Hex(name));
// What another process asks for is never the same.
let serial = process.pid * 10_000_000;

function askedOf(effect: 'allow' | 'review', versions: Versions, joinKey: Uint8Array): Asked {
  serial += 1;
  const action: Action = {
    v: 1,
    agent,
    session: 'run-2026-11-22-07',
    startedBy: null,
    delegation: [],
    operation: 'crm___export_rows',
    resource: { type: 'Dataset', id: 'customers' },
    input: inputOf(serial),
    target: {
      kind: 'mcp',
      server: 'crm',
      tool: 'export_rows',
      definition: hash('definition'),
      profile: hash('profile'),
      upstream: hash('upstream'),
    },
    enforcement: 'mediated',
    reason: 'weekly support export',
    salt: randomBytes(32).toString('hex'),
  };
  return {
    ...identify(actionIdOf(randomBytes(16)), action),
    joinKey: joinKeyOf(joinKey, action, null),
    likeKey: likeKeyOf(joinKey, action),
    mode: 'enforce',
    callback: null,
    amount: null,
    run: null,
    verdict: verdictOf(effect, versions),
    profile: {
      verb: 'Export',
      effect: 'export',
      environment: 'prod',
      resource: { type: 'Dataset', id: 'input.table' },
      reversible: false,
    },
    preview: null,
    before: null,
    atMs: Date.now(),
  };
}

/** An ask whose verdict is allow, and which starts the execution; or one whose verdict is review, and which opens an approval. */
export const ask = (effect: 'allow' | 'review', versions: Versions, joinKey: Uint8Array): AskCommand => ({
  kind: 'ask',
  asked: askedOf(effect, versions, joinKey),
  approval: approvalIdOf(randomBytes(16)),
  execution: effect === 'allow' ? executionIdOf(randomBytes(16)) : null,
  mayApprove: effect === 'allow' ? [] : mayApprove,
  expected: versions,
  replayMs: 600_000,
  limits,
});

/** The review that approves what such an ask opened. */
export const approve = ({ approval, asked, expected }: AskCommand): ReviewCommand => ({
  kind: 'review',
  approval,
  proposed: {
    by: { kind: 'person', id: approver },
    decision: 'approve',
    digest: asked.digest,
    reason: 'the weekly export, as agreed with support',
    unsafe: false,
    channel: 'web',
    shownWhole: true,
  },
  again: { verdict: asked.verdict, mayApprove, targetHolds: true, mode: 'enforce' },
  expected,
  limits,
});
