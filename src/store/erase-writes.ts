/**
 * Erasing, in the transaction that writes the entry which says so. Promises: exactly the named statements are blank afterwards, or
 * nothing was written; nothing of what they held is left in any other table. docs/storage.md says of each table what goes and what
 * stays; a table that comes to hold something of an action has its line here.
 */
import { canonicalize } from '../core/canonical.ts';
import type { Case } from '../core/case.ts';
import type { Range } from '../core/erased.ts';
import type { JsonObject } from '../core/json.ts';
import type { Write } from '../core/loaded.ts';
import { json, text } from './columns.ts';
import { SqlFault, type Driver } from './driver.ts';
import { eraseGlass } from './glass-rows.ts';
import { idempotencyMs } from './idempotency.ts';

/** Answers to repeats whose time is over that one erasure clears away, so that none names what was erased. */
const overMax = 1000;

export async function writeErased(
  driver: Driver,
  { indexes, cases, glasses }: Extract<Write, { row: 'erased' }>,
  nowMs: number,
): Promise<void> {
  for (const range of indexes) await blank(driver, range);
  for (const held of cases) await eraseCase(driver, held);
  for (const glass of glasses) await eraseGlass(driver, glass);
  await driver.run(
    `DELETE FROM idempotency WHERE (principal, key) IN
      (SELECT principal, key FROM idempotency WHERE at_ms < $1 LIMIT ${overMax})`,
    [nowMs - idempotencyMs],
  );
}

async function blank(driver: Driver, [from, to]: Range): Promise<void> {
  const rows = await driver.run(
    "UPDATE entries SET statement = '' WHERE idx >= $1 AND idx <= $2 AND statement <> ''",
    [from, to],
  );
  if (rows !== to - from + 1)
    throw new SqlFault(`erasing ${from} to ${to}: ${rows} statements were there`, 'command');
}

/** Guarded: what is not over has no place among what is erased. */
const setAction = `UPDATE actions SET canonical = $2, verdict = $3, ending = $4, preview = NULL, look_before = NULL, callback = NULL,
    run = NULL, amount = NULL, join_key = '', like_key = ''
  WHERE id = $1 AND state NOT IN ('pending', 'ready', 'started')`;

async function eraseCase(driver: Driver, held: Case): Promise<void> {
  const { asked, ending, execution, approval } = held;
  // An action's canonical text is an object.
  const action = JSON.parse(asked.canonical) as JsonObject;
  const rows = await driver.run(setAction, [
    asked.id,
    canonicalize({ ...action, erased: asked.erased ?? null }),
    JSON.stringify(asked.verdict),
    ending === null ? null : JSON.stringify(ending),
  ]);
  if (rows !== 1) throw new SqlFault('only an action that is over is erased', 'command');
  if (execution !== null)
    await driver.run('UPDATE executions SET detail = $2, result = $3 WHERE id = $1', [
      execution.id,
      execution.detail,
      JSON.stringify(execution.result),
    ]);
  // Whoever repeats the request is not answered from it any more; its fingerprint is a hash without a salt.
  await driver.run('DELETE FROM idempotency WHERE answer = $1', [
    JSON.stringify({ kind: 'case', action: asked.id }),
  ]);
  if (approval === null) return;
  await eraseShown(driver, approval.id);
  for (const review of held.reviews)
    await driver.run(
      `UPDATE reviews SET reason = $3, shown = NULL, via = NULL, proof = NULL
        WHERE approval_id = $1 AND person_id = $2`,
      [approval.id, review.person, review.reason],
    );
  await driver.run('UPDATE unsafe SET reason = NULL WHERE approval_id = $1', [approval.id]);
  // Why an operation is paused repeats why the last one was denied; that it is paused stays.
  await driver.run(
    `UPDATE stops SET reason = NULL WHERE agent = $2 AND operation = $3
      AND at_ms IN (SELECT at_ms FROM reviews WHERE approval_id = $1 AND unsafe = 1)`,
    [approval.id, asked.action.agent, asked.action.operation],
  );
  await driver.run('UPDATE notices SET detail = NULL WHERE approval_id = $1 AND detail IS NOT NULL', [
    approval.id,
  ]);
}

/** An id as a part of a LIKE pattern that means just this id. */
const literally = (id: string): string => id.replace(/[!%_]/g, '!$&');

/** What people were shown, and what they typed there. Where the copies are stays: they are out there still. */
async function eraseShown(driver: Driver, approval: string): Promise<void> {
  // Those that an earlier program kept do not name their approval, but all that they show has its address.
  await driver.run(
    `DELETE FROM showings WHERE approval_id = $1
      OR (approval_id IS NULL AND body LIKE $2 ESCAPE '!')`,
    [approval, `%${literally(approval)}%`],
  );
  for (const row of await driver.query('SELECT id, body FROM posts WHERE approval_id = $1', [approval])) {
    // Written from a Post only.
    const body = json(row, 'body') as JsonObject;
    await driver.run('UPDATE posts SET body = $2 WHERE id = $1', [
      text(row, 'id'),
      JSON.stringify({ ...body, shown: null }),
    ]);
    await eraseClicks(driver, text(row, 'id'));
  }
}

async function eraseClicks(driver: Driver, post: string): Promise<void> {
  const pattern = `%"post":${literally(JSON.stringify(post))}%`;
  for (const row of await driver.query("SELECT id, body FROM clicks WHERE body LIKE $1 ESCAPE '!'", [
    pattern,
  ])) {
    // Written from a Click only.
    const body = json(row, 'body') as JsonObject;
    await driver.run('UPDATE clicks SET body = $2 WHERE id = $1', [
      text(row, 'id'),
      JSON.stringify({ ...body, reason: null, seen: null }),
    ]);
  }
}
