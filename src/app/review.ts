/** People decide: every channel ends here, and here in one command of the store. */
import { stateOf, type Case, type Channel } from '../core/case.ts';
import type { Idempotency } from '../core/command.ts';
import { absentOf, type Absences } from '../core/delegation.ts';
import { isAuditor, isOperator, type Directory, type Principal } from '../core/directory.ts';
import { changeOperation } from '../core/gate.ts';
import type { ApprovalId, Digest, ExecutionId, PersonId, Sha256Hex } from '../core/ids.ts';
import { refuse, type Refusal } from '../core/refusal.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Assertion } from '../ports/passkeys.ts';
import type { CaseFilter, ChangeError, Store } from '../ports/store.ts';
import { afterwards, refusesByPolicy, seenBy, seesWhole } from './access.ts';
import { judgeNow } from './again.ts';
import { keptChanging, Stale, whileStale } from './stale.ts';
import { auditUnavailable } from './unwritten.ts';
import type { Parts } from './parts.ts';
import { proofOf } from './proof.ts';

export interface ReviewInput {
  readonly decision: 'approve' | 'deny';
  readonly digest: Digest;
  readonly reason: string | null;
  readonly unsafe: boolean;
  readonly channel: Channel;
  readonly shownWhole: boolean;
  /** SHA-256 of what was shown, where the channel is a page of ours. */
  readonly shown?: Sha256Hex;
  /** A passkey's signature over this approval, as the browser gave it. */
  readonly assertion?: Assertion;
  readonly idempotency?: Idempotency | undefined;
}

/** Longest reason, in characters. */
export const reasonCharsMax = 2000;

export async function review(
  parts: Parts,
  by: Principal,
  approval: ApprovalId,
  input: ReviewInput,
): Promise<Result<Case, Refusal>> {
  const { idempotency, assertion, ...said } = input;
  const signed = assertion === undefined ? {} : await proofOf(parts, assertion);
  const reviewed = await whileStale<Result<Case, Refusal>>(parts, async () => {
    const held = await parts.store.caseBy({ approval });
    // Reviewing what you may not see is answered by core as `not_an_approver`; what does not exist looks the same.
    if (held === undefined)
      return err(
        by.kind === 'person'
          ? refuse('not_an_approver', 'You are not an approver of this action.')
          : refuse('not_a_person', 'Agents cannot review; a person must.'),
      );
    const again = await judgeNow(parts, held, by.kind === 'person' ? [by.id] : []);
    const now = await absencesNow(parts);
    const proposed = {
      by,
      ...said,
      ...signed,
      // Whatever the channel says that it showed: what is hidden from somebody was not shown to them.
      shownWhole: input.shownWhole && seesWhole(parts, now, by, held),
      reason: input.reason === null ? null : input.reason.slice(0, reasonCharsMax),
    };
    const result = await parts.store.change(
      {
        kind: 'review',
        approval,
        proposed,
        again,
        expected: again.verdict.versions,
        limits: parts.limits,
      },
      idempotency,
    );
    if (result.ok && result.value.kind === 'case')
      return ok(afterwards(parts, now, by, await inForce(parts, result.value.case)));
    return !result.ok && result.error.kind !== 'stale'
      ? err(refusalOf(result.error))
      : new Stale(held.asked.action.operation);
  });
  return reviewed ?? err(keptChanging('try'));
}

/** What completes the approvals of a change of the configuration puts it in force before it is answered. */
const inForce = async (parts: Parts, held: Case): Promise<Case> =>
  held.asked.action.operation === changeOperation && stateOf(held, parts.clock.nowMs()) === 'ready'
    ? parts.world.approved(held)
    : held;

export async function cancel(
  parts: Parts,
  by: Principal,
  approval: ApprovalId,
  said: { readonly reason: string | null; readonly idempotency?: Idempotency | undefined },
): Promise<Result<Case, Refusal>> {
  const result = await parts.store.change(
    {
      kind: 'cancel',
      approval,
      by,
      reason: said.reason === null ? null : said.reason.slice(0, reasonCharsMax),
    },
    said.idempotency,
  );
  return result.ok && result.value.kind === 'case'
    ? ok(afterwards(parts, await absencesNow(parts), by, result.value.case))
    : err(refusalOf(result.ok ? { kind: 'stale' } : result.error));
}

