/**
 * The Merkle tree of RFC 6962 (section 2.1) and RFC 9162: hashes, proofs over any source of subtree hashes, and strict
 * verifiers. A hash is 32 bytes; whatever is shorter or longer is refused, not compared.
 */
import { hash } from 'node:crypto';

/** 32 bytes. */
export type Hash = Uint8Array;

export const hashBytes = 32;

const digest = (bytes: Uint8Array): Hash => hash('sha256', bytes, 'buffer');

/** The root of no leaves (RFC 6962, section 2.1). */
export const emptyRoot: Hash = digest(new Uint8Array());

/** SHA-256(0x00 ‖ leaf). */
export function hashLeaf(leaf: Uint8Array): Hash {
  const bytes = Buffer.allocUnsafe(leaf.length + 1);
  bytes[0] = 0;
  bytes.set(leaf, 1);
  return digest(bytes);
}

/** Filled anew for each node: nothing else sees it. */
const pair = Buffer.alloc(1 + 2 * hashBytes);
pair[0] = 1;

/** SHA-256(0x01 ‖ left ‖ right). */
export function hashNode(left: Hash, right: Hash): Hash {
  pair.set(left, 1);
  pair.set(right, 1 + hashBytes);
  return digest(pair);
}

export const sameHash = (one: Hash, other: Hash): boolean => Buffer.compare(one, other) === 0;

/** The root of leaves in order, each already hashed. */
export function rootOf(leaves: readonly Hash[]): Hash {
  const [first] = leaves;
  if (first === undefined) return emptyRoot;
  if (leaves.length === 1) return first;
  const split = splitOf(leaves.length);
  return hashNode(rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)));
}

/** The largest power of two below a size of at least 2. */
function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

/** The hash of the complete subtree of 2^height leaves that begins at leaf `index` · 2^height. */
export type NodeAt = (height: number, index: number) => Promise<Hash> | Hash;

/** The hash of the leaves `from` (inclusive) to `to` (exclusive), where these are a subtree of some tree. */
async function hashOfRange(from: number, to: number, nodeAt: NodeAt): Promise<Hash> {
  const size = to - from;
  const height = Math.log2(size);
  if (Number.isInteger(height) && from % size === 0) return nodeAt(height, from / size);
  const split = from + splitOf(size);
  return hashNode(await hashOfRange(from, split, nodeAt), await hashOfRange(split, to, nodeAt));
}

/** The root of the first `size` leaves. */
export const rootAt = async (size: number, nodeAt: NodeAt): Promise<Hash> =>
  size === 0 ? emptyRoot : hashOfRange(0, size, nodeAt);

/** The audit path of a leaf, from the leaf up (RFC 6962, section 2.1.1). `index` < `size`. */
export async function inclusionProof(index: number, size: number, nodeAt: NodeAt): Promise<readonly Hash[]> {
  const path = async (from: number, to: number): Promise<readonly Hash[]> => {
    if (to - from <= 1) return [];
    const split = from + splitOf(to - from);
    return index < split
      ? [...(await path(from, split)), await hashOfRange(split, to, nodeAt)]
      : [...(await path(split, to)), await hashOfRange(from, split, nodeAt)];
  };
  if (index < 0 || index >= size) throw new RangeError('a leaf outside the tree has no path');
  return path(0, size);
}

/** Shows that the tree of `from` leaves is the beginning of the tree of `to` (RFC 6962, section 2.1.2). 0 < `from` ≤ `to`. */
export async function consistencyProof(from: number, to: number, nodeAt: NodeAt): Promise<readonly Hash[]> {
  const path = async (begin: number, end: number, whole: boolean): Promise<readonly Hash[]> => {
    if (from === end) return whole ? [] : [await hashOfRange(begin, end, nodeAt)];
    const split = begin + splitOf(end - begin);
    return from <= split
      ? [...(await path(begin, split, whole)), await hashOfRange(split, end, nodeAt)]
      : [...(await path(split, end, false)), await hashOfRange(begin, split, nodeAt)];
  };
  if (from <= 0 || from > to) throw new RangeError('there is no such proof');
  return path(0, to, true);
}

const isHash = (bytes: Uint8Array): boolean => bytes.length === hashBytes;
const isSize = (size: number): boolean => Number.isSafeInteger(size) && size >= 0;

/** RFC 9162, section 2.1.3.2. Never throws. */
export function verifyInclusion(claim: {
  readonly index: number;
  readonly size: number;
  readonly leaf: Hash;
  readonly proof: readonly Hash[];
  readonly root: Hash;
}): boolean {
  const { index, size, leaf, proof, root } = claim;
  if (!isSize(index) || !isSize(size) || index >= size) return false;
  if (![leaf, root, ...proof].every(isHash)) return false;
  let [node, last, hashed] = [index, size - 1, leaf];
  for (const step of proof) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hashed = hashNode(step, hashed);
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)];
    } else hashed = hashNode(hashed, step);
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return last === 0 && sameHash(hashed, root);
}

/**
 * RFC 9162, section 2.1.4.2. Never throws. Stricter than it in two ways: nothing follows from an empty tree, and a root that is
 * no hash equals nothing.
 */
export function verifyConsistency(claim: {
  readonly from: number;
  readonly to: number;
  readonly fromRoot: Hash;
  readonly toRoot: Hash;
  readonly proof: readonly Hash[];
}): boolean {
  const { from, to, fromRoot, toRoot, proof } = claim;
  if (!isSize(from) || !isSize(to) || from === 0 || from > to) return false;
  if (![fromRoot, toRoot, ...proof].every(isHash)) return false;
  if (from === to) return proof.length === 0 && sameHash(fromRoot, toRoot);
  if (proof.length === 0) return false;
  const steps = Number.isInteger(Math.log2(from)) ? [fromRoot, ...proof] : [...proof];
  let [node, last] = [from - 1, to - 1];
  while (node % 2 === 1) [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  const [first, ...rest] = steps;
  if (first === undefined) return false;
  let [was, is] = [first, first];
  for (const step of rest) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      was = hashNode(step, was);
      is = hashNode(step, is);
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)];
    } else is = hashNode(is, step);
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return last === 0 && sameHash(was, fromRoot) && sameHash(is, toRoot);
}
