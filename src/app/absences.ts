/** Out of office, as use cases: naming who stands in, ending that, and who sees it. */
import type { Idempotency } from '../core/command.ts';
import type { Delegation } from '../core/delegation.ts';
import { isAdmin, type Principal } from '../core/directory.ts';
import { delegationIdOf, type DelegationId, type PersonId } from '../core/ids.ts';
import { mayReadGate } from '../core/reads.ts';
import { refuse, type Refusal } from '../core/refusal.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { ChangeError } from '../ports/store.ts';
import type { Answer } from '../core/loaded.ts';
import type { Parts } from './parts.ts';
import { refusalOf } from './review.ts';

/** What is asked for: who stands in, and from when to when. `fromMs` null: at once. */
export interface AwayInput {
  readonly to: PersonId;
  readonly fromMs: number | null;
  readonly untilMs: number;
  readonly idempotency?: Idempotency | undefined;
}

/** Somebody names who stands in for them. */
export async function goAway(
  parts: Parts,
  by: Extract<Principal, { kind: 'person' }>,
  { idempotency, ...said }: AwayInput,
): Promise<Result<Delegation, Refusal>> {
  const id = delegationIdOf(parts.random.bytes(16));
  return made(await parts.store.change({ kind: 'delegate', id, by, ...said }, idempotency));
}

/** Ends it at once; for both of the two, and for administrators. */
export async function endAway(
  parts: Parts,
  by: PersonId,
  id: DelegationId,
  idempotency?: Idempotency,
): Promise<Result<Delegation, Refusal>> {
  return made(await parts.store.change({ kind: 'endDelegation', id, by }, idempotency));
}

const made = (result: Result<Answer, ChangeError>): Result<Delegation, Refusal> =>
  result.ok && result.value.kind === 'delegation'
    ? ok(result.value.delegation)
    : err(
        result.ok
          ? refuse('idempotency_conflict', 'This key was used for something else.')
          : refusalOf(result.error),
      );

/** Those that somebody may see: the ones that name them, newest first; of everybody's, those that are not over. */
export async function delegationsFor(parts: Parts, person: PersonId): Promise<readonly Delegation[]> {
  const [directory, mine] = await Promise.all([parts.store.directory(), parts.store.delegationsOf(person)]);
  const all =
    mayReadGate(directory, person) || isAdmin(directory, person) ? await parts.store.delegations() : [];
  return [...mine, ...all.filter((one) => !mine.some((other) => other.id === one.id))];
}
