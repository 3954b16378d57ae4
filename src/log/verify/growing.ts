/**
 * The tree as it grows, leaf by leaf, in the memory of its right edge: its root at any size on the way, and every tile of the
 * levels above 0 as soon as it is known.
 */
import { emptyRoot, hashBytes, hashNode, type Hash } from '../merkle.ts';
import { tileWidth } from '../tiles.ts';

const tileHeight = 8;

/** A row of hashes that is a tile once there are 256 of them, or the tree is at its end. */
export interface Row {
  /** At least 1. */
  readonly level: number;
  readonly n: number;
  readonly hashes: Uint8Array;
}

export class Growing {
  /** Complete subtrees, the largest first; no two of a height. */
  readonly #stack: { readonly height: number; readonly hash: Hash }[] = [];
  readonly #rows: { n: number; hashes: Hash[] }[] = [];
  #full: Row[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(leaf: Hash): void {
    this.#size += 1;
    let [height, hash] = [0, leaf];
    for (
      let left = this.#stack.at(-1);
      left !== undefined && left.height === height;
      left = this.#stack.at(-1)
    ) {
      this.#stack.pop();
      hash = hashNode(left.hash, hash);
      height += 1;
      if (height % tileHeight === 0) this.#row(height / tileHeight, hash);
    }
    this.#stack.push({ height, hash });
  }

  #row(level: number, hash: Hash): void {
    const row = (this.#rows[level] ??= { n: 0, hashes: [] });
    row.hashes.push(hash);
    if (row.hashes.length < tileWidth) return;
    this.#full.push({ level, n: row.n, hashes: Buffer.concat(row.hashes) });
    this.#rows[level] = { n: row.n + 1, hashes: [] };
  }

  /** Tiles that have become full since it was last asked. */
  takeFull(): readonly Row[] {
    const full = this.#full;
    this.#full = [];
    return full;
  }

  /** The tiles that are not full. */
  partial(): readonly Row[] {
    return this.#rows.flatMap((row, level) =>
      row === undefined || row.hashes.length === 0
        ? []
        : [{ level, n: row.n, hashes: Buffer.concat(row.hashes) }],
    );
  }

  root(): Hash {
    let root: Hash | undefined;
    for (const { hash } of this.#stack.toReversed()) root = root === undefined ? hash : hashNode(hash, root);
    return root ?? emptyRoot;
  }
}

/** The first leaf under the first hash in which two tiles differ; undefined where none does. */
export function firstDifference(row: Row, kept: Uint8Array | undefined): number | undefined {
  for (let at = 0; at < row.hashes.length; at += hashBytes) {
    const [one, other] = [row.hashes.subarray(at, at + hashBytes), kept?.subarray(at, at + hashBytes)];
    if (other === undefined || Buffer.compare(one, other) !== 0)
      return (row.n * tileWidth + at / hashBytes) * tileWidth ** row.level;
  }
  return undefined;
}
