/** Verifiers written in Go, from their own libraries as Debian packages them; the few lines around them are in go/. */
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tilePath, tileWidth } from '../../src/log/tiles.ts';
import { mustFail, mustHold, ran, type Check, type Place, type Ran } from './check.ts';
import { write } from './fixture.ts';

const compiler = ['golang-1.26-go', 'golang-1.26-src'];
const note = ['golang-golang-x-mod-dev', 'golang-golang-x-crypto-dev', 'golang-golang-x-sys-dev'];
const merkle = ['golang-github-transparency-dev-merkle-dev'];
const torchwood = ['golang-filippo-torchwood-dev', 'golang-filippo-mldsa-dev', 'golang-golang-x-sync-dev'];
const tessera = [
  'golang-github-transparency-dev-tessera-dev',
  'golang-golang-x-sync-dev',
  'golang-k8s-klog-dev',
  'golang-opentelemetry-otel-dev',
  'golang-github-go-logr-logr-dev',
  'golang-github-go-logr-stdr-dev',
  'golang-github-cespare-xxhash-v2-dev',
];

/** Compiling the largest of them on a slow machine. */
const buildMsMax = 240_000;

/** Compiles one program of go/; answers the file to run. */
async function built({ debian, folder }: Place, name: string): Promise<string> {
  const goroot = join(debian.root, 'usr/lib/go-1.26');
  const out = join(folder, `go-${name}`);
  const source = join(import.meta.dirname, 'go', `${name}.go`);
  const made = await ran(join(goroot, 'bin/go'), ['build', '-o', out, source], {
    cwd: folder,
    timeout: buildMsMax,
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      GOROOT: goroot,
      GOPATH: join(debian.root, 'usr/share/gocode'),
      GOCACHE: join(folder, 'gocache'),
      // What Debian packages is compiled, and nothing is fetched.
      GO111MODULE: 'off',
      GOTOOLCHAIN: 'local',
      GOPROXY: 'off',
      CGO_ENABLED: '0',
    },
  });
  mustHold(made, `compiling ${name}.go`);
  return out;
}

async function tiles(place: Place): Promise<string> {
  const program = await built(place, 'tiles');
  const { folder, vkey, size } = place.fixture;
  mustHold(await ran(program, [folder, vkey]), 'the log');
  const other = await damaged(place, tilePath(0, 3, tileWidth));
  mustFail(await ran(program, [other, vkey]), 'a log with a damaged tile');
  return `root, records and consistency of ${size} entries`;
}

/** A copy of the log with one byte of a file changed. */
async function damaged({ fixture, folder }: Place, file: string): Promise<string> {
  const copy = join(folder, `damaged-${file.replaceAll('/', '-')}`);
  await cp(fixture.folder, copy, { recursive: true });
  const bytes = await readFile(join(copy, file));
  const at = bytes.length >> 1;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await write(copy, file, bytes);
  return copy;
}

async function fsck(place: Place): Promise<string> {
  const program = await built(place, 'fsck');
  const { folder, vkey, size } = place.fixture;
  mustHold(await ran(program, [folder, vkey]), 'the log');
  const cut = size % tileWidth;
  for (const file of [
    tilePath('entries', 5, tileWidth),
    tilePath('entries', Math.floor(size / tileWidth), cut),
    tilePath(1, 0, tileWidth),
  ])
    mustFail(await ran(program, [await damaged(place, file), vkey]), `a log with a damaged ${file}`);
  return `recomputed from ${size} leaves; damage found in a leaf, the last leaf, a tile`;
}

/** The files of one receipt. */
const receipt = ({ fixture }: Place, kind: string): readonly [leaf: string, proof: string] => [
  join(fixture.folder, 'receipts', kind, 'leaf'),
  join(fixture.folder, 'receipts', kind, 'proof.tlog-proof'),
];

