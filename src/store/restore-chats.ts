/**
 * What a restore does about copies in chats: they are out there, whatever the store forgets. Promises: nothing is posted anew; no
 * copy of an approval that the backup knows stays open for what is over. Copies of approvals that it does not know are left as
 * they are: nobody can press anything there any more.
 */
import { asApprovalId } from '../core/ids.ts';
import type { Notice } from '../core/loaded.ts';
import { ok } from '../core/result.ts';
import type { Batch } from './batch.ts';
import { text } from './columns.ts';
import type { SqliteDriver } from './sqlite-driver.ts';

/**
 * Copies that were posted since are still out there: those of an approval of the backup are known, so that they are told that it is
 * over. Of a copy in both the live row is kept, which says where it is by now.
 */
export function keepPosts(live: SqliteDriver): void {
  live.run(`DELETE FROM main.posts
    WHERE approval_id NOT IN (SELECT approval_id FROM saved.actions WHERE approval_id IS NOT NULL)`);
  live.run('INSERT INTO main.posts SELECT * FROM saved.posts WHERE true ON CONFLICT DO NOTHING');
}

/** Chats, whose copies say something until they are told otherwise. */
const chats: readonly string[] = ['slack', 'teams'];

/** Approvals of which a chat had still to be told something, on either side. */
export const untoldIn = (live: SqliteDriver): readonly string[] =>
  live
    .query(
      `SELECT approval_id FROM main.notices WHERE channel IN ('slack', 'teams')
        UNION SELECT approval_id FROM saved.notices WHERE channel IN ('slack', 'teams')`,
    )
    .map((row) => text(row, 'approval_id'));

/** Tells the copies of what was over at the backup that it is; what was not is told so as it is ended. */
export async function tellCopies(
  live: SqliteDriver,
  batch: Batch,
  of: { readonly untold: readonly string[]; readonly channels: readonly string[] },
): Promise<void> {
  const to = of.channels.filter((channel) => chats.includes(channel));
  for (const approval of of.untold) {
    const rows = live.query(
      `SELECT approval_id FROM posts WHERE approval_id = $1 AND approval_id NOT IN
        (SELECT approval_id FROM actions WHERE approval_id = $1 AND state IN ('pending', 'ready', 'started')) LIMIT 1`,
      [approval],
    );
    if (rows.length === 0) continue;
    const notices = to.map((channel): Notice => ({
      kind: 'approval.closed',
      approval: asApprovalId(approval),
      callback: false,
      only: { channel, insteadOf: null },
    }));
    await batch.apply({ answer: ok({ kind: 'done' }), writes: [], entries: [], notices });
  }
}
