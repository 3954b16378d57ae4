/**
 * An agent asks. Judge, then record: the verdict is committed with its entry before anybody acts on it, and judged again
 * where the world moved in between.
 */
import {
  identifyKeyed,
  type Action,
  type Delegate,
  type Enforcement,
  type Identified,
  type Resource,
  type Target,
} from '../core/action.ts';
import { joinable, type Asked, type Case, type Seen } from '../core/case.ts';
import type { AskCommand, Idempotency } from '../core/command.ts';
import type { Delegation } from '../core/delegation.ts';
import { membersOf, type AgentPrincipal, type Credential, type Directory } from '../core/directory.ts';
import {
  actionIdOf,
  approvalIdOf,
  executionIdOf,
  type AgentId,
  type ApprovalId,
  type ExecutionId,
  type PersonId,
  type RunIds,
} from '../core/ids.ts';
import type { JsonObject } from '../core/json.ts';
import { fill, type Profile } from '../core/profile.ts';
import { amountOf } from '../core/recent.ts';
import type { Refusal } from '../core/refusal.ts';
import { err, ok, type Result } from '../core/result.ts';
import { refusesCooldown, refusesQuota, refusesStoppedActors } from '../core/stops.ts';
import type { Requirement } from '../core/verdict.ts';
import type { Judgeable } from '../ports/policy.ts';
import { modeOf } from './catalog.ts';
import type { Parts } from './parts.ts';
import { recentNow } from './recent.ts';
import { neverRan } from './record-later.ts';
import { keptChanging, Stale, whileStale } from './stale.ts';
import { recordBounded } from './told.ts';
import { toldUnwritten } from './unwritten.ts';

/** What an enforcement point caught, parsed once. */
export interface Attempt {
  readonly agent: AgentId;
  readonly session: string | null;
  readonly startedBy: PersonId | null;
  readonly delegation: readonly Delegate[];
  readonly operation: string;
  /** Given by the agent only where no profile says it; the default is `Server::"<target>"`. */
  readonly resource: Resource | null;
  readonly input: JsonObject;
  readonly target: Target;
  readonly enforcement: Enforcement;
  readonly reason: string | null;
  /** Idempotency key (MCP: `_meta["dev.countersign/run"]`); another key is another action. */
  readonly run: string | null;
  readonly profile: Profile | null;
  /** How its agent was authenticated, for the log. */
  readonly via?: Credential;
  /** Where to call when a wait for people ends; already found to be on a configured host. */
  readonly callback?: string | null;
  /** True where the gate runs an allowed action at once, so that its start is recorded with its verdict. */
  readonly runsNow: boolean;
  /** Called while the start of an action that runs at once is being written; may make ready for it, and do nothing. Never throws. */
  readonly meanwhile?: (action: Action, ids: RunIds) => void;
  /** Read-only upstream calls for the reviewer; called only where people are asked. Never throw. */
  readonly look?: (which: 'preview' | 'before', profile: Profile) => Promise<Seen | null>;
}

export interface AskedAnswer {
  readonly held: Case;
  readonly joined: boolean;
}

/** Who asks, with whom they act for: the only source of `startedBy` and `delegation`. */
export const askedBy = ({
  id,
  chain,
  via,
}: Omit<AgentPrincipal, 'kind'>): Pick<Attempt, 'agent' | 'startedBy' | 'delegation' | 'via'> => ({
  agent: id,
  startedBy: chain?.startedBy ?? null,
  delegation: chain?.delegation ?? [],
  ...(via === undefined ? {} : { via }),
});

/** The resource that policies see: the profile's, else the agent's, else the server itself. */
export function resourceOf(attempt: Pick<Attempt, 'operation' | 'resource' | 'input' | 'profile'>): Resource {
  const said = attempt.profile?.resource;
  if (said !== undefined) {
    const id = fill(said.id, attempt.input);
    if (typeof id === 'string' || typeof id === 'number') return { type: said.type, id: String(id) };
  }
  if (said === undefined && attempt.resource !== null) return attempt.resource;
  return { type: 'Server', id: attempt.operation.split('___')[0] ?? attempt.operation };
}

