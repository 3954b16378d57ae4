/** `/tlog/…`, keys and their rotation, and how pages tell of the log: against a whole gate. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { askedFor } from '../../src/log/serve.ts';
import { checkpointOf } from '../../src/log/checkpoint.ts';
import { finishRotation, keysFrom, rotateKey } from '../../src/log/keys.ts';
import { generationOf, hostOf, originAt } from '../../src/log/origin.ts';
import { hashLeaf, rootOf } from '../../src/log/merkle.ts';
import { readNote, verifierOf, verifyNote } from '../../src/log/note.ts';
import { eventually, people, operations, startTestGate, type TestGate } from '../support/gate.ts';

const settled = async (gate: TestGate): Promise<number> => {
  const { transparency, store } = gate.gate().parts;
  await eventually(
    async () => (await transparency?.standing())?.published === (await store.head()).size,
    'published',
  );
  return (await store.head()).size;
};

const get = (gate: TestGate, path: string, token: string | null, method = 'GET'): Promise<Response> =>
  fetch(gate.gate().url + path, {
    method,
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
  });

/** Entries of a bundle (C2SP tlog-tiles): each after its length in 16 bits. */
function unbundled(bytes: Buffer): readonly Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt16BE(at);
    found.push(bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return found;
}

test('a stranger can make the tree again from what is served, and verify the checkpoint with the keys', async () => {
  const gate = await startTestGate({
    config: `${people}${operations}\nlog: { public: true, origin: audit.example.com }\n`,
  });
  try {
    const bot = await gate.token('agent', 'crm-bot');
    for (let n = 0; n < 130; n += 1)
      await gate.call(bot, 'POST', '/v1/actions', { operation: 'shop___refund', input: { cents: n % 90 } });
    for (let n = 0; n < 20; n += 1)
      await gate.call(bot, 'POST', '/v1/actions', { operation: 'shop___refund', input: { cents: 200_000 } });
    await settled(gate);
    const served = await get(gate, '/tlog/checkpoint', null);
    assert.equal(served.headers.get('content-type'), 'text/plain; charset=utf-8');
    assert.equal(served.headers.get('cache-control'), 'no-cache');
    const note = readNote(await served.text());
    const checkpoint = checkpointOf(note?.text ?? '');
    assert.ok(note !== undefined && checkpoint?.origin === 'audit.example.com');
    const keys = (await (await get(gate, '/tlog/keys', null)).json()) as {
      readonly keys: readonly { readonly use: string; readonly vkey?: string }[];
    };
    const verifiers = keys.keys.flatMap((key) =>
      [verifierOf(key.vkey ?? '')].filter((one) => one !== undefined),
    );
    assert.equal(verifyNote(note, verifiers)?.length, 1);

    const { size } = checkpoint;
    assert.ok(size > 150 && size < 256);
    const bundle = await get(gate, `/tlog/tile/entries/000.p/${size}`, null);
    assert.equal(bundle.headers.get('content-type'), 'application/octet-stream');
    const hashes = unbundled(Buffer.from(await bundle.arrayBuffer())).map(hashLeaf);
    assert.equal(hashes.length, size);
    assert.deepEqual(Buffer.from(rootOf(hashes)), Buffer.from(checkpoint.root));
    const tile = await get(gate, `/tlog/tile/0/000.p/${size}`, null);
    assert.deepEqual(Buffer.from(await tile.arrayBuffer()), Buffer.concat(hashes));
    assert.equal(tile.headers.get('cache-control'), 'public, max-age=3600');
    const smaller = await get(gate, `/tlog/tile/0/000.p/3`, null);
    assert.equal((await smaller.arrayBuffer()).byteLength, 96, 'a part of a part');
    const head = await get(gate, `/tlog/tile/0/000.p/3`, null, 'HEAD');
    assert.deepEqual([head.status, (await head.arrayBuffer()).byteLength], [200, 0]);
    for (const path of [
      'tile/0/000',
      `tile/0/000.p/${size + 1}`,
      'tile/0/001.p/1',
      'tile/1/000.p/1',
      'tile/entries/000',
      'nothing',
    ])
      assert.equal((await get(gate, `/tlog/${path}`, null)).status, 404, path);
    assert.equal((await get(gate, '/tlog/checkpoint', null, 'POST')).status, 405);
  } finally {
    await gate.stop();
  }
});

test('a log that is not public is for auditors alone, whatever is asked for', async () => {
  const gate = await startTestGate();
  try {
    const [bot, rosa, ada] = [
      await gate.token('agent', 'crm-bot'),
      await gate.token('person', 'rosa'),
      await gate.token('person', 'ada'),
    ];
    await settled(gate);
    for (const path of ['checkpoint', 'keys', 'tile/0/000.p/1', 'tile/entries/000.p/1', 'nothing']) {
      for (const token of [null, bot, rosa, 'nobody'])
        assert.equal((await get(gate, `/tlog/${path}`, token)).status, 403, `${path} ${token}`);
      assert.equal((await get(gate, `/tlog/${path}`, ada)).status, path === 'nothing' ? 404 : 200, path);
    }
    const tile = await get(gate, '/tlog/tile/0/000.p/1', ada);
    assert.equal(tile.headers.get('cache-control'), 'private, max-age=3600');
  } finally {
    await gate.stop();
  }
});

