/**
 * Tiles (C2SP tlog-tiles): the tree as rows of up to 256 hashes, each tile of a level standing for the complete subtrees under
 * it. A partial tile is a beginning of the full one, so a tile is kept once and only grows.
 */
import { hashBytes, hashNode, type Hash, type NodeAt } from './merkle.ts';

/** Hashes in a full tile; its height is 8. */
export const tileWidth = 256;
const tileHeight = 8;

/** `067`, `x001/x234/067` (C2SP tlog-tiles, "Merkle Tree"). */
export function tileNumber(n: number): string {
  const digits = (part: number): string => String(part).padStart(3, '0');
  let text = digits(n % 1000);
  for (let rest = Math.floor(n / 1000); rest > 0; rest = Math.floor(rest / 1000))
    text = `x${digits(rest % 1000)}/${text}`;
  return text;
}

/** The number that `tileNumber` wrote; undefined for any other text. */
export function numberOfTile(text: string): number | undefined {
  const parts = text.split('/');
  const fits = parts.every((part, at) => (at < parts.length - 1 ? /^x\d{3}$/ : /^\d{3}$/).test(part));
  const n = Number(parts.map((part) => part.replace('x', '')).join(''));
  return fits && Number.isSafeInteger(n) && tileNumber(n) === text ? n : undefined;
}

/** `tile/0/x001/067`, `tile/entries/000.p/17`; the width is only written where it is not the full one. */
export const tilePath = (level: number | 'entries', n: number, width: number): string =>
  `tile/${level}/${tileNumber(n)}${width === tileWidth ? '' : `.p/${width}`}`;

/** Hashes of a tile in a tree of this size; 0 where there is no such tile. */
export function widthOf(level: number, n: number, size: number): number {
  const nodes = Math.floor(size / tileWidth ** level);
  return Math.max(0, Math.min(tileWidth, nodes - n * tileWidth));
}

/** All tiles of a tree, lowest level first. */
export function* tilesOf(
  size: number,
): Generator<{ readonly level: number; readonly n: number; readonly width: number }> {
  for (let level = 0; Math.floor(size / tileWidth ** level) > 0; level += 1)
    for (let n = 0, width = widthOf(level, 0, size); width > 0; n += 1, width = widthOf(level, n, size))
      yield { level, n, width };
}

/** A tile's hashes, at least as many as the tree has there; undefined where there is none. */
export type TileAt = (level: number, n: number) => Promise<Uint8Array | undefined> | Uint8Array | undefined;

/** Its hashes, row by row upwards: `rows[0]` are the tile's own, `rows[8]` the one hash that stands for a full tile. */
export function rowsOf(tile: Uint8Array): readonly (readonly Hash[])[] {
  const own: Hash[] = [];
  for (let at = 0; at + hashBytes <= tile.length; at += hashBytes)
    own.push(tile.subarray(at, at + hashBytes));
  const rows: (readonly Hash[])[] = [own];
  for (let height = 1; height <= tileHeight; height += 1) {
    const below = rows[height - 1] ?? [];
    const row: Hash[] = [];
    for (let at = 0; at + 1 < below.length; at += 2) {
      const [left, right] = [below[at], below[at + 1]];
      if (left !== undefined && right !== undefined) row.push(hashNode(left, right));
    }
    rows.push(row);
  }
  return rows;
}

/** The tiles do not hold what the tree needs: a damaged or cut store. */
export class TileMissing extends Error {
  readonly level: number;
  readonly n: number;

  constructor(level: number, n: number) {
    super(`tile ${level}/${n} of the tree is missing or too short`);
    this.name = 'TileMissing';
    this.level = level;
    this.n = n;
  }
}

/** Tiles that are kept with their inner hashes: one is 16 KB. */
const keptMax = 64;

/** Hashes of subtrees out of tiles; keeps the last tiles it has read. Throws TileMissing. */
export function nodesOf(tileAt: TileAt): NodeAt {
  const kept = new Map<string, readonly (readonly Hash[])[]>();
  return async (height, index) => {
    const level = Math.floor(height / tileHeight);
    const inside = height % tileHeight;
    const first = index * 2 ** inside;
    const n = Math.floor(first / tileWidth);
    const key = `${level}/${n}`;
    const at = (first % tileWidth) / 2 ** inside;
    const known = kept.get(key)?.[inside]?.[at];
    if (known !== undefined) return known;
    const tile = await tileAt(level, n);
    if (tile === undefined) throw new TileMissing(level, n);
    const rows = rowsOf(tile);
    kept.delete(key);
    kept.set(key, rows);
    if (kept.size > keptMax)
      for (const oldest of kept.keys()) {
        kept.delete(oldest);
        break;
      }
    const found = rows[inside]?.[at];
    if (found === undefined) throw new TileMissing(level, n);
    return found;
  };
}

