/** cosign, as an outsider runs it: every kind of receipt is good, and not one that was altered. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { predicateType } from '../../src/core/entry.ts';
import { anotherLetter } from '../support/letters.ts';
import { mustFail, mustHold, ran, type Check, type Place, type Ran } from './check.ts';
import { write } from './fixture.ts';

/** One receipt's files, any of which may be another's. */
interface Files {
  readonly bundle: string;
  readonly action: string;
  readonly key: string;
  readonly root: string;
  readonly type: string;
}

const verify = ({ debian, folder }: Place, files: Files): Promise<Ran> =>
  ran(
    join(debian.root, 'usr/bin/cosign'),
    [
      'verify-blob-attestation',
      `--key=${files.key}`,
      `--trusted-root=${files.root}`,
      `--type=${files.type}`,
      `--bundle=${files.bundle}`,
      files.action,
    ],
    // No home of anybody's, and no way out: it must verify offline.
    { env: { HOME: folder, https_proxy: 'http://127.0.0.1:9', http_proxy: 'http://127.0.0.1:9' } },
  );

const filesOf = ({ fixture }: Place, kind: string): Files => {
  const at = join(fixture.folder, 'receipts', kind);
  return {
    bundle: join(at, 'bundle.sigstore.json'),
    action: join(at, 'action.json'),
    key: join(at, 'receipt-key.pem'),
    root: join(fixture.folder, 'trusted_root.json'),
    type: predicateType,
  };
};

/** Not size and root beside the proof: cosign takes both from the signed checkpoint, as sigstore-js does, and reads them nowhere else. */
const alterations: readonly (readonly [what: string, change: (bundle: string) => string])[] = [
  ['an altered payload', (text) => text.replace(/(?<="payload":".{200})./, anotherLetter)],
  [
    'another index',
    (text) => text.replaceAll(/"logIndex":"(\d+)"/g, (_all, n: string) => `"logIndex":"${Number(n) + 1}"`),
  ],
  ['another path', (text) => text.replace(/(?<="hashes":\[")./, anotherLetter)],
  ['an altered leaf', (text) => text.replace(/(?<="canonicalizedBody":".{300})./, anotherLetter)],
  ['an altered checkpoint', (text) => text.replace(/(envelope":"[^\\]*\\n\d+)/, '$10')],
  ['another signature', (text) => text.replace(/(?<="sig":".{40})./, anotherLetter)],
];

async function everyKindHolds(place: Place): Promise<string> {
  const { kinds } = place.fixture;
  for (const kind of kinds) mustHold(await verify(place, filesOf(place, kind)), `the receipt of ${kind}`);
  const [kind = ''] = kinds;
  const good = filesOf(place, kind);
  const bundle = await readFile(good.bundle, 'utf8');
  for (const [what, change] of alterations) {
    const other = change(bundle);
    if (other === bundle) throw new Error(`${what}: nothing was altered`);
    await write(place.folder, 'altered.json', other);
    mustFail(await verify(place, { ...good, bundle: join(place.folder, 'altered.json') }), what);
  }
  await write(place.folder, 'action.json', (await readFile(good.action, 'utf8')).replace('crm', 'erp'));
  mustFail(await verify(place, { ...good, action: join(place.folder, 'action.json') }), 'another action');
  mustFail(await verify(place, { ...good, type: 'https://slsa.dev/provenance/v1' }), 'another type');
  mustFail(
    await verify(place, { ...good, key: join(place.fixture.folder, 'log.pub.pem') }),
    'a receipt with another key',
  );
  return `${kinds.length} receipts good, ${alterations.length + 3} altered ones refused`;
}

/** The root of trust that we write is the one that cosign makes of the same key: else its own users could not make it. */
async function sameTrustedRoot(place: Place): Promise<string> {
  const out = join(place.folder, 'made_root.json');
  const key = join(place.fixture.folder, 'log.pub.pem');
  const { origin } = place.fixture.keys;
  const none = ['fulcio', 'ctfe', 'rekor', 'tsa'].map((one) => `--no-default-${one}`);
  const spec = `url=https://${origin},public-key=${key},start-time=1970-01-01T00:00:00Z,origin=${origin}`;
  mustHold(
    await ran(
      join(place.debian.root, 'usr/bin/cosign'),
      ['trusted-root', 'create', ...none, `--rekor=${spec}`, '--out', out],
      { env: { HOME: place.folder } },
    ),
    'making a root of trust',
  );
  const [first = ''] = place.fixture.kinds;
  mustHold(await verify(place, { ...filesOf(place, first), root: out }), 'a receipt with that root');
  const logId = /(?<="keyId":\s?")[^"]+/;
  const ours = logId.exec(await readFile(join(place.fixture.folder, 'trusted_root.json'), 'utf8'))?.[0];
  const theirs = logId.exec(await readFile(out, 'utf8'))?.[0];
  if (ours === undefined || ours !== theirs) throw new Error(`it names the log ${theirs}, we ${ours}`);
  return 'it names the log as we do';
}

export const cosignChecks: readonly Check[] = [
  {
    name: 'cosign verifies every kind of receipt, and no altered one',
    verifier: 'cosign',
    packages: ['cosign'],
    run: everyKindHolds,
  },
  {
    name: 'cosign makes the same root of trust',
    verifier: 'cosign',
    packages: ['cosign'],
    run: sameTrustedRoot,
  },
];
