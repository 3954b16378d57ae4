/** `receipt` as people run it: the files verify without the gate, from the API and from the store alike. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { verifyBundle } from '../log/support/sigstore.ts';
import { eventually, startTestGate, type TestGate } from '../support/gate.ts';
import { anotherLetter } from '../support/letters.ts';
import { run, type Ran } from './run.ts';

let gate: TestGate;
let folder = '';
let [bot, rosa, lee] = ['', '', ''];
let approval = { id: '', action: '' };
before(async () => {
  gate = await startTestGate();
  folder = mkdtempSync(join(tmpdir(), 'countersign-receipts-'));
  [bot, rosa, lee] = [
    await gate.token('agent', 'crm-bot'),
    await gate.token('person', 'rosa'),
    await gate.token('person', 'lee'),
  ];
  const asked = await gate.call(bot, 'POST', '/v1/actions', {
    operation: 'shop___refund',
    input: { cents: 700 },
  });
  approval = { id: asked.body.approval.id, action: asked.body.id };
});
after(async () => {
  await gate.stop();
  rmSync(folder, { recursive: true, force: true });
});

const receipt = (words: readonly string[], token = rosa): Promise<Ran> =>
  run(['receipt', ...words], {
    cwd: folder,
    env: { COUNTERSIGN_TOKEN: token, COUNTERSIGN_URL: gate.gate().url },
  });

const read = (...path: readonly string[]): string => readFileSync(join(folder, ...path), 'utf8');

/** What an outsider does with such a folder. */
function verifyFolder(name: string): number {
  const bundles = readdirSync(join(folder, name)).filter((one) => one.endsWith('.sigstore.json'));
  const subject = createHash('sha256').update(read(name, 'action.json')).digest('hex');
  for (const one of bundles) {
    const bundle = read(name, one);
    verifyBundle(bundle, JSON.parse(read(name, 'trusted_root.json')), read(name, 'receipt-key.pem'));
    const statement = JSON.parse(Buffer.from(JSON.parse(bundle).dsseEnvelope.payload, 'base64').toString());
    assert.equal(statement.subject[0].digest.sha256, subject);
  }
  return bundles.length;
}

test('nothing is decided: that is said, and nothing written', async () => {
  const ran = await receipt([approval.id, '--out', 'early']);
  assert.equal(ran.code, 1);
  assert.match(ran.err, /Nothing is decided about it yet/);
  assert.deepEqual(readdirSync(folder), []);
});

test('a denial’s receipts, by approval, by action, by index, from the API and from the store', async () => {
  const { digest } = (await gate.call(rosa, 'GET', `/v1/approvals/${approval.id}`)).body;
  const denied = await gate.call(rosa, 'POST', `/v1/approvals/${approval.id}/reviews`, {
    decision: 'deny',
    digest,
    reason: 'wrong quarter',
  });
  assert.equal(denied.status, 201);
  const { items } = (await gate.call(rosa, 'GET', `/v1/actions/${approval.action}/receipts`)).body;
  const [, last] = items;
  assert.equal(last.type, 'approval.denied');
  await eventually(
    async () => (await gate.call(rosa, 'GET', `/v1/log/${last.index}/receipt?format=proof`)).status === 200,
    'it is in a checkpoint',
  );
  const config = join(gate.folder, 'countersign.yaml');
  for (const [name, words] of [
    ['approval', [approval.id]],
    ['action', [approval.action]],
    ['index', [String(last.index)]],
    ['store', [approval.id, '--config', config]],
  ] as const) {
    const ran = await receipt([...words, '--out', name]);
    assert.equal(ran.code, 0, ran.err);
    assert.equal(verifyFolder(name), name === 'index' ? 1 : 2, name);
    assert.match(
      ran.err,
      new RegExp(
        `cosign verify-blob-attestation --key receipt-key.pem --trusted-root trusted_root.json --type \\S+ --bundle countersign-${last.index}.sigstore.json action.json`,
      ),
    );
    assert.equal(statSync(join(folder, name, `countersign-${last.index}.sigstore.json`)).mode & 0o077, 0);
    assert.ok(ran.out.split('\n').includes(`${name}/countersign-${last.index}.tlog-proof`), ran.out);
  }
  for (const one of readdirSync(join(folder, 'approval')))
    assert.equal(read('approval', one), read('store', one), `${one} is the same from both`);
  // Whose it is not, and what is none.
  const stranger = await receipt([approval.action, '--out', 'lee'], lee);
  assert.deepEqual([stranger.code, /not_found/.test(stranger.err)], [1, true], stranger.err);
  const own = await receipt([approval.action, '--out', 'bot'], bot);
  assert.equal(own.code, 0, own.err);
  assert.match(own.err, /without its bundle/);
  assert.equal(readdirSync(join(folder, 'bot')).filter((one) => one.endsWith('.sigstore.json')).length, 0);
});

test('a receipt that does not verify is not written', async () => {
  const { createServer } = await import('node:http');
  const server = createServer((request, response) => {
    void fetch(`${gate.gate().url}${request.url ?? ''}`, {
      headers: { authorization: request.headers.authorization ?? '', host: '' },
    }).then(async (answer) => {
      const body = await answer.text();
      response.end(body.replace(/(?<="payload":".{200})./, anotherLetter));
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  try {
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const ran = await receipt([approval.id, '--out', 'forged', '--url', `http://127.0.0.1:${port}`]);
    assert.equal(ran.code, 1, ran.err);
    assert.match(ran.err, /does not verify/);
    assert.ok(!readdirSync(join(folder, 'forged')).some((one) => one.startsWith('countersign-')));
  } finally {
    server.close();
  }
});

test('what is not understood is a usage error', async () => {
  for (const words of [[], ['apr_x'], ['1', '2'], ['1', '--config', 'a', '--url', 'http://x']]) {
    const ran = await receipt(words);
    assert.equal(ran.code, 2, `${words.join(' ')}: ${ran.err}`);
  }
  const none = await run(['receipt', '1'], { cwd: folder });
  assert.match(none.err, /COUNTERSIGN_TOKEN is not set/);
});
