/**
 * A large database in minutes: rows as the store writes them, chained, in a tree with its tiles and a signed checkpoint, so that a
 * gate goes on behind them. Only the signatures of the leaves are none: whoever verifies the log says so. It is written past the store, with COPY.
 */
import { spawn } from 'node:child_process';
import { createPrivateKey, hash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import pg from 'pg';
import {
  actionIdOf,
  approvalIdOf,
  asPersonId,
  asAgentId,
  asSha256Hex,
  executionIdOf,
} from '../src/core/ids.ts';
import { chain, payloadType, preAuthentication } from '../src/core/entry.ts';
import { newLink } from '../src/identity/sessions.ts';
import { newToken } from '../src/identity/tokens.ts';
import { noteOf } from '../src/log/grow.ts';
import { leafHash, receiptKeyId, spkiOf } from '../src/log/leaf.ts';
import { Edge, type TileNow } from '../src/log/tiles.ts';
import { openPostgres } from '../src/store/postgres.ts';
import { serving } from './process.ts';
import { startPostgres, whileFilling, type Postgres } from './postgres.ts';
import {
  agentOf,
  agents,
  auditor,
  configured,
  head,
  newLogPems,
  personOf,
  teams,
  url as logUrl,
  type LogPems,
} from './scale-organisation.ts';
import {
  escapedText,
  filled,
  takeThrough,
  templatesOf,
  type Blanks,
  type Kind,
  type Template,
} from './scale-templates.ts';

export interface Wanted {
  readonly actions: number;
  readonly pending: number;
}

export interface Filled {
  readonly postgres: Postgres;
  readonly config: string;
  readonly keys: LogPems;
  readonly agentTokens: readonly string[];
  /** Of the first person of each team. */
  readonly personTokens: readonly string[];
  readonly auditorToken: string;
  /** Sign-in links of the head of many teams, of a member of one, and of the auditor: one use each. */
  readonly links: { readonly head: string; readonly member: string; readonly auditor: string };
  readonly entries: number;
  readonly tookSeconds: number;
}

const random = { bytes: (count: number) => Uint8Array.from(randomBytes(count)) };
/** Agents that have a token, and ask while the clock runs. */
const asking = 64;
/** How far back the log goes. */
const spanMs = 60 * 86_400_000;
/** What waits is among the youngest of all: the share of them that it is spread over. */
const youngest = 5;

/** Entries after which the tiles that are full are written. */
const tilesEvery = 500_000;

/** One stream of COPY into a table. */
class Copy {
  readonly #child;
  readonly #ended: Promise<unknown[]>;
  #text = '';

  constructor(postgres: Postgres, table: string, columns: readonly string[]) {
    this.#child = spawn(
      postgres.program('psql'),
      [
        '-qX',
        '-v',
        'ON_ERROR_STOP=1',
        '-d',
        postgres.url,
        '-c',
        `COPY ${table} (${columns.join(', ')}) FROM STDIN`,
      ],
      { stdio: ['pipe', 'inherit', 'inherit'] },
    );
    this.#ended = once(this.#child, 'exit');
  }

  put(line: string): void {
    this.#text += line;
    this.#text += '\n';
  }

  async flush(least = 1 << 20): Promise<void> {
    if (this.#text.length < least) return;
    const text = this.#text;
    this.#text = '';
    if (!this.#child.stdin.write(text)) await once(this.#child.stdin, 'drain');
  }

  async end(): Promise<void> {
    await this.flush(0);
    this.#child.stdin.end();
    const [code] = await this.#ended;
    if (code !== 0) throw new Error(`COPY ended with ${String(code)}`);
  }
}

/** Cheap randomness: what is made here keeps no secret. */
class Dice {
  #pool = Buffer.alloc(0);
  #at = 0;

  bytes(count: number): Buffer {
    if (this.#at + count > this.#pool.length) {
      this.#pool = randomBytes(1 << 16);
      this.#at = 0;
    }
    this.#at += count;
    return this.#pool.subarray(this.#at - count, this.#at);
  }

  hex(bytes: number): string {
    return this.bytes(bytes).toString('hex');
  }

  below(limit: number): number {
    return Math.floor((this.bytes(4).readUInt32LE() / 2 ** 32) * limit);
  }
}

const entryColumns = ['idx', 'at_ms', 'type', 'action_ord', 'stray_action', 'statement', 'pae', 'head'];

export async function fillPostgres(folder: string, wanted: Wanted): Promise<Filled> {
  const from = performance.now();
  const postgres = await startPostgres(folder, whileFilling);
  const keys = newLogPems();
  const config = configured(join(folder, 'scale'), { database: postgres.url, keys });
  const secrets = await prepare(postgres, config);
  const entries = await write(postgres, { keys, wanted, templates: secrets.templates });
  await postgres.sql('VACUUM (FREEZE, ANALYZE)');
  await postgres.restart();
  const { templates: _templates, ...of } = secrets;
  return { postgres, config, keys, ...of, entries, tookSeconds: (performance.now() - from) / 1000 };
}

type Secrets = Pick<Filled, 'agentTokens' | 'personTokens' | 'auditorToken' | 'links'> & {
  readonly templates: readonly Template[];
};

/** Accepts the configuration, makes tokens, and takes the templates through a gate. */
async function prepare(postgres: Postgres, config: string): Promise<Secrets> {
  const gate = await serving('../src/cli.ts', ['serve', '--config', config, '--port', '0']);
  try {
    const store = await openPostgres({ url: postgres.url, channels: [] });
    const tokenOf = async (kind: 'agent' | 'person', id: string): Promise<string> => {
      const secret = newToken(random, kind);
      const principal = kind === 'agent' ? { kind, id: asAgentId(id) } : { kind, id: asPersonId(id) };
      const said = await store.change({ kind: 'token', principal, hash: secret.hash });
      if (!said.ok) throw new Error(JSON.stringify(said.error));
      return secret.token;
    };
    const linkOf = async (id: string): Promise<string> => {
      const link = newLink(random);
      const expiresAtMs = Date.now() + 43_200_000;
      const said = await store.change({ kind: 'link', person: asPersonId(id), hash: link.hash, expiresAtMs });
      if (!said.ok) throw new Error(JSON.stringify(said.error));
      return link.token;
    };
    try {
      const agentTokens = await Promise.all(
        Array.from({ length: asking }, (_, n) => tokenOf('agent', agentOf(n))),
      );
      const personTokens = await Promise.all(
        Array.from({ length: teams }, (_, n) => tokenOf('person', personOf(n, 0))),
      );
      const auditorToken = await tokenOf('person', auditor);
      const links = {
        head: await linkOf(head),
        member: await linkOf(personOf(20, 1)),
        auditor: await linkOf(auditor),
      };
      const taken = await takeThrough({ url: gate.url, agentToken: agentTokens[0] ?? '', personTokens });
      const templates = await templatesOf(postgres.url, taken);
      return { agentTokens, personTokens, auditorToken, links, templates };
    } finally {
      await store.close();
    }
  } finally {
    await gate.stop();
  }
}

/** An entry that is written some actions later. */
interface Later {
  readonly template: Template;
  readonly entry: number;
  readonly of: Omit<Blanks, 'index' | 'at' | 'entrySalt' | 'grant'> & { grant: number };
}

async function write(
  postgres: Postgres,
  of: { readonly keys: LogPems; readonly wanted: Wanted; readonly templates: readonly Template[] },
): Promise<number> {
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  try {
    return await new Filling(postgres, client, of).run();
  } finally {
    await client.end();
  }
}

class Filling {
  readonly #postgres: Postgres;
  readonly #client: pg.Client;
  readonly #wanted: Wanted;
  readonly #keys: LogPems;
  readonly #templates: Readonly<Record<Kind, readonly Template[]>>;
  readonly #dice = new Dice();
  readonly #copies = new Map<string, Copy>();
  readonly #later = new Map<number, Later[]>();
  /** Tiles of the tree as it is, those that may still grow. */
  readonly #tiles = new Map<string, Uint8Array>();
  #edge: Edge | undefined;
  #log = { size: 0, head: '', atMs: 0 };
  #spki = '';
  #keyId = '';
  #startMs = 0;
  /** The log's size when tiles were written last. */
  #keptAt = 0;
  /** Entries that were there before. */
  #first = 0;

  constructor(
    postgres: Postgres,
    client: pg.Client,
    {
      keys,
      wanted,
      templates,
    }: { readonly keys: LogPems; readonly wanted: Wanted; readonly templates: readonly Template[] },
  ) {
    this.#postgres = postgres;
    this.#client = client;
    this.#wanted = wanted;
    this.#keys = keys;
    const ofKind = (kind: Kind): readonly Template[] => templates.filter((one) => one.kind === kind);
    this.#templates = {
      allowed: ofKind('allowed'),
      approved: ofKind('approved'),
      denied: ofKind('denied'),
      pending: ofKind('pending'),
    };
  }

  /** The log's size at the end. */
  async run(): Promise<number> {
    await this.#begin();
    const { actions, pending } = this.#wanted;
    const young = Math.min(actions, pending * youngest);
    for (let n = 0; n < actions; n += 1) {
      const waits = n >= actions - young && this.#dice.below(young) < pending;
      this.#ask(n, waits ? 'pending' : this.#kind());
      await this.#due(n);
      if (n % 256 === 0) for (const copy of this.#copies.values()) await copy.flush();
      if (n % 100_000 === 0) console.error(`${n} of ${actions} actions, ${this.#log.size} entries`);
    }
    for (const at of [...this.#later.keys()].toSorted((a, b) => a - b)) await this.#due(at);
    await this.#end();
    return this.#log.size;
  }

  /** Four of five are allowed; of the rest most are approved. */
  #kind(): Kind {
    const one = this.#dice.below(100);
    return one < 82 ? 'allowed' : one < 95 ? 'approved' : 'denied';
  }

  async #begin(): Promise<void> {
    const [row] = (await this.#client.query<Record<string, string>>('SELECT size, head, at_ms FROM log_head'))
      .rows;
    const published = (await this.#client.query<Record<string, string>>('SELECT size FROM log_published'))
      .rows[0];
    if (row === undefined || published?.['size'] !== row['size'])
      throw new Error('The gate left entries unpublished.');
    // What is there was written just now, and all that follows is earlier: the log's time runs on.
    const size = Number(row['size']);
    this.#log = { size, head: row['head'] ?? '', atMs: Number(row['at_ms']) };
    this.#startMs = this.#log.atMs;
    this.#first = size;
    await makeRoom(this.#client, size + this.#wanted.actions * 5);
    this.#spki = spkiOf(createPrivateKey(this.#keys.receipt));
    this.#keyId = receiptKeyId(this.#spki);
    const tiles = await this.#client.query<{ level: string; n: string; hashes: string }>(
      'SELECT level, n, hashes FROM tiles',
    );
    for (const { level, n, hashes } of tiles.rows)
      this.#tiles.set(`${level}/${n}`, Buffer.from(hashes, 'base64'));
    this.#edge = await this.#edgeNow();
  }

  #edgeNow(): Promise<Edge> {
    return Edge.of(this.#log.size, (level, n) => this.#tiles.get(`${level}/${n}`));
  }

  #copy(table: string, columns: readonly string[]): Copy {
    let copy = this.#copies.get(table);
    if (copy === undefined) this.#copies.set(table, (copy = new Copy(this.#postgres, table, columns)));
    return copy;
  }

  #atMs(n: number): number {
    return Math.round(this.#startMs - spanMs + (spanMs * n) / this.#wanted.actions);
  }

  #ask(n: number, kind: Kind): void {
    const dice = this.#dice;
    // Few agents ask most.
    const agent = Math.floor(agents * (dice.below(1000) / 1000) ** 2);
    const team = (agent * 7 + dice.below(3)) % teams;
    const template = this.#templates[kind][team];
    if (template === undefined) throw new Error(`no template of ${kind}`);
    const shiftMs = this.#atMs(n) - template.askedAtMs;
    const start = {
      action: actionIdOf(dice.bytes(16)),
      approval: approvalIdOf(dice.bytes(16)),
      execution: executionIdOf(dice.bytes(16)),
      agent: agentOf(agent),
      salt: dice.hex(32),
      digest: '',
      subject: '',
      join: dice.hex(32),
      like: dice.hex(32),
      shiftMs,
      grant: -1,
      ord: this.#log.size,
    };
    const canonical = filled(template.canonical, { ...start, index: 0, at: '', entrySalt: '' });
    const of = {
      ...start,
      digest: hash('sha256', `countersign.action.v1\0${canonical}`),
      subject: hash('sha256', canonical),
    };
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

  async #due(n: number): Promise<void> {
    const due = this.#later.get(n) ?? [];
    this.#later.delete(n);
    const atMs = Math.min(this.#atMs(n), this.#startMs);
    for (const one of due) this.#entry(one, atMs);
    if (this.#log.size - this.#keptAt > tilesEvery) await this.#keepTiles();
  }

  #entry({ template, entry, of }: Later, atMs: number): void {
    const { size } = this.#log;
    const one = template.entries[entry];
    if (one === undefined) return;
    if (entry === 0) Object.assign(of, { ord: size });
    if (entry === template.grantEntry) of.grant = size;
    const blanks = { ...of, index: size, at: new Date(atMs).toISOString(), entrySalt: this.#dice.hex(32) };
    const statement = filled(one.statement, blanks);
    const pae = asSha256Hex(hash('sha256', preAuthentication(payloadType, statement)));
    const now = chain(asSha256Hex(this.#log.head), pae);
    this.#copy('entries', entryColumns).put(
      `${size}\t${atMs}\t${one.type}\t${of.ord}\t\\N\t${escapedText(statement)}\t${pae}\t${now}`,
    );
    this.#copy('leaves', ['idx', 'key_id', 'signature']).put(`${size}\t${this.#keyId}\t${noSignature}`);
    this.#edge?.add(leafHash({ pae, signature: noSignature, spki: this.#spki }));
    this.#log = { size: size + 1, head: now, atMs };
    if (entry < template.entries.length - 1) return;
    for (const { table, columns, lines } of template.rows)
      for (const line of lines) this.#copy(table, columns).put(filled(line, blanks));
  }

  async #keepTiles(): Promise<void> {
    this.#keptAt = this.#log.size;
    for (const tile of this.#edge?.changed ?? []) this.#keepTile(tile);
    this.#edge = await this.#edgeNow();
  }

  #keepTile({ level, n, hashes }: TileNow): void {
    this.#tiles.set(`${level}/${n}`, hashes);
    if (hashes.length < 8192) return;
    // Full: it never grows again, but what stands above it is made of it by now.
    this.#copy('tiles_new', ['level', 'n', 'hashes']).put(
      `${level}\t${n}\t${Buffer.from(hashes).toString('base64')}`,
    );
    this.#tiles.delete(`${level}/${n}`);
  }

  async #end(): Promise<void> {
    const { size, head: last } = this.#log;
    const edge = this.#edge;
    const root = edge?.root();
    if (edge === undefined || root === undefined) throw new Error('There is no tree.');
    await this.#keepTiles();
    const copy = this.#copy('tiles_new', ['level', 'n', 'hashes']);
    for (const [key, hashes] of this.#tiles) {
      const [level, n] = key.split('/');
      copy.put(`${level}\t${n}\t${Buffer.from(hashes).toString('base64')}`);
    }
    for (const one of this.#copies.values()) await one.end();
    const [newest] = (
      await this.#client.query<Record<string, string>>(
        'SELECT origin FROM checkpoints ORDER BY size DESC LIMIT 1',
      )
    ).rows;
    const origin = newest?.['origin'] ?? logUrl;
    const signing = {
      log: createPrivateKey(this.#keys.log),
      logBefore: null,
      receipt: createPrivateKey(this.#keys.receipt),
      made: [],
    };
    const note = noteOf({ origin, size, root }, signing);
    const nowMs = Date.now();
    await this.#client.query(
      `INSERT INTO checkpoints (origin, size, root, note, at_ms, cosignatures) VALUES ($1, $2, $3, $4, $5, '[]')`,
      [origin, size, Buffer.from(root).toString('base64'), note, nowMs],
    );
    await this.#client.query('UPDATE log_published SET size = $1, head = $2', [size, last]);
    await this.#client.query('UPDATE log_head SET size = $1, head = $2, at_ms = $3', [size, last, nowMs]);
    await this.#client.query('UPDATE entries SET at_ms = $2 WHERE idx < $1', [
      this.#first,
      this.#startMs - spanMs,
    ]);
    await this.#client.query(counted(nowMs));
  }
}

/** A DER signature of the usual length, of nothing. */
const noSignature = Buffer.concat([Buffer.from('3045022100', 'hex'), Buffer.alloc(66, 7)]).toString('base64');

async function makeRoom(client: pg.Client, size: number): Promise<void> {
  await client.query('CREATE UNLOGGED TABLE tiles_new (level BIGINT, n BIGINT, hashes TEXT)');
  const rows = 4_194_304;
  for (const table of ['entries', 'leaves'])
    for (let from = rows; from < size; from += rows)
      await client.query(
        `CREATE TABLE IF NOT EXISTS ${table}_p${from} PARTITION OF ${table} FOR VALUES FROM (${from}) TO (${from + rows})`,
      );
}

/** What the store keeps as counts and as an inbox, out of what is there. */
const counted = (nowMs: number): string => `
INSERT INTO tiles SELECT level, n, hashes FROM tiles_new ON CONFLICT (level, n) DO UPDATE SET hashes = excluded.hashes;
DROP TABLE tiles_new;
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
