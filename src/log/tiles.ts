/**
 * Tiles (C2SP tlog-tiles): the tree as rows of up to 256 hashes, each tile of a level standing for the complete subtrees under
 * it. A partial tile is a beginning of the full one, so a tile is kept once and only grows.
 */
import { hashBytes, hashNode, type Hash, type NodeAt } from './merkle.ts';

/** Hashes in a full tile; its height is 8. */
export const tileWidth = 256;
const tileHeight = 8;

/** `067`, `x001/x234/067` (C2SP tlog-tiles, "Merkle Tree"). */
function tileNumber(n: number): string {
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

/** One level of the right edge: the tile that is not full yet, and the subtrees that stand in it, largest first. */
class Growing {
  n: number;
  hashes: Hash[] = [];
  /** Complete subtrees of the tile, each larger than the one after it: of 2^height of its hashes. */
  #peaks: { height: number; hash: Hash }[] = [];

  constructor(n: number) {
    this.n = n;
  }

  /** Adds one; answers the hash of the whole tile where it is full now. */
  add(one: Hash): Hash | undefined {
    this.hashes.push(one);
    let [height, hash] = [0, one];
    for (let last = this.#peaks.at(-1); last?.height === height; last = this.#peaks.at(-1)) {
      hash = hashNode(last.hash, hash);
      height += 1;
      this.#peaks.pop();
    }
    if (height === tileHeight) return hash;
    this.#peaks.push({ height, hash });
    return undefined;
  }

  next(): void {
    this.n += 1;
    this.hashes = [];
    this.#peaks = [];
  }

  /** The hash of what stands here, with what stands to the right of it. */
  fold(right: Hash | undefined): Hash | undefined {
    let folded = right;
    for (let at = this.#peaks.length - 1; at >= 0; at -= 1) {
      const peak = this.#peaks[at]?.hash;
      if (peak !== undefined) folded = folded === undefined ? peak : hashNode(peak, folded);
    }
    return folded;
  }
}

/** A tile as it is kept. */
export interface TileNow {
  readonly level: number;
  readonly n: number;
  readonly hashes: Uint8Array;
}

/**
 * The right edge of a tree while leaves are added: the tiles that are not full yet. Promises: `changed` are exactly the tiles
 * that leaves have gone into since it was made, as they are now; a leaf costs one inner hash, however large the tree is.
 */
export class Edge {
  readonly #levels: Growing[];
  readonly #full: TileNow[] = [];
  /** Levels whose last tile has grown. */
  readonly #grown = new Set<number>();
  #size: number;

  private constructor(size: number, levels: Growing[]) {
    this.#size = size;
    this.#levels = levels;
  }

  /** Of a tree that is kept in tiles. Throws TileMissing. */
  static async of(size: number, tileAt: TileAt): Promise<Edge> {
    const levels: Growing[] = [];
    for (let level = 0; level === 0 || Math.floor(size / tileWidth ** level) > 0; level += 1) {
      const nodes = Math.floor(size / tileWidth ** level);
      const n = Math.floor(nodes / tileWidth);
      const bytes = (nodes % tileWidth) * hashBytes;
      const tile = bytes === 0 ? new Uint8Array() : await tileAt(level, n);
      if (tile === undefined || tile.length < bytes) throw new TileMissing(level, n);
      const growing = new Growing(n);
      for (let at = 0; at < bytes; at += hashBytes) growing.add(tile.slice(at, at + hashBytes));
      levels.push(growing);
    }
    return new Edge(size, levels);
  }

  get size(): number {
    return this.#size;
  }

  add(leaf: Hash): void {
    this.#size += 1;
    let one: Hash | undefined = leaf;
    for (let level = 0; one !== undefined; level += 1) {
      const growing: Growing = (this.#levels[level] ??= new Growing(0));
      this.#grown.add(level);
      one = growing.add(one);
      if (one === undefined) continue;
      this.#full.push({ level, n: growing.n, hashes: Buffer.concat(growing.hashes) });
      growing.next();
      this.#grown.delete(level);
    }
  }

  /** Tiles that have grown, in the order of their levels. */
  get changed(): readonly TileNow[] {
    const partial = [...this.#grown].flatMap((level): readonly TileNow[] => {
      const growing = this.#levels[level];
      return growing === undefined ? [] : [{ level, n: growing.n, hashes: Buffer.concat(growing.hashes) }];
    });
    return [...this.#full, ...partial].toSorted((a, b) => a.level - b.level || a.n - b.n);
  }

  /** The root; undefined of no leaves. */
  root(): Hash | undefined {
    let right: Hash | undefined;
    for (const growing of this.#levels) right = growing.fold(right);
    return right;
  }
}
