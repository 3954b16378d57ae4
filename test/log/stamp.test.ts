/** Time-stamps of a real authority (openssl): taken where they are over this checkpoint, and verifiable without us. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { verifierOf, vkeyOf } from '../../src/log/note.ts';
import { askStamp, checkStamp } from '../../src/log/stamp.ts';
import { keepStamped } from '../../src/log/stamping.ts';
import { readKept } from '../../src/log/verify/signed.ts';
import { eventually } from '../support/gate.ts';
import { publishAll, testKeys } from '../support/published.ts';
import { note } from '../store/bench.ts';
import { sqliteBench } from '../store/sqlite-bench.ts';

const config = `
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[stamper]
extendedKeyUsage = critical, timeStamping
[plain]
keyUsage = critical, digitalSignature
[tsa]
default_tsa = t
[t]
serial = ./serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
`;

interface Authority {
  readonly url: string;
  readonly folder: string;
  /** Answers with the last answer again, whatever is asked. */
  readonly replay: () => void;
  readonly openssl: (...args: readonly string[]) => string;
}

async function withAuthority(body: (authority: Authority) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-tsa-'));
  const openssl = (...args: readonly string[]): string =>
    execFileSync('openssl', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  writeFileSync(join(folder, 'ts.cnf'), config);
  writeFileSync(join(folder, 'serial'), '01\n');
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...curve,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-subj',
    '/CN=Test CA',
    '-config',
    'ts.cnf',
    '-extensions',
    'ca',
    '-days',
    '2',
  );
  openssl(
    'req',
    ...curve,
    '-keyout',
    'tsa.key',
    '-out',
    'tsa.csr',
    '-subj',
    '/CN=Test TSA',
    '-config',
    'ts.cnf',
  );
  openssl(
    'x509',
    '-req',
    '-in',
    'tsa.csr',
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-out',
    'tsa.pem',
    '-extfile',
    'ts.cnf',
    '-extensions',
    'stamper',
    '-days',
    '2',
  );
  let last: Buffer | undefined;
  let replays = false;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      response.writeHead(200, { 'content-type': 'application/timestamp-reply' });
      if (!replays || last === undefined) {
        writeFileSync(join(folder, 'q.tsq'), Buffer.concat(parts));
        openssl(
          'ts',
          '-reply',
          '-queryfile',
          'q.tsq',
          '-inkey',
          'tsa.key',
          '-signer',
          'tsa.pem',
          '-chain',
          'ca.pem',
          '-config',
          'ts.cnf',
          '-out',
          'r.tsr',
        );
        last = readFileSync(join(folder, 'r.tsr'));
      }
      response.end(last);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // Listens on TCP.
  const { port } = server.address() as AddressInfo;
  try {
    await body({ url: `http://127.0.0.1:${port}/`, folder, replay: () => void (replays = true), openssl });
  } finally {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  }
}

const text = 'audit.test\n7\nqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=\n\n\u2014 audit.test AAAAAAAA\n';

test('a token is taken, read again, and verified by openssl; over another note it is nothing', async () => {
  await withAuthority(async ({ url, folder, openssl, replay }) => {
    const stamp = await askStamp(url, text);
    assert.ok(stamp.ok, JSON.stringify(stamp));
    assert.ok(Math.abs(stamp.value.atMs - Date.now()) < 60_000);
    const checked = await checkStamp(stamp.value.token, text);
    assert.deepEqual(checked, { ok: true, value: { atMs: stamp.value.atMs, by: 'Test TSA' } });
    assert.equal((await checkStamp(stamp.value.token, `${text} `)).ok, false);
    writeFileSync(join(folder, 'note'), text);
    writeFileSync(join(folder, 'token.der'), Buffer.from(stamp.value.token, 'base64'));
    openssl('ts', '-verify', '-data', 'note', '-in', 'token.der', '-token_in', '-CAfile', 'ca.pem');
    replay();
    const again = await askStamp(url, text);
    assert.deepEqual(again, { ok: false, error: 'its answer is to another request' });

    const bytes = Buffer.from(stamp.value.token, 'base64');
    let taken = 0;
    for (let at = 0; at < bytes.length; at += 7) {
      const other = Buffer.from(bytes);
      other[at] = (other[at] ?? 0) ^ 1;
      const read = await checkStamp(other.toString('base64'), text);
      if (read.ok && read.value.atMs !== stamp.value.atMs) taken += 1;
    }
    assert.equal(taken, 0, 'no changed bit gives another time');
  });
});

