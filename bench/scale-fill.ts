/**
 * A large database in minutes: rows as the store writes them, in a log that a gate goes on with (scale-log.ts), written past the
 * store with COPY.
 */
import { hash } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import { actionIdOf, approvalIdOf, executionIdOf } from '../src/core/ids.ts';
import { postgresDialect, type Driver } from '../src/store/driver.ts';
import { makeRoom } from '../src/store/partitions.ts';
import { startPostgres, whileFilling, type Postgres } from './postgres.ts';
import { Copies, Dice } from './scale-copy.ts';
import { LogFill } from './scale-log.ts';
import { agentOf, agents, configured, newLogPems, teams, type LogPems } from './scale-organisation.ts';
import { prepare, type Secrets } from './scale-prepare.ts';
import { filled, type Blanks, type Kind, type Template } from './scale-templates.ts';

export interface Wanted {
  readonly actions: number;
  /** Of them wait. */
  readonly pending: number;
}

export interface Filled extends Secrets {
  readonly postgres: Postgres;
  /** The file of a gate's configuration. */
  readonly config: string;
  readonly entries: number;
  readonly tookSeconds: number;
}

/** From one action to the next: three million are two months. */
const paceMs = 1728;
/** What waits is among the youngest of all: of so many times as much. */
const youngest = 5;
/** Most actions leave three entries, those that people decide up to six. */
const entriesEach = 5;