test('paths have one form (C2SP tlog-tiles)', () => {
  assert.deepEqual(askedFor('/tlog/tile/0/x001/x234/067'), {
    kind: 'tile',
    level: 0,
    n: 1_234_067,
    width: 256,
  });
  assert.deepEqual(askedFor('/tlog/tile/63/000.p/255'), { kind: 'tile', level: 63, n: 0, width: 255 });
  assert.deepEqual(askedFor('/tlog/tile/entries/x001/000.p/1'), { kind: 'entries', n: 1000, width: 1 });
  const wrong = [
    'tile/00/000',
    'tile/64/000',
    'tile/-1/000',
    'tile/0/0',
    'tile/0/1000',
    'tile/0/x000/001',
    'tile/0/001/x000',
    'tile/0/x001',
    'tile/0/000.p/0',
    'tile/0/000.p/01',
    'tile/0/000.p/256',
    'tile/0/000.p/',
    'tile/0/000.p',
    'tile/0/000/',
    'tile/0//000',
    'tile/0/000.P/1',
    'tile/data/000',
    'checkpoint/',
    'Checkpoint',
    `tile/0/${'x001/'.repeat(6)}000`,
  ];
  for (const path of wrong) assert.equal(askedFor(`/tlog/${path}`), undefined, path);
});

test('the log is named by the host of the gate’s address, and a name it left is counted', () => {
  assert.equal(hostOf('https://gate.example.com:8443/x'), 'gate.example.com');
  assert.equal(hostOf('http://[::1]:7788'), '::1');
  assert.deepEqual(
    [1, 2, 31].map((n) => originAt('a.example', n)),
    ['a.example', 'r2.a.example', 'r31.a.example'],
  );
  const of = (origin: string) => generationOf('a.example', origin);
  assert.deepEqual(
    [
      'a.example',
      'r2.a.example',
      'r10.a.example',
      'r1.a.example',
      'r02.a.example',
      'r2.b.example',
      'ra.example',
    ].map(of),
    [1, 2, 10, 0, 0, 0, 0],
  );
  assert.equal(generationOf('r2.a.example', 'r2.a.example'), 1, 'whoever is configured as such begins there');
});

test('a log key is rotated while the gate runs: both sign, until one has ended', async () => {
  const gate = await startTestGate();
  const folder = join(gate.folder, 'data', 'keys');
  try {
    const ada = await gate.token('person', 'ada');
    const signatures = async (): Promise<number> =>
      readNote(String((await gate.call(ada, 'GET', '/tlog/checkpoint')).body))?.signatures.length ?? 0;
    const active = async () =>
      (await gate.gate().parts.store.logKeys()).filter((one) => one.endedAtMs === null).map((one) => one.use);
    await settled(gate);
    assert.equal(await signatures(), 1);
    await rotateKey(folder, 'log');
    await assert.rejects(rotateKey(folder, 'log'), /being rotated already/);
    await eventually(async () => (await active()).length === 3, 'both log keys are begun');
    await settled(gate);
    await eventually(async () => (await signatures()) === 2, 'both sign');
    const { keys } = (await gate.call(ada, 'GET', '/tlog/keys')).body;
    const verifiers = keys.flatMap((key: { readonly vkey?: string }) =>
      [verifierOf(key.vkey ?? '') ?? []].flat(),
    );
    const note = readNote(String((await gate.call(ada, 'GET', '/tlog/checkpoint')).body));
    assert.ok(note !== undefined);
    assert.equal(verifyNote(note, verifiers)?.length, 2, 'and both verify');
    await gate.restart();
    await settled(gate);
    assert.equal(await signatures(), 2, 'after a restart too');

    assert.ok(await finishRotation(folder));
    assert.ok(!existsSync(join(folder, 'log.before.pem')));
    assert.equal(await finishRotation(folder), false);
    await eventually(async () => (await active()).length === 2, 'the one before has ended');
    await settled(gate);
    await eventually(async () => (await signatures()) === 1, 'one signs');

    const before = (await gate.gate().parts.store.leaves(0, 1))[0]?.keyId;
    await rotateKey(folder, 'receipt');
    await eventually(
      async () =>
        (await gate.gate().parts.store.logKeys()).filter((one) => one.use === 'receipt').length === 2,
      'another receipt key',
    );
    const size = await settled(gate);
    const [last] = await gate.gate().parts.store.leaves(size - 1, 1);
    assert.ok(before !== undefined && last !== undefined && last.keyId !== before);
    const { transparency } = gate.gate().parts;
    for (const index of [0, size - 1])
      assert.ok((await transparency?.receipt(index))?.ok, `receipt of ${index}`);
    const types = (await gate.gate().parts.store.entries(-1, 1000)).map(({ entry }) => entry.type);
    assert.equal(types.filter((one) => one === 'key.begun').length, 4);
    assert.equal(types.filter((one) => one === 'key.ended').length, 2);
    assert.equal(types.filter((one) => one === 'log.opened').length, 1, 'under the same name');
  } finally {
    await gate.stop();
  }
});

test('without a folder for keys, and without configured ones, there is no log to sign', async () => {
  const none = { log: null, logBefore: null, receipt: null };
  await assert.rejects(keysFrom(null, none).read(), /PostgreSQL store keeps no keys\. .*log\.keys\.log/);
});

test('the log stands under its name, and says which key signs from where', async () => {
  const gate = await startTestGate();
  try {
    await settled(gate);
    const { transparency } = gate.gate().parts;
    const standing = await transparency?.standing();
    assert.equal(standing?.tier, 'tamper-detecting');
    assert.equal(standing.origin, 'localhost');
    assert.equal(standing.problem, null);
    assert.deepEqual(
      standing.keys.map((key) => [key.use, key.begunAt]),
      [
        ['log', 0],
        ['receipt', 0],
      ],
    );
  } finally {
    await gate.stop();
  }
});
