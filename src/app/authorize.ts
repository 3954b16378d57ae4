/**
 * An agent asks. Judge, then record: the verdict is committed with its entry before anybody acts on it, and judged again
 * where the world moved in between.
 */
import {
  identify,
  joinKeyOf,
  type Action,
  type Delegate,
  type Enforcement,
  type Resource,
  type Target,
} from '../core/action.ts';
import { joinable, type Asked, type Case, type Seen } from '../core/case.ts';
import type { Idempotency } from '../core/command.ts';
import { membersOf, type Directory } from '../core/directory.ts';
import { actionIdOf, approvalIdOf, executionIdOf, type AgentId, type PersonId } from '../core/ids.ts';
import type { JsonObject } from '../core/json.ts';
import { fill, type Profile } from '../core/profile.ts';
import { refuse, type Refusal } from '../core/refusal.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Requirement } from '../core/verdict.ts';
import type { Judgeable } from '../ports/policy.ts';
import type { Parts } from './parts.ts';

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
  /** True where the gate runs an allowed action at once, so that its start is recorded with its verdict. */
  readonly runsNow: boolean;
  /** Read-only upstream calls for the reviewer; called only where people are asked. Never throw. */
  readonly look?: (which: 'preview' | 'before', profile: Profile) => Promise<Seen | null>;
}

export interface AskedAnswer {
  readonly held: Case;
  readonly joined: boolean;
}

/** How often a judgement that went stale is made anew before it is a deny (design §3). */
export const staleTries = 3;

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

/** Who could be asked: everyone in the approvers or escalation groups. */
export const askable = (directory: Directory, requirements: readonly Requirement[]): readonly PersonId[] => [
  ...new Set(
    requirements.flatMap((one) =>
      [one.approvers, ...(one.escalate === null ? [] : [one.escalate.group])].flatMap((group) =>
        membersOf(directory, group).map((person) => person.id),
      ),
    ),
  ),
];

export const judgeable = (action: Action): Judgeable => action;

/** Judges and records an attempt. A refusal here is a failure to ask; a denied action is a case with an ending. */
export async function authorize(
  parts: Parts,
  attempt: Attempt,
  idempotency?: Idempotency,
): Promise<Result<AskedAnswer, Refusal>> {
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
  const identified = identify(actionIdOf(parts.random.bytes(16)), action);
  const approval = approvalIdOf(parts.random.bytes(16));
  const execution = attempt.runsNow ? executionIdOf(parts.random.bytes(16)) : null;
  const joinKey = joinKeyOf(parts.store.joinKey(), action, attempt.run);
  let looks: { readonly preview: Seen | null; readonly before: Seen | null } | undefined;
  for (let tries = 0; tries < staleTries; tries += 1) {
    const nowMs = parts.clock.nowMs();
    const verdict = parts.policy.judge(judgeable(action), nowMs);
    const requirements = verdict.effect === 'review' ? verdict.requirements : [];
    if (verdict.effect === 'review') looks ??= await look(parts, attempt, joinKey);
    const people = requirements.length === 0 ? [] : askable(await parts.store.directory(), requirements);
    const mayApprove = parts.policy.mayApprove(judgeable(action), requirements, people, nowMs);
    const asked: Asked = {
      ...identified,
      joinKey,
      run: attempt.run,
      verdict,
      profile: attempt.profile,
      preview: looks?.preview ?? null,
      before: looks?.before ?? null,
      atMs: nowMs,
    };
    const result = await parts.store.change(
      {
        kind: 'ask',
        asked,
        approval,
        execution,
        mayApprove,
        expected: verdict.versions,
        replayMs: parts.limits.replayMs,
      },
      idempotency,
    );
    if (result.ok) {
      if (result.value.kind !== 'case') throw new TypeError('ask answers a case');
      return ok({ held: result.value.case, joined: result.value.joined });
    }
    if (result.error.kind === 'refused') return err(result.error.refusal);
    if (result.error.kind === 'fault') return err(auditUnavailable(result.error.detail));
    await parts.world.sync();
  }
  return err(refuse('policy_error', 'The policies kept changing while this was judged; ask again.'));
}

/** Previews are taken before the approval opens, so that whoever is told first sees them; not for a call that joins one. */
async function look(
  parts: Parts,
  attempt: Attempt,
  joinKey: string,
): Promise<{ readonly preview: Seen | null; readonly before: Seen | null }> {
  const none = { preview: null, before: null };
  if (attempt.look === undefined || attempt.profile === null) return none;
  const earlier = await parts.store.caseBy({ joinKey }).catch(() => undefined);
  if (earlier !== undefined && joinable(earlier, parts.clock.nowMs(), parts.limits.replayMs)) return none;
  const { profile } = attempt;
  const [preview, before] = await Promise.all([
    profile.preview === undefined ? null : attempt.look('preview', profile),
    profile.before === undefined ? null : attempt.look('before', profile),
  ]);
  return { preview, before };
}

/** For the agent: that nothing runs; for operators the log of the process says what failed. */
export const auditUnavailable = (detail: string): Refusal =>
  refuse('audit_unavailable', 'The log cannot be written, so nothing may run; ask again later.', { detail });

export const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