/** Who could be asked: everyone in the approvers or escalation groups, and those who may stand in for one of them. */
export function askable(
  directory: Directory,
  requirements: readonly Requirement[],
  delegations: readonly Pick<Delegation, 'from' | 'to'>[] = [],
): readonly PersonId[] {
  const members = new Set(
    requirements.flatMap((one) =>
      [one.approvers, ...(one.escalate === null ? [] : [one.escalate.group])].flatMap((group) =>
        membersOf(directory, group).map((person) => person.id),
      ),
    ),
  );
  const standIns = delegations.filter((one) => members.has(one.from)).map((one) => one.to);
  return [...new Set([...members, ...standIns])];
}

export const judgeable = (action: Action): Judgeable => action;

/** Judges and records an attempt. A refusal here is a failure to ask; a denied action is a case with an ending. */
export async function authorize(
  parts: Parts,
  attempt: Attempt,
  idempotency?: Idempotency,
): Promise<Result<AskedAnswer, Refusal>> {
  const asking = askingOf(parts, attempt);
  const counted = parts.policy.readsRecent(attempt.operation);
  let looks: Looks | null = null;
  const round = (): Promise<Round> => askOnce(parts, asking, looks, idempotency);
  const done = await whileStale<Recorded>(parts, async () => {
    for (;;) {
      const one = await (counted ? parts.turns.take(attempt.operation, round) : round());
      if (one.kind === 'stale') return new Stale(attempt.operation);
      if (one.kind !== 'look') return one;
      const before = await beforeAsking(parts, asking);
      if (!before.ok) return { kind: 'refused', refusal: before.error };
      looks = before.value;
    }
  });
  if (done === null) return err(keptChanging('ask'));
  if (done.kind === 'held') return ok({ held: done.held, joined: done.joined });
  await recordBounded(parts, attempt, done.refusal);
  return err(done.refusal);
}

/** An attempt with its identity: made once, however often it is judged. */
export interface Asking {
  readonly attempt: Attempt;
  readonly identified: Identified;
  readonly approval: ApprovalId;
  readonly execution: ExecutionId | null;
  readonly joinKey: string;
  readonly likeKey: string;
  readonly amount: number | null;
}

export function askingOf(parts: Parts, attempt: Attempt): Asking {
  const action: Action = {
    v: 1,
    agent: attempt.agent,
    session: attempt.session,
    startedBy: attempt.startedBy,
    delegation: attempt.delegation,
    operation: attempt.operation,
    resource: resourceOf(attempt),
    input: attempt.input,
    target: attempt.target,
    enforcement: attempt.enforcement,
    reason: attempt.reason,
    salt: hex(parts.random.bytes(32)),
  };
  const key = parts.store.joinKey();
  return {
    attempt,
    ...identifyKeyed(key, actionIdOf(parts.random.bytes(16)), action, attempt.run),
    approval: approvalIdOf(parts.random.bytes(16)),
    execution: attempt.runsNow ? executionIdOf(parts.random.bytes(16)) : null,
    amount: amountOf(attempt.profile, attempt.input),
  };
}

export interface Looks {
  readonly preview: Seen | null;
  readonly before: Seen | null;
}

export const nothingSeen: Looks = { preview: null, before: null };

type Recorded =
  | { readonly kind: 'held'; readonly held: Case; readonly joined: boolean }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

type Round =
  | Recorded
  /** People will be asked, and previews were not taken yet. */
  | { readonly kind: 'look' }
  /** What it was judged with had changed when it was to be recorded. */
  | { readonly kind: 'stale' };

