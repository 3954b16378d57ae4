/**
 * Rows of the gates that share the store: who is there, who has which lease, whose run is whose, what was proposed. The small
 * writes happen inside the writer's transaction, under the head row: they come one after another, whatever gate they are of.
 */
import { gateLimits, type Runner } from '../core/runner.ts';
import { asExecutionId, type ExecutionId } from '../core/ids.ts';
import { ok } from '../core/result.ts';
import type { Clock } from '../ports/clock.ts';
import type { GateBody, GateRow, Gates, ProposedRow } from '../ports/gates.ts';
import { integer, integerOrNull, json, text, textOrNull } from './columns.ts';
import type { Driver, Queries, Row } from './driver.ts';
import type { GateJob, Outcome } from './job.ts';

/** For how long a gate that is gone is still shown; whoever stops properly is forgotten at once. */
export const gateKeptMs = 3_600_000;
/** No holder of a lease, nor of the tree, asks for more. */
const leaseMsMax = 60_000;
/** Gates that are read; more are no deployment but a loop that starts them. */
const gatesMax = 1000;
/** Of what was found altered, in UTF-16 units. */
const damageCharsMax = 500;
/** Digests of configurations that are remembered as proposed. */
const proposalsMax = 1000;

const done: Outcome = ok({ kind: 'done' });
const held = (yes: boolean): Outcome => ok({ kind: 'lease', held: yes });

const gateColumns = 'id, started_at_ms, steady_at_ms, seen_at_ms, body';
const selectGates = `SELECT ${gateColumns} FROM gates ORDER BY started_at_ms, id LIMIT ${gatesMax}`;

const gateOf = (row: Row, nowMs: number): GateRow => ({
  id: text(row, 'id'),
  startedAtMs: integer(row, 'started_at_ms'),
  steadyAtMs: integer(row, 'steady_at_ms'),
  silentMs: Math.max(0, nowMs - integer(row, 'seen_at_ms')),
  // Written from a GateBody only.
  body: json(row, 'body') as GateBody,
});

/** @param clockMs as the database says: what is here goes by it, not by the log's own time. */
export async function gateJob(driver: Driver, job: GateJob, clockMs: number): Promise<Outcome> {
  switch (job.kind) {
    case 'beat':
      return beat(driver, job, clockMs);
    case 'leave':
      await driver.run('DELETE FROM gates WHERE id = $1', [job.gate]);
      await driver.run('DELETE FROM leases WHERE holder = $1', [job.gate]);
      return done;
    case 'takeLease':
      return takeLease(driver, job, clockMs);
    case 'setDamage':
      await driver.run('UPDATE log_published SET damage = $1 WHERE one = 1', [
        job.what?.slice(0, damageCharsMax).toWellFormed() ?? null,
      ]);
      return done;
    case 'propose':
      return propose(driver, job.digest, clockMs);
  }
}

async function beat(
  driver: Driver,
  { gate, body }: GateJob & { readonly kind: 'beat' },
  nowMs: number,
): Promise<Outcome> {
  const [row] = await driver.query('SELECT seen_at_ms, steady_at_ms FROM gates WHERE id = $1', [gate]);
  const gapMs = row === undefined ? Infinity : nowMs - integer(row, 'seen_at_ms');
  const steadyMs =
    row === undefined || gapMs > gateLimits.gapMsMax || gapMs < 0 ? nowMs : integer(row, 'steady_at_ms');
  await driver.run(
    `INSERT INTO gates (id, started_at_ms, steady_at_ms, seen_at_ms, body) VALUES ($1, $2, $3, $2, $4)
      ON CONFLICT (id) DO UPDATE SET steady_at_ms = $3, seen_at_ms = $2, body = $4`,
    [gate, nowMs, steadyMs, JSON.stringify(body)],
  );
  // Where the store is locked to one process, whoever else is written down died.
  if (driver.dialect.kind === 'sqlite') await driver.run('DELETE FROM gates WHERE id <> $1', [gate]);
  else await driver.run('DELETE FROM gates WHERE seen_at_ms < $1', [nowMs - gateKeptMs]);
  const rows = await driver.query(selectGates);
  return ok({ kind: 'gates', gates: rows.map((one) => gateOf(one, nowMs)) });
}

async function takeLease(
  driver: Driver,
  { name, holder, forMs }: GateJob & { readonly kind: 'takeLease' },
  nowMs: number,
): Promise<Outcome> {
  const [row] = await driver.query('SELECT holder, until_ms FROM leases WHERE name = $1', [name]);
  if (row !== undefined && !isFree(row, holder, nowMs)) return held(false);
  const untilMs = nowMs + Math.min(forMs, leaseMsMax);
  await driver.run(
    `INSERT INTO leases (name, holder, until_ms) VALUES ($1, $2, $3)
      ON CONFLICT (name) DO UPDATE SET holder = $2, until_ms = $3`,
    [name, holder, untilMs],
  );
  return held(forMs > 0);
}