export async function settle(
  parts: Parts,
  by: PersonId,
  execution: ExecutionId,
  {
    idempotency,
    ...said
  }: {
    readonly status: 'succeeded' | 'failed';
    readonly reason: string;
    readonly idempotency?: Idempotency | undefined;
  },
): Promise<Result<Case, Refusal>> {
  const now = await absencesNow(parts);
  const held = await parts.store.caseBy({ execution });
  if (held !== undefined) {
    const refusal = refusesByPolicy(parts, now, {
      person: by,
      act: 'settle',
      subject: { kind: 'case', held },
    });
    if (refusal !== undefined) return err(refusal);
  }
  const result = await parts.store.change({ kind: 'settle', execution, by, ...said }, idempotency);
  return result.ok && result.value.kind === 'case'
    ? ok(afterwards(parts, now, { kind: 'person', id: by }, result.value.case))
    : err(refusalOf(result.ok ? { kind: 'stale' } : result.error));
}

/** Accepts the definition of a tool that somebody looked at; operators only. Another one is refused `digest_mismatch`. */
export async function acceptTool(
  parts: Parts,
  by: PersonId,
  shown: { readonly server: string; readonly tool: string; readonly hash: Sha256Hex },
): Promise<Result<null, Refusal>> {
  const subject = { kind: 'server', server: shown.server } as const;
  const refusal = refusesByPolicy(
    parts,
    { directory: await parts.store.directory() },
    { person: by, act: 'accept_tool', subject },
  );
  if (refusal !== undefined) return err(refusal);
  const result = await parts.store.change({ kind: 'acceptTool', ...shown, by });
  if (!result.ok) return err(refusalOf(result.error));
  await parts.world.sync();
  return ok(null);
}

export function refusalOf(error: ChangeError): Refusal {
  switch (error.kind) {
    case 'refused':
      return error.refusal;
    case 'fault':
      return auditUnavailable(error.detail);
    case 'stale':
      return refuse('policy_error', 'The policies kept changing while this was judged; try again.');
  }
}

/** What reading needs where somebody may stand in for another, as it is now. */
export async function absencesNow(
  parts: Parts,
): Promise<{ readonly directory: Directory } & Required<Absences>> {
  const [directory, delegations] = await Promise.all([parts.store.directory(), parts.store.delegations()]);
  return { directory, delegations, nowMs: parts.clock.nowMs() };
}

/** One held case as somebody may see it: without what it holds where that is not theirs to see; `not_found` for everybody else. */
export async function readHeld(
  parts: Parts,
  by: Principal,
  approval: ApprovalId,
): Promise<Result<Case, Refusal>> {
  const held = await parts.store.caseBy({ approval });
  const seen = held === undefined ? undefined : seenBy(parts, await absencesNow(parts), by, held);
  return seen !== undefined ? ok(seen) : err(refuse('not_found', 'There is no such approval.'));
}

/** How many rows one page of a list looks through at most before it answers what it found. */
const scanMax = 5000;

/** The store looks only through what somebody may see, where that is a small part of all. */
function narrowed(
  by: Principal,
  now: Absences & { readonly directory: Directory },
  status: CaseFilter,
): Pick<Parameters<Store['held']>[0], 'agent' | 'for' | 'alsoFor' | 'orOf'> {
  if (by.kind === 'agent') return { agent: by.id };
  const { directory } = now;
  const all = isOperator(directory, by.id) || isAuditor(directory, by.id);
  // Only what is pending is in inboxes.
  if (all || status !== 'pending') return {};
  const owned = directory.agents.filter((agent) => agent.owners.includes(by.id)).map((agent) => agent.id);
  // What opened before somebody went away is in their inbox alone.
  return { for: by.id, orOf: owned, alsoFor: absentOf(by.id, now) };
}

/** Held cases that somebody may see, as they may see them, newest first. */
export async function listHeld(
  parts: Parts,
  by: Principal,
  query: { readonly status: CaseFilter; readonly after?: ApprovalId; readonly limit: number },
): Promise<{ readonly items: readonly Case[]; readonly next: ApprovalId | undefined }> {
  const now = await absencesNow(parts);
  const items: Case[] = [];
  let after = query.after;
  let scanned = 0;
  while (items.length < query.limit && scanned < scanMax) {
    const page = await parts.store.held({
      status: query.status,
      limit: 200,
      ...narrowed(by, now, query.status),
      ...(after === undefined ? {} : { after }),
    });
    for (const held of page) {
      scanned += 1;
      after = held.approval?.id;
      const open = query.status !== 'pending' || stateOf(held, parts.clock.nowMs()) === 'pending';
      const seen = open ? seenBy(parts, now, by, held) : undefined;
      if (seen !== undefined) items.push(seen);
      if (items.length >= query.limit) return { items, next: after };
    }
    if (page.length < 200) return { items, next: undefined };
  }
  return { items, next: after };
}