/** Verifies every kind with one program, and that it refuses what was altered. */
async function proofs(place: Place, verify: (leaf: string, proof: string) => Promise<Ran>): Promise<string> {
  const { kinds, keys } = place.fixture;
  for (const kind of kinds) mustHold(await verify(...receipt(place, kind)), `the proof of ${kind}`);
  const [one = '', another = ''] = kinds;
  const [leaf, proof] = receipt(place, one);
  mustFail(await verify(receipt(place, another)[0], proof), 'the proof of another entry');
  const text = await readFile(proof, 'utf8');
  const altered: readonly (readonly [what: string, text: string])[] = [
    ['a proof without the cosignature', text.replace(new RegExp(`\u2014 ${keys.witness.name} .*\n`), '')],
    [
      'a proof with another index',
      text.replace(/index (\d+)/, (_all, n: string) => `index ${Number(n) + 1}`),
    ],
    ['a proof with another size', text.replace(`\n${place.fixture.size}\n`, `\n${place.fixture.size + 1}\n`)],
  ];
  for (const [what, other] of altered) {
    if (other === text) throw new Error(`${what}: nothing was altered`);
    await write(place.folder, 'altered.tlog-proof', other);
    mustFail(await verify(leaf, join(place.folder, 'altered.tlog-proof')), what);
  }
  return `${kinds.length} proofs good, ${altered.length + 1} altered ones refused`;
}

async function torchwoodProofs(place: Place): Promise<string> {
  const program = await built(place, 'proof');
  const policy = join(place.fixture.folder, 'policy.txt');
  return proofs(place, (leaf, proof) => ran(program, [policy, leaf, proof]));
}

async function merkleProofs(place: Place): Promise<string> {
  const program = await built(place, 'merkle');
  const witness = await readFile(join(place.fixture.folder, 'witness.vkey'), 'utf8');
  return proofs(place, (leaf, proof) => ran(program, [place.fixture.vkey, witness, leaf, proof]));
}

/** The prebuilt verifier takes the older form: without the first lines, beside the file that it is of. */
async function spicy(place: Place): Promise<string> {
  const program = join(place.debian.root, 'usr/bin/spicy-torchwood');
  const [kind = ''] = place.fixture.kinds;
  const [leaf, proof] = receipt(place, kind);
  const text = await readFile(proof, 'utf8');
  await write(place.folder, 'entry', await readFile(leaf));
  await write(place.folder, 'entry.spicy', text.slice(text.indexOf('index ')));
  const verify = (): Promise<Ran> =>
    ran(program, ['-verify', place.fixture.vkey, join(place.folder, 'entry')]);
  mustHold(await verify(), 'a leaf with its proof');
  await write(place.folder, 'entry', `${await readFile(leaf, 'utf8')} `);
  mustFail(await verify(), 'another leaf');
  return 'one good, one altered refused';
}

export const goChecks: readonly Check[] = [
  {
    name: 'Go sumdb reads the tiles and their checkpoints',
    verifier: 'golang-golang-x-mod-dev',
    packages: [...compiler, ...note],
    run: tiles,
  },
  {
    name: 'Torchwood verifies tlog-proofs under a policy with a witness',
    verifier: 'golang-filippo-torchwood-dev',
    packages: [...compiler, ...note, ...torchwood],
    run: torchwoodProofs,
  },
  {
    name: 'transparency-dev verifies tlog-proofs and cosignatures',
    verifier: 'golang-github-transparency-dev-merkle-dev',
    packages: [
      ...compiler,
      ...note,
      ...merkle,
      'golang-github-transparency-dev-formats-dev',
      'golang-filippo-mldsa-dev',
    ],
    run: merkleProofs,
  },
  { name: 'spicy verifies a leaf', verifier: 'torchwood', packages: ['torchwood'], run: spicy },
  {
    name: 'Tessera fsck recomputes the log from its leaves',
    verifier: 'golang-github-transparency-dev-tessera-dev',
    packages: [...compiler, ...note, ...merkle, ...tessera],
    run: fsck,
  },
];
