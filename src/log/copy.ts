/**
 * Writes the log into a folder that a stranger can check, with our command or without it (docs/verify.md; the layout is in
 * verify/folder.ts). Promises: one segment in memory at a time; run again it adds what is new, and blanks what was erased since;
 * a copy that was interrupted says so, and is finished by the next run; a folder that holds another log is left alone.
 */
import { mkdir, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { rangesFrom, rangesIn, type Range } from '../core/erased.ts';
import { sha256Hex } from '../core/sha256.ts';
import type { StoredCheckpoint } from '../ports/log-store.ts';
import { leafBody } from './leaf.ts';
import { rootAt, sameHash } from './merkle.ts';
import { nodesOf, tilePath, tilesOf, tileWidth, widthOf } from './tiles.ts';
import {
  bytesOf,
  checkpointLine,
  entriesName,
  keysText,
  manifestOf,
  manifestText,
  smallFiles,
  textOf,
  trustedRootText,
  unfinishedName,
} from './verify/folder-files.ts';
import { belongs } from './verify/folder-own.ts';
import { bundleOf, lineOf, type LoggedEntry } from './verify/line.ts';
import { cosignedNote, type LogSource } from './verify/source.ts';
import { readStatement } from './verify/statement.ts';
import { readmeText } from './copy-readme.ts';

export interface CopyOptions {
  readonly progress?: (done: number, of: number) => void;
  readonly signal?: AbortSignal;
}

export interface Copied {
  readonly origin: string;
  readonly size: number;
  /** Entries that were there before. */
  readonly before: number;
  /** Files of entries that were written again, because payloads in them were erased since. */
  readonly blanked: number;
}

/** The copy could not be made; a sentence for people. */
export class CopyFailed extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CopyFailed';
  }
}

/** @param folder absolute; made where it is not there. */
export async function copyLog(source: LogSource, folder: string, options: CopyOptions = {}): Promise<Copied> {
  const newest = await source.newest();
  if (typeof newest === 'string') throw new CopyFailed(newest);
  const before = await sizeBefore(source, folder, newest);
  const writing = new Writing(source, folder, newest);
  await writing.begin();
  const { size } = newest;
  const from = Math.floor(before / tileWidth);
  for (let n = from; widthOf(0, n, size) > 0; n += 1) {
    if (options.signal?.aborted === true) throw new CopyFailed('stopped');
    await writing.segment(n, true);
    options.progress?.(Math.min(size, (n + 1) * tileWidth), size);
  }
  const blanked = await writing.blankBelow(from);
  for (const { level, n, width } of tilesOf(size))
    if (level > 0 && (n + 1) * tileWidth ** (level + 1) > before) await writing.tile(level, n, width);
  await writing.end();
  return { origin: newest.origin, size, before, blanked };
}

/** Entries that the folder holds already; 0 for a new one. Refuses what is no copy, or one of another log. */
async function sizeBefore(source: LogSource, folder: string, newest: StoredCheckpoint): Promise<number> {
  const found = await bytesOf(join(folder, 'manifest.json'));
  if (found === undefined) {
    if ((await bytesOf(join(folder, unfinishedName))) !== undefined) return 0;
    const there = await readdir(folder).catch(() => []);
    if (there.length > 0) throw new CopyFailed('That folder holds something else; name a new one.');
    return 0;
  }
  const manifest = manifestOf(textOf(found));
  if (manifest === undefined)
    throw new CopyFailed('The manifest.json of that folder is damaged; copy into a new one.');
  const { size, root } = manifest;
  const beginning =
    size <= newest.size &&
    sameHash(
      await rootAt(
        size,
        nodesOf((level, n) => source.tile(level, n, widthOf(level, n, newest.size))),
      ),
      Buffer.from(root, 'base64'),
    );
  if (!beginning)
    throw new CopyFailed(
      'That folder holds a log that is no beginning of this one: the store was put back to an earlier state, or it is another log. Keep that folder as evidence, and copy into a new one.',
    );
  return size;
}

class Writing {
  readonly #source: LogSource;
  readonly #folder: string;
  readonly #newest: StoredCheckpoint;
  #keys: ReadonlyMap<string, string> = new Map();
  readonly #erased: Range[] = [];
  readonly #made = new Set<string>();

  constructor(source: LogSource, folder: string, newest: StoredCheckpoint) {
    this.#source = source;
    this.#folder = folder;
    this.#newest = newest;
  }

