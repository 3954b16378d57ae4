/**
 * Break-glass as rows, both ways. One row each; what is not reviewed yet is read into every transaction, and is one row at most
 * unless a restore brought a second.
 */
import { asGlassId, type Glass, type GlassId } from '../core/glass.ts';
import { asAgentId, asApprovalId, type ApprovalId } from '../core/ids.ts';
import type { Glasses } from '../ports/glasses.ts';
import { integer, json, text } from './columns.ts';
import { SqlFault, type Driver, type Queries, type Row } from './driver.ts';

const columns = 'id, approval_id, agent, operation, from_ms, until_ms, body';

/** What the columns do not hold. */
type Body = Pick<Glass, 'asker' | 'approvers' | 'owners' | 'reason' | 'ended' | 'review'>;

const glassOf = (row: Row): Glass => ({
  id: asGlassId(text(row, 'id')),
  approval: asApprovalId(text(row, 'approval_id')),
  agent: asAgentId(text(row, 'agent')),
  operation: text(row, 'operation'),
  fromMs: integer(row, 'from_ms'),
  untilMs: integer(row, 'until_ms'),
  // Written from a Glass only.
  ...(json(row, 'body') as Body),
});

/** Those that are not reviewed yet, oldest first. */
export const readGlasses = async (from: Queries): Promise<readonly Glass[]> =>
  (await from.query(`SELECT ${columns} FROM glasses WHERE reviewed_at_ms IS NULL ORDER BY from_ms, id`)).map(
    glassOf,
  );

export async function glassBy(
  from: Queries,
  key: { readonly id: GlassId } | { readonly approval: ApprovalId },
): Promise<Glass | undefined> {
  const [row] =
    'id' in key
      ? await from.query(`SELECT ${columns} FROM glasses WHERE id = $1`, [key.id])
      : await from.query(`SELECT ${columns} FROM glasses WHERE approval_id = $1`, [key.approval]);
  return row === undefined ? undefined : glassOf(row);
}

const upsert = `INSERT INTO glasses (${columns}, reviewed_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
  ON CONFLICT (id) DO UPDATE SET body = $7, reviewed_at_ms = $8 WHERE glasses.reviewed_at_ms IS NULL`;

/** What was reviewed stays as it is, whatever a step says. */
export async function writeGlass(driver: Driver, glass: Glass): Promise<void> {
  const { id, approval, agent, operation, fromMs, untilMs, ...rest } = glass;
  const { asker, approvers, owners, reason, ended, review } = rest;
  const body: Body = { asker, approvers, owners, reason, ended, review };
  const values = [
    id,
    approval,
    agent,
    operation,
    fromMs,
    untilMs,
    JSON.stringify(body),
    review?.atMs ?? null,
  ];
  if ((await driver.run(upsert, values)) !== 1)
    throw new SqlFault('a break-glass was changed after its review', 'command');
}

/** What is left of one whose approval was erased. The only change of one that was reviewed. */
export async function eraseGlass(driver: Driver, glass: Glass): Promise<void> {
  const { asker, approvers, owners, reason, ended, review } = glass;
  const body: Body = { asker, approvers, owners, reason, ended, review };
  await driver.run('UPDATE glasses SET body = $2 WHERE id = $1', [glass.id, JSON.stringify(body)]);
}

/** Rows that one read answers at most. */
const rowsMax = 1000;

export const readGlassRows = (db: Queries): Glasses => ({
  openGlasses: () => readGlasses(db),

  async glasses({ limit, after }) {
    const some = Math.min(limit, rowsMax);
    const rows =
      after === undefined
        ? db.query(`SELECT ${columns} FROM glasses ORDER BY from_ms DESC, id DESC LIMIT $1`, [some])
        : db.query(
            `SELECT ${columns} FROM glasses
              WHERE from_ms < (SELECT from_ms FROM glasses WHERE id = $2)
                OR (from_ms = (SELECT from_ms FROM glasses WHERE id = $2) AND id < $2)
              ORDER BY from_ms DESC, id DESC LIMIT $1`,
            [some, after],
          );
    return (await rows).map(glassOf);
  },

  glassBy: (key) => glassBy(db, key),

  async passedUnder(glass, limit) {
    const [row] = await db.query(
      'SELECT count(*) AS many FROM (SELECT 1 AS one FROM actions WHERE glass = $1 LIMIT $2) AS found',
      [glass, limit],
    );
    return row === undefined ? 0 : integer(row, 'many');
  },
});
