/** Leaves of a store's rows, for tests that recompute the tree. */
import assert from 'node:assert/strict';
import type { LogKey } from '../../../src/core/log-key.ts';
import type { Leaf } from '../../../src/ports/log-store.ts';
import { leafBody } from '../../../src/log/leaf.ts';
import { hashLeaf as hashed, rootOf as root } from '../../../src/log/merkle.ts';

export const hashLeaf = hashed;
export const rootOf = root;

export function leafBodyOf({ pae, keyId, signature }: Leaf, keys: readonly LogKey[]): Uint8Array {
  const key = keys.find((one) => one.use === 'receipt' && one.id === keyId);
  assert.ok(key !== undefined, 'the key of a leaf is known');
  return leafBody({ pae, signature, spki: key.spki });
}