test('a certificate that is none for time-stamping stamps nothing; nor does a page, nor nobody', async () => {
  await withAuthority(async ({ url, folder, openssl }) => {
    const stamp = await askStamp(url, text);
    assert.ok(stamp.ok);
    // The very time that the authority gave, signed again with the same key and a certificate that is for something else.
    openssl(
      'x509',
      '-req',
      '-in',
      'tsa.csr',
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-out',
      'plain.pem',
      '-extfile',
      'ts.cnf',
      '-extensions',
      'plain',
      '-days',
      '2',
    );
    writeFileSync(join(folder, 'token.der'), Buffer.from(stamp.value.token, 'base64'));
    openssl('cms', '-verify', '-noverify', '-inform', 'DER', '-in', 'token.der', '-out', 'info');
    const sign = (certificate: string, out: string): void =>
      void openssl(
        'cms',
        '-sign',
        '-binary',
        '-nodetach',
        '-econtent_type',
        '1.2.840.113549.1.9.16.1.4',
        '-in',
        'info',
        '-signer',
        certificate,
        '-inkey',
        'tsa.key',
        '-outform',
        'DER',
        '-out',
        out,
      );
    sign('tsa.pem', 'same.der');
    const same = readFileSync(join(folder, 'same.der')).toString('base64');
    assert.equal((await checkStamp(same, text)).ok, true, 'with the certificate for it, it is a token');
    sign('plain.pem', 'plain.der');
    const token = readFileSync(join(folder, 'plain.der')).toString('base64');
    assert.deepEqual(await checkStamp(token, text), {
      ok: false,
      error: 'the token is signed with a certificate that is none for time-stamping',
    });
  });
  assert.equal((await askStamp('http://127.0.0.1:9/', text)).ok, false);
});

test('checkpoints are stamped as often as is configured, and no more', async () => {
  await withAuthority(async ({ url }) => {
    const bench = await sqliteBench();
    const store = await bench.open({});
    const keys = testKeys();
    let nowMs = Date.now();
    const clock = { nowMs: () => nowMs };
    try {
      assert.ok((await store.change(note(1))).ok);
      await publishAll(store, keys, 'audit.test');
      const settings = { url, everyMs: 24 * 3_600_000 };
      const stamping = keepStamped({ store, clock, settings, lateMs: 1000, holds: () => true, lookMs: 20 });
      await eventually(() => stamping.standing().stamp?.size === 1, 'the first is stamped');
      const first = await store.newestCheckpoint();
      assert.ok(first !== undefined);
      assert.ok((await checkStamp(first.stamp ?? '', first.note)).ok);
      const by = { log: [verifierOf(vkeyOf('audit.test', keys.log)) ?? assert.fail()], witnesses: [] };
      const { problems, stampedBy } = await readKept(first, by);
      assert.deepEqual([problems, stampedBy], [[], 'Test TSA']);
      assert.equal((await readKept({ ...first, stamp: 'AAAA' }, by)).stampedBy, null);
      assert.ok((await store.change(note(2))).ok);
      await publishAll(store, keys, 'audit.test', Date.now() + 1);
      await new Promise((resolve) => setTimeout(resolve, 200));
      assert.equal((await store.newestCheckpoint())?.stamp, null, 'not due yet');
      nowMs += 25 * 3_600_000;
      await eventually(() => stamping.standing().stamp?.size === 2, 'a day later it is');
      await stamping.stop();
    } finally {
      await store.close();
      await bench.remove();
    }
  });
});
