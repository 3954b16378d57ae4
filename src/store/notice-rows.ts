/**
 * The outbox: what channels must be told, written with the change that it tells of. A notice that is being delivered is
 * leased, not taken away: if its deliverer dies it comes back, so every notice is delivered at least once.
 */
import { asApprovalId } from '../core/ids.ts';
import type { Notice } from '../core/loaded.ts';
import { ok } from '../core/result.ts';
import type { Random } from '../ports/random.ts';
import type { Due } from '../ports/store.ts';
import { integer, text, textOrNull } from './columns.ts';
import { put, type Driver, type Row } from './driver.ts';
import type { GateJob, Job, LogJob, Outcome } from './job.ts';

/** Of why a notice failed, in UTF-16 units. */
const detailCharsMax = 500;

/** The channel that calls askers back; not one of those who are told of every approval. */
export const callbackChannel = 'callback';

/** Writes each notice once for each channel, due at its time. */
export async function notify(
  parts: { readonly driver: Driver; readonly random: Random; readonly channels: readonly string[] },
  notices: readonly Notice[],
  at: { readonly ord: number; readonly nowMs: number },
): Promise<void> {
  for (const { kind, approval, callback, dueAtMs, only } of notices) {
    const told = only === undefined ? parts.channels : [only.channel];
    for (const channel of callback ? [...told, callbackChannel] : told) {
      const id = `ntc_${Buffer.from(parts.random.bytes(16)).toString('hex')}`;
      await put(
        parts.driver,
        `INSERT INTO notices (id, channel, kind, approval_id, ord, attempts, due_at_ms, instead_of, since_ms)
          VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $6)`,
        [id, channel, kind, approval, at.ord, dueAtMs ?? at.nowMs, only?.insteadOf ?? null],
      );
    }
  }
}

/** Leasing counts as an attempt, so that a deliverer who dies of a notice does not get it for ever as the first try. */
const lease = `UPDATE notices SET attempts = attempts + 1, due_at_ms = $3
  WHERE id IN (SELECT id FROM notices WHERE channel = $1 AND due_at_ms <= $2 ORDER BY ord, id LIMIT $4)
  RETURNING id, channel, kind, approval_id, ord, attempts, instead_of, fell_back, since_ms`;

/** Whether a channel has anything to take: reading is cheaper than a write that finds nothing. */
export const anyNotice =
  'SELECT id FROM notices WHERE channel = $1 AND due_at_ms <= $2 ORDER BY due_at_ms LIMIT 1';

const dueOf = (row: Row): Due => ({
  id: text(row, 'id'),
  channel: text(row, 'channel'),
  // CHECKed by the schema.
  kind: text(row, 'kind') as Due['kind'],
  approval: asApprovalId(text(row, 'approval_id')),
  attempts: integer(row, 'attempts') - 1,
  sinceMs: integer(row, 'since_ms'),
  insteadOf: textOrNull(row, 'instead_of'),
  fellBack: integer(row, 'fell_back') === 1,
});

export async function noticeJob(
  driver: Driver,
  job: Exclude<Job, LogJob | GateJob | { kind: 'change' }>,
  nowMs: number,
): Promise<Outcome> {
  switch (job.kind) {
    case 'takeNotices': {
      const rows = await driver.query(lease, [job.channel, nowMs, nowMs + job.leaseMs, job.limit]);
      // RETURNING promises no order.
      const due = rows.toSorted((a, b) => integer(a, 'ord') - integer(b, 'ord')).map(dueOf);
      return ok({ kind: 'notices', due });
    }
    case 'noticeDone':
      await driver.run('DELETE FROM notices WHERE id = $1', [job.id]);
      return ok({ kind: 'done' });
    case 'noticeLater':
      if (job.why === null)
        await driver.run('UPDATE notices SET due_at_ms = $2 WHERE id = $1', [job.id, job.untilMs]);
      else
        await driver.run('UPDATE notices SET due_at_ms = $2, detail = $3, fell_back = $4 WHERE id = $1', [
          job.id,
          job.untilMs,
          job.why.detail.slice(0, detailCharsMax).toWellFormed(),
          job.why.fellBack ? 1 : 0,
        ]);
      return ok({ kind: 'done' });
    case 'probe':
      await driver.run('UPDATE log_head SET size = size WHERE one = 1');
      return ok({ kind: 'done' });
  }
}