  async begin(): Promise<void> {
    const keys = await this.#source.keys();
    this.#keys = new Map(keys.filter((key) => key.use === 'receipt').map((key) => [key.id, key.spki]));
    await this.#write(
      unfinishedName,
      'This copy is being written, or was interrupted: run the command again.\n',
    );
  }

  /** @param whole with its leaves and its tile; else only the entries, because payloads of them were erased. */
  async segment(n: number, whole: boolean): Promise<void> {
    const width = widthOf(0, n, this.#newest.size);
    const { entries, tile } = await this.#source.segment(n, width);
    const rows = entries.kind === 'rows' ? entries.rows.toSorted((a, b) => a.index - b.index) : [];
    if (rows.length !== width || tile === undefined)
      throw new CopyFailed(`Entries from ${n * tileWidth} on are missing in the store: verify it first.`);
    for (const row of rows) this.#note(row);
    await this.#write(entriesName(n), rows.map((row) => `${lineOf(row)}\n`).join(''));
    if (!whole) return;
    const leaves = rows.map(({ pae, signature, keyId }) =>
      leafBody({ pae: pae ?? '', signature, spki: this.#keys.get(keyId) ?? '' }),
    );
    await this.#write(tilePath('entries', n, width), bundleOf(leaves));
    await this.#write(tilePath(0, n, width), tile.subarray(0, width * 32));
  }

  /** What is told here was erased may stand in an earlier copy still. */
  #note({ row, statement, index }: LoggedEntry): void {
    if (row?.type !== 'payloads.erased') return;
    const read = readStatement(statement, index);
    if (typeof read === 'string') return;
    // One by one: a million arguments of one call overflow the stack.
    for (const range of rangesIn(read.data)) this.#erased.push(range);
  }

  /** Writes again the files below this one in which payloads were erased. */
  async blankBelow(n: number): Promise<number> {
    const numbers = new Set<number>();
    for (const [from, to] of rangesFrom(this.#erased).ranges)
      for (let one = Math.floor(from / tileWidth); one <= Math.floor(to / tileWidth) && one < n; one += 1)
        numbers.add(one);
    for (const one of numbers) await this.segment(one, false);
    return numbers.size;
  }

  async tile(level: number, n: number, width: number): Promise<void> {
    const tile = await this.#source.tile(level, n, width);
    if (tile === undefined)
      throw new CopyFailed(`The tile ${level}/${n} is missing in the store: verify it first.`);
    await this.#write(tilePath(level, n, width), tile.subarray(0, width * 32));
  }

  /** The small files, then the checkpoint: who reads meanwhile sees that it is unfinished. */
  async end(): Promise<void> {
    const { origin, size, root } = this.#newest;
    const keys = await this.#source.keys();
    const kept: string[] = [];
    for await (const one of this.#source.checkpoints())
      if (!('code' in one) && one.size <= size) kept.push(`${checkpointLine(one)}\n`);
    const texts: Readonly<Record<(typeof smallFiles)[number], string>> = {
      'README.txt': readmeText(origin),
      checkpoint: cosignedNote(this.#newest),
      'checkpoints.jsonl': kept.join(''),
      'keys.json': keysText(keys),
      'trusted_root.json': trustedRootText(keys),
    };
    for (const name of smallFiles) await this.#write(name, texts[name]);
    const files = Object.fromEntries(smallFiles.map((name) => [name, sha256Hex(texts[name])]));
    await this.#write('manifest.json', manifestText({ origin, size, root, files }));
    await this.#removeOld();
    await rm(join(this.#folder, unfinishedName), { force: true });
  }

  /** Partial tiles that have grown since, and halves of files that an interrupted run has left. */
  async #removeOld(): Promise<void> {
    const found = await readdir(this.#folder, { recursive: true, withFileTypes: true });
    for (const one of found) {
      const path = join(one.parentPath, one.name);
      const name = path
        .slice(this.#folder.length + 1)
        .split(sep)
        .join('/');
      const ours = /^(?:tile\/.+\.p\/\d+|(?:tile|entries)\/.+\.new|[a-z_]+\.[a-z]+\.new)$/i.test(name);
      if (one.isDirectory() || !ours || belongs(name, this.#newest.size)) continue;
      await rm(path, { force: true });
      // Only where nothing else lies in it.
      await rmdir(one.parentPath).catch(() => undefined);
    }
  }

  /** Whole or not at all; only for whoever runs the command, because statements name people. */
  async #write(name: string, content: string | Uint8Array): Promise<void> {
    const path = join(this.#folder, ...name.split('/'));
    const parent = dirname(path);
    if (!this.#made.has(parent)) {
      await mkdir(parent, { recursive: true, mode: 0o700 });
      this.#made.add(parent);
    }
    // Whatever an interrupted run, or somebody else, has left there: nothing is written through a link.
    await rm(`${path}.new`, { force: true });
    await writeFile(`${path}.new`, content, { mode: 0o600, flag: 'wx' });
    await rename(`${path}.new`, path);
  }
}