/** Counts, judges and records once. @param looks null: not taken yet. */
async function askOnce(
  parts: Parts,
  asking: Asking,
  looks: Looks | null,
  idempotency: Idempotency | undefined,
): Promise<Round> {
  const command = await askCommandOf(parts, asking, looks);
  if (command === null) return { kind: 'look' };
  const writing = parts.store.change(command, idempotency);
  const { meanwhile } = asking.attempt;
  // In the turn after the one in which the store begins.
  const { asked, execution } = command;
  if (asked.verdict.effect === 'allow' && execution !== null && meanwhile !== undefined) {
    const ids = { action: asked.id, execution };
    setImmediate(() => meanwhile(asked.action, ids));
  }
  const result = await writing;
  if (result.ok) {
    if (result.value.kind !== 'case') throw new TypeError('ask answers a case');
    return { kind: 'held', held: result.value.case, joined: result.value.joined };
  }
  if (result.error.kind === 'refused') return { kind: 'refused', refusal: result.error.refusal };
  if (result.error.kind === 'fault') {
    if (execution !== null) neverRan(parts.store, execution);
    return { kind: 'refused', refusal: toldUnwritten(parts.unwritten, asked, result.error.detail) };
  }
  return { kind: 'stale' };
}

/** Counts and judges: what is to be recorded. Null where people will be asked, and previews were not taken yet. */
export async function askCommandOf(
  parts: Parts,
  asking: Asking,
  looks: Looks | null,
): Promise<AskCommand | null> {
  const { attempt, identified, approval, execution, joinKey, likeKey, amount } = asking;
  const { action } = identified;
  const nowMs = parts.clock.nowMs();
  const recent = await recentNow(parts, { ...attempt, amount, countedAtMs: null }, nowMs);
  const verdict = parts.policy.judge(judgeable(action), nowMs, recent);
  // As it is now: while an attempt waits for its turn, an operator may begin to enforce.
  const mode = modeOf(parts.world.catalog, attempt.operation);
  const asks = verdict.effect === 'review' && mode === 'enforce';
  if (asks && looks === null) return null;
  const requirements = verdict.effect === 'review' ? verdict.requirements : [];
  const people = asks
    ? askable(await parts.store.directory(), requirements, await parts.store.delegations())
    : [];
  const mayApprove = parts.policy.mayApprove(judgeable(action), requirements, people, nowMs);
  const trace = parts.tracing?.current.carried.traceparent;
  const asked: Asked = {
    ...identified,
    joinKey,
    likeKey,
    mode,
    callback: attempt.callback ?? null,
    amount,
    run: attempt.run,
    // People are told what would be allowed; an agent is not (ports/policy.ts).
    verdict: verdict.effect === 'allow' ? verdict : parts.policy.explain(judgeable(action), nowMs, verdict),
    profile: attempt.profile,
    preview: looks?.preview ?? null,
    before: looks?.before ?? null,
    atMs: nowMs,
    ...(trace === undefined ? {} : { trace }),
  };
  const { limits } = parts;
  const { replayMs } = limits;
  const expected = verdict.versions;
  const via = attempt.via === undefined ? {} : { via: attempt.via };
  return { kind: 'ask', asked, ...via, approval, execution, mayApprove, expected, replayMs, limits };
}

/**
 * Before people are asked: what the transaction would refuse for the agent's sake alone, else what reviewers are to see. Nothing
 * is read upstream for somebody who may not ask, nor for a call that joins an earlier one.
 */
async function beforeAsking(parts: Parts, asking: Asking): Promise<Result<Looks, Refusal>> {
  const { attempt, joinKey, likeKey } = asking;
  const { agent } = attempt;
  const { store, limits } = parts;
  const nowMs = parts.clock.nowMs();
  const stopped = refusesStoppedActors(attempt, await store.stops());
  if (stopped !== undefined) return err(stopped);
  const earlier = await store.caseBy({ joinKey });
  if (earlier !== undefined && joinable(earlier, nowMs, limits.replayMs)) return ok(nothingSeen);
  const crowd = await store.crowd({ agent, people: [] });
  const refused =
    refusesCooldown(likeKey, await store.unsafe(), limits, { nowMs, sinceMs: null }) ??
    refusesQuota(crowd, limits, { requirements: [], eligible: [] });
  return refused === undefined ? ok(await looksOf(attempt)) : err(refused);
}

/** Taken before the approval opens, so that whoever is told first sees them. */
async function looksOf({ look, profile }: Attempt): Promise<Looks> {
  if (look === undefined || profile === null) return nothingSeen;
  const [preview, before] = await Promise.all([
    profile.preview === undefined ? null : look('preview', profile),
    profile.before === undefined ? null : look('before', profile),
  ]);
  return { preview, before };
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
