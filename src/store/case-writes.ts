/**
 * Writing cases: what differs between a case as it was read and the next one. The database's own guards are used here: a
 * grant is consumed only where it was not, and whatever must change one row fails if it changed none.
 */
import { dueAtMs, stateOf, type Case, type Execution } from '../core/case.ts';
import { writeInbox } from './inbox-rows.ts';
import type { Counts } from './counts.ts';
import { put, type Driver, type SqlValue } from './driver.ts';

const toJson = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));

/** Writes what differs between the case as it was read and the next one. @param at.ord the case's number: by when it was asked. */
export async function writeCase(
  driver: Driver,
  change: { readonly before: Case | null; readonly next: Case },
  at: { readonly ord: number; readonly nowMs: number; readonly gate: string | null },
  counts: Counts,
): Promise<void> {
  const { before, next } = change;
  if (before === null) await insertCase(driver, next, at);
  else await updateCase(driver, before, next, at.ord);
  await writeInbox(driver, change, at.ord, counts);
  await writeReviews(driver, before, next);
  await writeExecution(driver, before?.execution ?? null, next, at);
}

/** The state as stored knows no time: whoever reads `pending` or `ready` compares `due_at_ms` with the clock. */
const stateFields = (next: Case): readonly SqlValue[] => [
  stateOf(next, Number.NEGATIVE_INFINITY),
  dueAtMs(next),
  next.approval?.id ?? null,
  toJson(next.approval),
  next.grant?.expiresAtMs ?? null,
  next.grant?.consumedAtMs ?? null,
  toJson(next.ending),
  next.grant?.index ?? null,
];

const insertAction = `INSERT INTO actions (state, due_at_ms, approval_id, approval, grant_expires_at_ms, consumed_at_ms, ending, grant_index,
  id, ord, agent, operation, enforcement, join_key, run, asked_at_ms, digest, subject, verdict, profile, preview, look_before, canonical,
  mode, like_key, callback, amount, glass, trace)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)`;

async function insertCase(
  driver: Driver,
  next: Case,
  at: { readonly ord: number; readonly nowMs: number },
): Promise<void> {
  const { asked } = next;
  const { agent, operation, enforcement } = asked.action;
  await put(driver, insertAction, [
    ...stateFields(next),
    asked.id,
    at.ord,
    agent,
    operation,
    enforcement,
    asked.joinKey,
    asked.run,
    asked.atMs,
    asked.digest,
    asked.subject,
    JSON.stringify(asked.verdict),
    toJson(asked.profile),
    toJson(asked.preview),
    toJson(asked.before),
    asked.canonical,
    asked.mode,
    asked.likeKey,
    asked.callback,
    asked.amount,
    asked.glass ?? null,
    asked.trace ?? null,
  ]);
  // The second guard of no-self-approval (schema.ts, `reviews`).
  for (const { person } of next.approval?.conflict ?? []) {
    await put(
      driver,
      `INSERT INTO reviews (approval_id, person_id, stops, decision, ord, unsafe, at_ms) VALUES ($1, $2, 0, 'barred', -1, 0, $3)`,
      [next.approval?.id ?? null, person, at.nowMs],
    );
  }
}

const setAction = `UPDATE actions SET state = $1, due_at_ms = $2, approval_id = $3, approval = $4, grant_expires_at_ms = $5,
  consumed_at_ms = $6, ending = $7, grant_index = $8 WHERE ord = $9 AND id = $10`;
const consumeGrant = `${setAction} AND consumed_at_ms IS NULL AND grant_expires_at_ms IS NOT NULL AND ending IS NULL`;

async function updateCase(driver: Driver, before: Case, next: Case, ord: number): Promise<void> {
  // The second guard of running once: what starts an execution consumes a grant that nobody has consumed.
  const starts = before.execution === null && next.execution !== null;
  // A case whose row is not as the step had read it: a bug, or a second writer without the lock.
  await put(
    driver,
    starts ? consumeGrant : setAction,
    [...stateFields(next), ord, next.asked.id],
    starts ? 'consuming a grant' : 'changing a case',
  );
}

async function writeReviews(driver: Driver, before: Case | null, next: Case): Promise<void> {
  const known = before?.reviews.length ?? 0;
  for (const [ord, review] of next.reviews.entries()) {
    if (ord < known) continue;
    const { person, decision, digest, reason, unsafe, channel, atMs, shown, via, proof, standingInFor } =
      review;
    await put(
      driver,
      `INSERT INTO reviews (approval_id, person_id, stops, decision, ord, digest, reason, unsafe, channel, at_ms, shown, via, proof, standing_in_for)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
      [
        next.approval?.id ?? null,
        person,
        decision === 'deny' ? 1 : 0,
        decision,
        ord,
        digest,
        reason,
        unsafe ? 1 : 0,
        channel,
        atMs,
        shown,
        via === null ? null : JSON.stringify(via),
        proof === null ? null : JSON.stringify(proof),
        standingInFor ?? null,
      ],
    );
  }
}

async function writeExecution(
  driver: Driver,
  before: Execution | null,
  next: Case,
  { ord, gate }: { readonly ord: number; readonly gate: string | null },
): Promise<void> {
  const { execution } = next;
  if (execution === null || execution === before) return;
  const { id, status, startedAtMs, endedAtMs, outcomeBy, detail } = execution;
  const result = JSON.stringify(execution.result);
  if (before === null) {
    // What an agent runs itself is no gate's, and outlives it.
    const runner = next.asked.action.enforcement === 'mediated' ? gate : null;
    await put(
      driver,
      `INSERT INTO executions (action_ord, id, status, started_at_ms, ended_at_ms, outcome_by, detail, result, gate)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [ord, id, status, startedAtMs, endedAtMs, outcomeBy, detail, result, runner],
    );
    return;
  }
  await put(
    driver,
    `UPDATE executions SET status = $1, ended_at_ms = $2, outcome_by = $3, detail = $4, result = $5 WHERE id = $6 AND status = $7`,
    [status, endedAtMs, outcomeBy, detail, result, id, before.status],
    'ending an execution',
  );
}