/**
 * Whether what a row says of a lease keeps this holder from it. Longer than anybody holds one: the clock was put back since, and who
 * held it may be gone.
 */
export function isFree(row: Row, holder: string, nowMs: number): boolean {
  const leftMs = integer(row, 'until_ms') - nowMs;
  return text(row, 'holder') === holder || leftMs <= 0 || leftMs > leaseMsMax;
}

/** Later than all before it, whatever the clock does. */
async function propose(driver: Driver, digest: string, nowMs: number): Promise<Outcome> {
  const newest = await newestProposal(driver);
  if (newest?.digest === digest) return done;
  await driver.run(
    `INSERT INTO proposals (digest, at_ms) VALUES ($1, $2) ON CONFLICT (digest) DO UPDATE SET at_ms = $2`,
    [digest, Math.max(nowMs, (newest?.atMs ?? -1) + 1)],
  );
  await driver.run(
    `DELETE FROM proposals WHERE digest IN
      (SELECT digest FROM proposals ORDER BY at_ms DESC LIMIT 1000 OFFSET ${proposalsMax})`,
  );
  return done;
}

const proposalOf = (row: Row): ProposedRow => ({ digest: text(row, 'digest'), atMs: integer(row, 'at_ms') });

async function newestProposal(db: Queries): Promise<ProposedRow | undefined> {
  const [row] = await db.query('SELECT digest, at_ms FROM proposals ORDER BY at_ms DESC LIMIT 1');
  return row === undefined ? undefined : proposalOf(row);
}

const selectRunner = `SELECT e.gate, g.seen_at_ms,
    (SELECT s.steady_at_ms FROM gates s WHERE s.id = $2 AND s.seen_at_ms >= $3) AS steady_at_ms
  FROM executions e LEFT JOIN gates g ON g.id = e.gate WHERE e.id = $1`;

/** Whose run an execution is. @param self the gate that asks. @param nowMs as the database says. */
export async function readRunner(
  db: Queries,
  of: { readonly execution: string; readonly self: string | null; readonly alone: boolean },
  nowMs: number,
): Promise<Runner | undefined> {
  // Who was silent itself a moment ago has seen nothing of the others either.
  const [row] = await db.query(selectRunner, [of.execution, of.self ?? '', nowMs - gateLimits.gapMsMax]);
  if (row === undefined) return undefined;
  return {
    gate: textOrNull(row, 'gate'),
    seenAtMs: integerOrNull(row, 'seen_at_ms'),
    self: of.self,
    steadyAtMs: integerOrNull(row, 'steady_at_ms'),
    nowMs,
    alone: of.alone,
  };
}

const selectOrphans = `SELECT e.id FROM executions e JOIN actions a ON a.ord = e.action_ord LEFT JOIN gates g ON g.id = e.gate
  WHERE e.status = 'started' AND a.enforcement = 'mediated'
    AND (e.gate IS NULL OR (e.started_at_ms <= $1 AND (g.seen_at_ms IS NULL OR g.seen_at_ms <= $1)))
  ORDER BY a.ord LIMIT 1000`;

/** What was found altered in the log; null: nothing. */
export async function readDamage(db: Queries): Promise<string | null> {
  const [row] = await db.query('SELECT damage FROM log_published WHERE one = 1');
  return row === undefined ? null : textOrNull(row, 'damage');
}

export type GateReads = Pick<Gates, 'gates' | 'orphans' | 'leaseFree' | 'treeFree' | 'damage' | 'proposals'>;

/** @param clock of the database. */
export function readGates(db: Queries, clock: Clock): GateReads {
  return {
    async gates() {
      const nowMs = clock.nowMs();
      return (await db.query(selectGates)).map((row) => gateOf(row, nowMs));
    },
    async orphans(): Promise<readonly ExecutionId[]> {
      const rows = await db.query(selectOrphans, [clock.nowMs() - gateLimits.goneMs]);
      return rows.map((row) => asExecutionId(text(row, 'id')));
    },
    async leaseFree(name, holder) {
      const [row] = await db.query('SELECT holder, until_ms FROM leases WHERE name = $1', [name]);
      return row === undefined || isFree(row, holder, clock.nowMs());
    },
    async treeFree(holder) {
      const [row] = await db.query(
        "SELECT COALESCE(holder, '') AS holder, until_ms FROM log_published WHERE one = 1",
      );
      return row === undefined || isFree(row, holder, clock.nowMs());
    },
    damage: () => readDamage(db),
    async proposals(digest) {
      const [row] = await db.query('SELECT digest, at_ms FROM proposals WHERE digest = $1', [digest]);
      return { known: row === undefined ? undefined : proposalOf(row), newest: await newestProposal(db) };
    },
  };
}
