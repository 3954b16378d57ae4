/** What was accepted and what waits to be: rows of `accepted` and `candidates`, both ways. */
import type { Case } from '../core/case.ts';
import type { How } from '../core/command-config.ts';
import { changeOperation, gateAgent } from '../core/gate.ts';
import { asDigest } from '../core/ids.ts';
import type { JsonValue } from '../core/json.ts';
import type { Write } from '../core/loaded.ts';
import type { Accepted, Store } from '../ports/store.ts';
import { caseBy, casesOf } from './case-rows.ts';
import { integer, integerOrNull, json, text } from './columns.ts';
import type { Driver, Queries, Row } from './driver.ts';

/** Columns of one accepted version, as {@link acceptedOf} reads them. */
export const acceptedColumns = 'version, digest, body, how, at_ms';

/** What is in force of a part. */
export const selectAccepted = `SELECT ${acceptedColumns} FROM accepted WHERE what = $1 ORDER BY version DESC LIMIT 1`;

const selectWhole = `SELECT ${acceptedColumns} FROM accepted
  WHERE what = $1 AND how <> 'tightened' ORDER BY version DESC LIMIT 1`;

/** One accepted version with its body. */
export const acceptedOf = (row: Row): Accepted => ({
  version: integer(row, 'version'),
  // Written from a JsonValue.
  body: json(row, 'body') as JsonValue,
  digest: asDigest(text(row, 'digest')),
  // CHECKed by the schema.
  how: text(row, 'how') as How,
  atMs: integer(row, 'at_ms'),
});

/** The reads of the port that are about what was accepted. */
export type Acceptance = Pick<
  Store,
  'accepted' | 'acceptedWhole' | 'candidate' | 'newestChange' | 'machineAcceptedAtMs'
>;

export function readAcceptance(db: Queries): Acceptance {
  const one = async (sql: string, what: string): Promise<Accepted | undefined> => {
    const [row] = await db.query(sql, [what]);
    return row === undefined ? undefined : acceptedOf(row);
  };
  return {
    accepted: (what) => one(selectAccepted, what),
    acceptedWhole: (what) => one(selectWhole, what),

    async candidate(digest) {
      const [row] = await db.query('SELECT body FROM candidates WHERE digest = $1', [digest]);
      // Written from a JsonValue.
      return row === undefined ? undefined : (json(row, 'body') as JsonValue);
    },

    newestChange: async () => (await readNewestChange(db)) ?? undefined,

    async machineAcceptedAtMs() {
      const [row] = await db.query("SELECT max(at_ms) AS at_ms FROM accepted WHERE how = 'machine'");
      return row === undefined ? null : integerOrNull(row, 'at_ms');
    },
  };
}

/** What the gate asked last about its configuration, whatever became of it. */
export async function readNewestChange(db: Queries): Promise<Case | null> {
  const [row] = await db.query(
    'SELECT id FROM actions WHERE agent = $1 AND operation = $2 ORDER BY ord DESC LIMIT 1',
    [gateAgent, changeOperation],
  );
  return row === undefined ? null : (casesOf(await db.query(caseBy.action, [text(row, 'id')]))[0] ?? null);
}

/** Which counter of `meta` moves with a part: servers decide what tools and operations are, as pins do. */
const counterOf = { policies: 'policySet', directory: 'directory', servers: 'tools' } as const;

export async function writeAccepted(
  driver: Driver,
  write: Extract<Write, { row: 'accepted' | 'candidate' }>,
  nowMs: number,
): Promise<void> {
  const { digest, body } = write;
  if (write.row === 'candidate') {
    await driver.run(
      'INSERT INTO candidates (digest, body, at_ms) VALUES ($1, $2, $3) ON CONFLICT (digest) DO NOTHING',
      [digest, JSON.stringify(body), nowMs],
    );
    return;
  }
  const { what, version, how } = write;
  await driver.run(
    'INSERT INTO accepted (what, version, digest, at_ms, body, how) VALUES ($1, $2, $3, $4, $5, $6)',
    [what, version, digest, nowMs, JSON.stringify(body), how],
  );
  await driver.run('UPDATE meta SET value = $2 WHERE key = $1', [counterOf[what], String(version)]);
}