/**
 * The right edge of a tree while leaves are added: the tiles that are not full yet. Promises: `changed` are exactly the tiles
 * that leaves have gone into since it was made, as they are now.
 */
export class Edge {
  readonly #partial: Hash[][];
  readonly #numbers: number[];
  readonly #changed = new Map<
    string,
    { readonly level: number; readonly n: number; readonly hashes: Uint8Array }
  >();
  #size: number;

  private constructor(size: number, partial: Hash[][], numbers: number[]) {
    this.#size = size;
    this.#partial = partial;
    this.#numbers = numbers;
  }

  /** Of a tree that is kept in tiles. Throws TileMissing. */
  static async of(size: number, tileAt: TileAt): Promise<Edge> {
    const partial: Hash[][] = [];
    const numbers: number[] = [];
    for (let level = 0; level === 0 || Math.floor(size / tileWidth ** level) > 0; level += 1) {
      const nodes = Math.floor(size / tileWidth ** level);
      const n = Math.floor(nodes / tileWidth);
      const width = nodes % tileWidth;
      const tile = width === 0 ? new Uint8Array() : await tileAt(level, n);
      if (tile === undefined || tile.length < width * hashBytes) throw new TileMissing(level, n);
      partial.push([...(rowsOf(tile.subarray(0, width * hashBytes))[0] ?? [])]);
      numbers.push(n);
    }
    return new Edge(size, partial, numbers);
  }

  get size(): number {
    return this.#size;
  }

  add(leaf: Hash): void {
    this.#size += 1;
    this.#put(0, leaf);
  }

  /** Tiles that have grown, in the order of their levels. */
  get changed(): readonly { readonly level: number; readonly n: number; readonly hashes: Uint8Array }[] {
    for (const [level, hashes] of this.#partial.entries()) {
      const n = this.#numbers[level] ?? 0;
      const key = `${level}/${n}`;
      if (this.#changed.has(key)) this.#changed.set(key, { level, n, hashes: Buffer.concat(hashes) });
    }
    return [...this.#changed.values()].toSorted((a, b) => a.level - b.level || a.n - b.n);
  }

  /** The root: each level's part, folded from the right. */
  root(): Hash | undefined {
    let right: Hash | undefined;
    for (const hashes of this.#partial) right = foldTile(hashes, right);
    return right;
  }

  #put(level: number, one: Hash): void {
    const hashes = (this.#partial[level] ??= []);
    const n = (this.#numbers[level] ??= 0);
    hashes.push(one);
    const key = `${level}/${n}`;
    if (hashes.length < tileWidth) {
      // Its bytes are made when somebody asks.
      if (!this.#changed.has(key)) this.#changed.set(key, { level, n, hashes: new Uint8Array() });
      return;
    }
    this.#changed.set(key, { level, n, hashes: Buffer.concat(hashes) });
    this.#partial[level] = [];
    this.#numbers[level] = n + 1;
    const top = foldTile(hashes, undefined);
    if (top !== undefined) this.#put(level + 1, top);
  }
}

/** The hash of hashes in a row with what stands to the right of them. */
function foldTile(row: readonly Hash[], right: Hash | undefined): Hash | undefined {
  let folded = right;
  let hashes = row;
  for (let height = 0; height < tileHeight || hashes.length > 1; height += 1) {
    const last = hashes.at(-1);
    if (hashes.length % 2 === 1 && last !== undefined)
      folded = folded === undefined ? last : hashNode(last, folded);
    const above: Hash[] = [];
    for (let at = 0; at + 1 < hashes.length; at += 2) {
      const [left, next] = [hashes[at], hashes[at + 1]];
      if (left !== undefined && next !== undefined) above.push(hashNode(left, next));
    }
    hashes = above;
  }
  const [top] = hashes;
  return top === undefined ? folded : folded === undefined ? top : hashNode(top, folded);
}
