/**
 * The same POST under the same key answers what the first did (draft-ietf-httpapi-idempotency-key-header). Only what was
 * done is remembered: a refusal changed nothing, so its repeat is judged afresh.
 *
 * A case is remembered by its id and answered as it is today, `joined`: whoever repeats a request learns what became of it,
 * and can never take the start of its execution for its own.
 */
import type { Idempotency } from '../core/command.ts';
import type { Answer } from '../core/loaded.ts';
import { refuse } from '../core/refusal.ts';
import { err, ok } from '../core/result.ts';
import { caseBy, casesOf } from './case-rows.ts';
import { json, text } from './columns.ts';
import type { Driver } from './driver.ts';
import type { Outcome } from './job.ts';

/** How long a key is remembered. */
export const idempotencyMs = 24 * 3_600_000;

type Remembered =
  { readonly kind: 'case'; readonly action: string } | Exclude<Answer, { readonly kind: 'case' }>;

/** The outcome of an earlier request with this key; undefined where this is the first. */
export async function recall(driver: Driver, idempotency: Idempotency): Promise<Outcome | undefined> {
  const { principal, key, fingerprint } = idempotency;
  const [row] = await driver.query(
    'SELECT fingerprint, answer FROM idempotency WHERE principal = $1 AND key = $2',
    [principal, key],
  );
  if (row === undefined) return undefined;
  if (text(row, 'fingerprint') !== fingerprint) {
    return conflict('This idempotency key was used for another request; use a new one.');
  }
  // `remember` wrote it.
  const answer = json(row, 'answer') as Remembered;
  if (answer.kind !== 'case') return ok(answer);
  const [held] = casesOf(await driver.query(caseBy.action, [answer.action]));
  return held === undefined
    ? conflict('This request was answered before the store was restored, and what became of it is lost.')
    : ok({ kind: 'case', case: held, joined: true, changed: false, execution: held.execution });
}

const conflict = (detail: string): Outcome =>
  err({ kind: 'refused', refusal: refuse('idempotency_conflict', detail) });

/** Keeps what was answered, in the transaction that did it. */
export async function remember(
  driver: Driver,
  idempotency: Idempotency,
  answer: Answer,
  nowMs: number,
): Promise<void> {
  const kept: Remembered = answer.kind === 'case' ? { kind: 'case', action: answer.case.asked.id } : answer;
  await driver.run(
    'INSERT INTO idempotency (principal, key, fingerprint, answer, at_ms) VALUES ($1, $2, $3, $4, $5)',
    [idempotency.principal, idempotency.key, idempotency.fingerprint, JSON.stringify(kept), nowMs],
  );
}
