/** What the steps share: small constructors, so that each step reads as its rule. */
import { grantedAtMs, type By, type Case, type Ending } from '../case.ts';
import type { MayApproveRows } from '../judged.ts';
import type { Principal } from '../directory.ts';
import type { About, EntryDraft } from '../entry.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { Loaded, No, Step, Write } from '../loaded.ts';
import { err, ok } from '../result.ts';
import { recentOf, sameRecent } from '../recent.ts';
import type { Refusal } from '../refusal.ts';
import type { MayApprove, World } from '../eligible.ts';
import type { Verdict } from '../verdict.ts';

export const nothing = { writes: [], entries: [], notices: [] } as const;

export const stale: Step = { answer: err({ kind: 'stale' }), ...nothing };

/** A refusal that changes nothing; entries may still tell of the attempt. */
export const refused = (refusal: Refusal, entries: readonly EntryDraft[] = []): Step => ({
  answer: err<No>({ kind: 'refused', refusal }),
  writes: [],
  entries,
  notices: [],
});

export const done: Step = { answer: ok({ kind: 'done' }), ...nothing };

/** A step that answers a case as it is, changing nothing. */
export const unchanged = (held: Case, joined = false): Step => ({
  answer: ok({ kind: 'case', case: held, joined, changed: false, execution: held.execution }),
  ...nothing,
});

export const changed = (
  before: Case | null,
  next: Case,
  entries: readonly EntryDraft[],
  notices: Step['notices'] = [],
): Step => ({
  answer: ok({ kind: 'case', case: next, joined: false, changed: true, execution: next.execution }),
  writes: [{ row: 'case', before, next }],
  entries,
  notices,
});

export const mayApproveOf = (rows: MayApproveRows): MayApprove =>
  new Map(rows.map((row) => [row.person, new Set(row.requirements)]));

/** Who did something, for an entry: without how they proved who they are, or for whom they act. */
export const byOf = (principal: Principal): By =>
  principal.kind === 'agent' ? { kind: 'agent', id: principal.id } : { kind: 'person', id: principal.id };

export const worldOf = (loaded: Loaded): World => ({
  directory: loaded.directory,
  changes: loaded.changes,
  nowMs: loaded.nowMs,
  delegations: loaded.delegations ?? [],
});

export const aboutOf = (held: Case): About => ({
  action: held.asked.id,
  approval: held.approval?.id ?? null,
  execution: held.execution?.id ?? null,
});

/** Data of an entry from our own types, which are JSON by construction; undefined fields are left out. */
export function data(fields: object): JsonObject {
  const clean = (value: unknown): JsonValue => {
    if (Array.isArray(value)) return value.map(clean);
    if (typeof value === 'object' && value !== null) return data(value);
    return value as JsonValue; // strings, numbers, booleans and null: all that our types hold
  };
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, clean(value)]),
  );
}

/** What was observed, or passed under break-glass, says so in every entry about it (design §2). */
export const entryOf = (held: Case, type: EntryDraft['type'], by: By, fields: object): EntryDraft => ({
  type,
  by,
  about: aboutOf(held),
  subject: held.asked.subject,
  data: data({
    ...fields,
    ...(held.asked.mode === 'observe' ? { mode: 'observe' } : {}),
    ...(held.asked.glass === undefined ? {} : { glass: held.asked.glass }),
  }),
});

/** Told once an approval is decided or over. The asker's callback only the first time: its wait ends once. @param held before */
export const closedNotices = (held: Case): Step['notices'] => {
  const { approval, asked } = held;
  if (approval === null) return [];
  const callback = asked.callback !== null && approval.approvedAtMs === null;
  return [{ kind: 'approval.closed', approval: approval.id, callback }];
};

/** Told once somebody has approved what waits for others still. */
export const reviewedNotices = ({ approval }: Case): Step['notices'] =>
  approval === null ? [] : [{ kind: 'approval.reviewed', approval: approval.id, callback: false }];

/** Told once what people approved has run, however that ended. */
export const ranNotices = ({ approval }: Case): Step['notices'] =>
  approval === null ? [] : [{ kind: 'execution.ended', approval: approval.id, callback: false }];

/** One more grant of its operation: written in the transaction that grants. */
export const counted = (held: Case, nowMs: number): Write => ({
  row: 'recent',
  operation: held.asked.action.operation,
  agent: held.asked.action.agent,
  atMs: nowMs,
  amount: held.asked.amount,
});

/** Whether the counts that a verdict was given with are the counts that this transaction finds. */
export function recentHolds(held: Case, verdict: Verdict, loaded: Loaded): boolean {
  if (verdict.recent === null) return true;
  const { action, amount } = held.asked;
  const one = { agent: action.agent, amount, countedAtMs: grantedAtMs(held) };
  return sameRecent(verdict.recent, recentOf(loaded.recent, one, loaded.directory, loaded.nowMs));
}

/** The case, ended without running. */
export const ended = (held: Case, ending: Ending): Case => ({
  ...held,
  ending,
  approval: held.approval === null ? null : { ...held.approval, version: held.approval.version + 1 },
});
