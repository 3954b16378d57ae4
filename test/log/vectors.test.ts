/**
 * The proof cases of transparency-dev/merkle (vectors/rfc6962.json), and the RFC 6962 reference tree. All 196 come out as they
 * say, but for one that is rejected here on purpose.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  consistencyProof,
  emptyRoot,
  hashLeaf,
  hashNode,
  inclusionProof,
  rootAt,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from '../../src/log/merkle.ts';
import { Edge, nodesOf } from '../../src/log/tiles.ts';

interface Case {
  readonly name: string;
  readonly proof: readonly string[] | null;
  readonly wantErr: boolean;
}
interface Inclusion extends Case {
  readonly leafIdx: number;
  readonly treeSize: number;
  readonly root: string;
  readonly leafHash: string;
}
interface Consistency extends Case {
  readonly size1: number;
  readonly size2: number;
  readonly root1: string;
  readonly root2: string;
}

const vectors = JSON.parse(readFileSync(new URL('./vectors/rfc6962.json', import.meta.url), 'utf8')) as {
  readonly inclusion: readonly Inclusion[];
  readonly consistency: readonly Consistency[];
};

const bytes = (text: string): Uint8Array => Buffer.from(text, 'base64');
const hex = (hash: Uint8Array | undefined): string => Buffer.from(hash ?? []).toString('hex');

/** Equal sizes with equal roots that are no hashes: nothing follows from what is no root. */
const stricter = ['consistency/additional/sizes-are-equal-one-and-proof-is-empty'];

test('196 cases, of which one is rejected on purpose', () => {
  const wrong = [
    ...vectors.inclusion.filter(
      (one) =>
        verifyInclusion({
          index: one.leafIdx,
          size: one.treeSize,
          leaf: bytes(one.leafHash),
          proof: (one.proof ?? []).map(bytes),
          root: bytes(one.root),
        }) === one.wantErr,
    ),
    ...vectors.consistency.filter(
      (one) =>
        verifyConsistency({
          from: one.size1,
          to: one.size2,
          fromRoot: bytes(one.root1),
          toRoot: bytes(one.root2),
          proof: (one.proof ?? []).map(bytes),
        }) === one.wantErr,
    ),
  ];
  assert.equal(vectors.inclusion.length + vectors.consistency.length, 196);
  assert.deepEqual(
    wrong.map((one) => one.name),
    stricter,
  );
  assert.deepEqual(
    wrong.map((one) => one.wantErr),
    [false],
    'rejected, where the others accept',
  );
});

/** transparency-dev/merkle, testonly/constants.go: the leaves that Certificate Transparency tests with. */
const leaves = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((one) => Buffer.from(one, 'hex'));
const roots = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

test('the reference tree of RFC 6962, at every size', () => {
  assert.equal(hex(emptyRoot), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  const hashes = leaves.map(hashLeaf);
  for (const [at, root] of roots.entries()) assert.equal(hex(rootOf(hashes.slice(0, at + 1))), root);
});

test('a tree that grows in tiles has the same roots and proofs as one that is computed whole', async () => {
  const hashes = Array.from({ length: 700 }, (_, n) => hashLeaf(Buffer.from(String(n))));
  const tiles = new Map<string, Uint8Array>();
  const tileAt = (level: number, n: number): Uint8Array | undefined => tiles.get(`${level}/${n}`);
  let size = 0;
  // Batches of every kind: within a tile, up to its end, over it.
  for (const batch of [1, 2, 3, 250, 1, 255, 188]) {
    const edge = await Edge.of(size, tileAt);
    for (const hash of hashes.slice(size, size + batch)) edge.add(hash);
    for (const { level, n, hashes: tile } of edge.changed) tiles.set(`${level}/${n}`, tile);
    size += batch;
    assert.equal(hex(edge.root()), hex(rootOf(hashes.slice(0, size))), `${size} leaves`);
  }
  assert.equal(size, hashes.length);
  const nodeAt = nodesOf(tileAt);
  for (const index of [0, 1, 255, 256, 511, 512, 699]) {
    const leaf = hashes[index] ?? emptyRoot;
    const proof = await inclusionProof(index, size, nodeAt);
    const root = rootOf(hashes);
    assert.ok(verifyInclusion({ index, size, leaf, proof, root }), String(index));
    assert.ok(!verifyInclusion({ index, size, leaf: hashNode(leaf, leaf), proof, root }));
  }
  for (const from of [1, 2, 255, 256, 257, 512, 699, 700]) {
    const proof = await consistencyProof(from, size, nodeAt);
    const claim = { from, to: size, fromRoot: rootOf(hashes.slice(0, from)), toRoot: rootOf(hashes), proof };
    assert.ok(verifyConsistency(claim), String(from));
    assert.ok(!verifyConsistency({ ...claim, fromRoot: rootOf(hashes.slice(0, from - 1)) }));
    assert.equal(hex(await rootAt(from, nodeAt)), hex(claim.fromRoot));
  }
});