/** The server keeps the database durable when this is done, and is at its ordinary settings. */
export async function fillPostgres(folder: string, wanted: Wanted): Promise<Filled> {
  const from = performance.now();
  const postgres = await startPostgres(folder, whileFilling);
  try {
    return {
      ...(await fillServer(postgres, folder, wanted)),
      tookSeconds: (performance.now() - from) / 1000,
    };
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

async function fillServer(
  postgres: Postgres,
  folder: string,
  wanted: Wanted,
): Promise<Omit<Filled, 'tookSeconds'>> {
  const keys = newLogPems();
  const config = configured(join(folder, 'scale'), { database: postgres.url, keys });
  const { templates, ...secrets } = await prepare(postgres, config);
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  let entries: number;
  try {
    entries = await fillTables({ postgres, client, keys, templates, wanted });
    await postgres.sql('VACUUM (FREEZE, ANALYZE)');
  } finally {
    await client.end();
  }
  await postgres.restart();
  return { ...secrets, postgres, config, entries };
}

interface Filling {
  readonly postgres: Postgres;
  readonly client: pg.Client;
  readonly keys: LogPems;
  readonly templates: readonly Template[];
  readonly wanted: Wanted;
}

/** @returns the log's size. */
async function fillTables({ postgres, client, keys, templates, wanted }: Filling): Promise<number> {
  const copies = new Copies(postgres);
  const log = await LogFill.behind(client, copies, keys);
  await makeRoom(driverOf(client), log.size + wanted.actions * entriesEach);
  const nowMs = Date.now();
  const asking = new Asking(log, copies, templates, { wanted, startMs: nowMs - wanted.actions * paceMs });
  for (let n = 0; n < wanted.actions; n += 1) {
    asking.ask(n);
    asking.due(n);
    if (n % 256 === 0) await copies.flush();
    if (n % 100_000 !== 0) continue;
    await log.keep();
    console.error(`${n} of ${wanted.actions} actions, ${log.size} entries`);
  }
  asking.rest();
  await log.end(nowMs);
  // What the gate wrote first was written just now, and all that follows is earlier: the log's time runs on.
  await client.query('UPDATE entries SET at_ms = $2 WHERE idx < $1', [log.first, asking.atMs(0)]);
  await client.query(counted(nowMs));
  return log.size;
}

/** As much of a driver as making room wants. */
const driverOf = (client: pg.Client): Driver => ({
  dialect: postgresDialect,
  query: async (sql, params = []) => (await client.query(sql, [...params])).rows,
  run: async (sql, params = []) => (await client.query(sql, [...params])).rowCount ?? 0,
  dataVersion: () => null,
  erased: () => undefined,
  tell: () => undefined,
  transaction: (work) => work(),
});

/** An entry that is written some actions later. */
interface Later {
  readonly template: Template;
  readonly entry: number;
  readonly of: Omit<Blanks, 'index' | 'at' | 'entrySalt' | 'grant' | 'ord'> & { grant: number; ord: number };
}

class Asking {
  readonly #log: LogFill;
  readonly #copies: Copies;
  readonly #templates: readonly Template[];
  readonly #wanted: Wanted;
  readonly #startMs: number;
  readonly #dice = new Dice();
  readonly #later = new Map<number, Later[]>();

  constructor(
    log: LogFill,
    copies: Copies,
    templates: readonly Template[],
    of: { readonly wanted: Wanted; readonly startMs: number },
  ) {
    this.#log = log;
    this.#copies = copies;
    this.#templates = templates;
    this.#wanted = of.wanted;
    this.#startMs = of.startMs;
  }

  /** When the n-th action was asked for. */
  atMs(n: number): number {
    return this.#startMs + Math.min(n, this.#wanted.actions) * paceMs;
  }

  /** Plans the entries of one more action. */
  ask(n: number): void {
    const dice = this.#dice;
    // Few agents ask most.
    const agent = Math.floor(agents * (dice.below(1000) / 1000) ** 2);
    const team = (agent * 7 + dice.below(3)) % teams;
    const kind = this.#kindOf(n);
    const template = this.#templates.find((one) => one.kind === kind && one.team === team);
    if (template === undefined) throw new Error(`no template of ${kind} for team ${team}`);
    const start = {
      action: actionIdOf(dice.bytes(16)),
      approval: approvalIdOf(dice.bytes(16)),
      execution: executionIdOf(dice.bytes(16)),
      agent: agentOf(agent),
      salt: dice.hex(32),
      join: dice.hex(32),
      like: dice.hex(32),
      shiftMs: this.atMs(n) - template.askedAtMs,
      grant: -1,
      ord: -1,
    };
    const none = { digest: '', subject: '', index: 0, at: '', entrySalt: '' };
    const canonical = filled(template.canonical, { ...start, ...none });
    const digest = hash('sha256', `countersign.action.v1\0${canonical}`);
    const of = { ...start, digest, subject: hash('sha256', canonical) };
    // People take their time, runs do not.
    let at = n;
    for (const [entry, { type }] of template.entries.entries()) {
      if (type === 'review.recorded') at += 50 + dice.below(5000);
      else if (type.startsWith('execution.')) at += dice.below(20);
      const later = this.#later.get(at);
      if (later === undefined) this.#later.set(at, [{ template, entry, of }]);
      else later.push({ template, entry, of });
    }
  }

  /** What waits is young; of the rest four of five are allowed, and most others approved. */
  #kindOf(n: number): Kind {
    const { actions, pending } = this.#wanted;
    const young = Math.min(actions, pending * youngest);
    if (n >= actions - young && this.#dice.below(young) < pending) return 'pending';
    const one = this.#dice.below(100);
    return one < 82 ? 'allowed' : one < 95 ? 'approved' : 'denied';
  }

  /** Writes the entries whose turn it is. */
  due(n: number): void {
    for (const one of this.#later.get(n) ?? []) this.#write(one, this.atMs(n));
    this.#later.delete(n);
  }

  rest(): void {
    for (const n of [...this.#later.keys()].toSorted((a, b) => a - b)) this.due(n);
  }

  #write({ template, entry, of }: Later, atMs: number): void {
    const one = template.entries[entry];
    if (one === undefined) return;
    const index = this.#log.size;
    if (entry === 0) of.ord = index;
    if (entry === template.grantEntry) of.grant = index;
    const blanks = { ...of, index, at: new Date(atMs).toISOString(), entrySalt: this.#dice.hex(32) };
    this.#log.add(filled(one.statement, blanks), { atMs, type: one.type, ord: of.ord });
    if (entry < template.entries.length - 1) return;
    for (const { table, columns, lines } of template.rows)
      for (const line of lines) this.#copies.into(table, columns).put(filled(line, blanks));
  }
}

/** What the store keeps as counts, out of what is there. */
const counted = (nowMs: number): string => `
DELETE FROM recent;
INSERT INTO recent (operation, agent, minute, count, sum)
  SELECT operation, agent, asked_at_ms / 60000, count(*), 0 FROM actions
  WHERE grant_expires_at_ms IS NOT NULL AND asked_at_ms > ${nowMs - 86_400_000} GROUP BY 1, 2, 3;
INSERT INTO recent (operation, agent, minute, count, sum)
  SELECT operation, agent, 0, count(*), 0 FROM actions WHERE grant_expires_at_ms IS NOT NULL GROUP BY 1, 2;
DELETE FROM waiting;
INSERT INTO waiting (who, n) SELECT 'person:' || person_id, count(*) FROM inbox GROUP BY 1;
INSERT INTO waiting (who, n) SELECT 'agent:' || agent, count(*) FROM actions WHERE state = 'pending' GROUP BY 1;
`;
