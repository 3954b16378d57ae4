/**
 * The log of a large database, written with COPY: entries that follow from one another, and their tree with its tiles and a signed
 * checkpoint. Only the signatures of the leaves are none.
 */
import { createPrivateKey, hash } from 'node:crypto';
import type pg from 'pg';
import { chain, payloadType, preAuthentication } from '../src/core/entry.ts';
import { asSha256Hex } from '../src/core/ids.ts';
import { noteOf } from '../src/log/grow.ts';
import { leafHash, receiptKeyId, spkiOf } from '../src/log/leaf.ts';
import { Edge, type TileNow } from '../src/log/tiles.ts';
import type { Copies } from './scale-copy.ts';
import type { LogPems } from './scale-organisation.ts';
import { escapedText } from './scale-templates.ts';

/** Entries after which the tiles that are full are written. */
const tilesEvery = 500_000;
const tileBytes = 8192;
const tileColumns = ['level', 'n', 'hashes'];
const entryColumns = ['idx', 'at_ms', 'type', 'action_ord', 'stray_action', 'statement', 'pae', 'head'];

/** A DER signature of the usual length, of nothing. */
const noSignature = Buffer.concat([Buffer.from('3045022100', 'hex'), Buffer.alloc(66, 7)]).toString('base64');

const oneRow = async (client: pg.Client, sql: string): Promise<Readonly<Record<string, string>>> => {
  const [row] = (await client.query<Record<string, string>>(sql)).rows;
  if (row === undefined) throw new Error(`nothing: ${sql}`);
  return row;
};

export class LogFill {
  readonly #client: pg.Client;
  readonly #copies: Copies;
  readonly #keys: LogPems;
  readonly #origin: string;
  readonly #spki: string;
  readonly #keyId: string;
  /** Tiles that may still grow. */
  readonly #tiles = new Map<string, Uint8Array>();
  #edge: Edge;
  #keptAt = 0;
  #head: string;
  size: number;
  /** Entries that a gate has written. */
  readonly first: number;

  private constructor(
    client: pg.Client,
    copies: Copies,
    of: {
      readonly keys: LogPems;
      readonly origin: string;
      readonly size: number;
      readonly head: string;
      readonly edge: Edge;
    },
  ) {
    this.#client = client;
    this.#copies = copies;
    this.#keys = of.keys;
    this.#origin = of.origin;
    this.#edge = of.edge;
    this.#head = of.head;
    this.size = of.size;
    this.first = of.size;
    this.#spki = spkiOf(createPrivateKey(of.keys.receipt));
    this.#keyId = receiptKeyId(this.#spki);
  }

  /** Goes on behind what a gate has written and published. */
  static async behind(client: pg.Client, copies: Copies, keys: LogPems): Promise<LogFill> {
    const { size = '', head = '' } = await oneRow(client, 'SELECT size, head FROM log_head');
    const published = await oneRow(client, 'SELECT size FROM log_published');
    if (published['size'] !== size) throw new Error('The gate left entries unpublished.');
    const { origin = '' } = await oneRow(client, 'SELECT origin FROM checkpoints ORDER BY size DESC LIMIT 1');
    const { rows } = await client.query<Record<string, string>>('SELECT level, n, hashes FROM tiles');
    const tiles = rows.map(
      ({ level, n, hashes }) => [`${level}/${n}`, Buffer.from(hashes ?? '', 'base64')] as const,
    );
    const edge = await Edge.of(Number(size), (level, n) => new Map(tiles).get(`${level}/${n}`));
    await client.query('CREATE UNLOGGED TABLE tiles_new (level BIGINT, n BIGINT, hashes TEXT)');
    const log = new LogFill(client, copies, { keys, origin, size: Number(size), head, edge });
    for (const [key, hashes] of tiles) log.#tiles.set(key, hashes);
    return log;
  }

  add(statement: string, of: { readonly atMs: number; readonly type: string; readonly ord: number }): void {
    const pae = asSha256Hex(hash('sha256', preAuthentication(payloadType, statement)));
    this.#head = chain(asSha256Hex(this.#head), pae);
    this.#copies
      .into('entries', entryColumns)
      .put(
        `${this.size}\t${of.atMs}\t${of.type}\t${of.ord}\t\\N\t${escapedText(statement)}\t${pae}\t${this.#head}`,
      );
    this.#copies
      .into('leaves', ['idx', 'key_id', 'signature'])
      .put(`${this.size}\t${this.#keyId}\t${noSignature}`);
    this.#edge.add(leafHash({ pae, signature: noSignature, spki: this.#spki }));
    this.size += 1;
  }

  /** Called now and then, so that memory does not grow with the log. */
  async keep(least: number = tilesEvery): Promise<void> {
    if (this.size - this.#keptAt < least) return;
    this.#keptAt = this.size;
    for (const tile of this.#edge.changed) this.#keepTile(tile);
    this.#edge = await Edge.of(this.size, (level, n) => this.#tiles.get(`${level}/${n}`));
  }

  #keepTile({ level, n, hashes }: TileNow): void {
    this.#tiles.set(`${level}/${n}`, hashes);
    if (hashes.length < tileBytes) return;
    // Full: it never grows again, and what stands above it is made of it by now.
    this.#putTile(level, n, hashes);
    this.#tiles.delete(`${level}/${n}`);
  }

  #putTile(level: number, n: number, hashes: Uint8Array): void {
    const text = Buffer.from(hashes).toString('base64');
    this.#copies.into('tiles_new', tileColumns).put(`${level}\t${n}\t${text}`);
  }

  /** Ends the streams of COPY, and has the store's own rows say where the log is. @param atMs of the checkpoint and the head. */
  async end(atMs: number): Promise<void> {
    const root = this.#edge.root();
    if (root === undefined) throw new Error('There is no tree.');
    await this.keep(0);
    for (const [key, hashes] of this.#tiles) {
      const [level = 0, n = 0] = key.split('/').map(Number);
      this.#putTile(level, n, hashes);
    }
    await this.#copies.end();
    await this.#client.query(
      `INSERT INTO tiles SELECT level, n, hashes FROM tiles_new ON CONFLICT (level, n) DO UPDATE SET hashes = excluded.hashes`,
    );
    await this.#client.query('DROP TABLE tiles_new');
    const signing = {
      log: createPrivateKey(this.#keys.log),
      logBefore: null,
      receipt: createPrivateKey(this.#keys.receipt),
      made: [],
    };
    const note = noteOf({ origin: this.#origin, size: this.size, root }, signing);
    await this.#client.query(
      `INSERT INTO checkpoints (origin, size, root, note, at_ms, cosignatures) VALUES ($1, $2, $3, $4, $5, '[]')`,
      [this.#origin, this.size, Buffer.from(root).toString('base64'), note, atMs],
    );
    await this.#client.query('UPDATE log_published SET size = $1, head = $2', [this.size, this.#head]);
    await this.#client.query('UPDATE log_head SET size = $1, head = $2, at_ms = $3', [
      this.size,
      this.#head,
      atMs,
    ]);
  }
}
