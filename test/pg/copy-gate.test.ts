/**
 * A whole gate moves: what is held in the embedded store is decided and run on PostgreSQL, with the same tokens, under the same name of
 * the log, by the commands that an operator types.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { run, type Ran } from '../cli/run.ts';
import { eventually, operations, people, startTestGate, type TestGate } from '../support/gate.ts';
import { postgresBench, serverUrl } from './bench.ts';

/** The newest checkpoint that is given out, once it covers so much. */
async function checkpoint(gate: TestGate, token: string, size: number): Promise<string> {
  let text = '';
  await eventually(async () => {
    const answer = await fetch(`${gate.gate().url}/tlog/checkpoint`, {
      headers: { authorization: `Bearer ${token}` },
    });
    text = await answer.text();
    return answer.status === 200 && Number(text.split('\n')[1]) >= size;
  }, `a checkpoint over ${size} entries`);
  return text;
}

async function moveWhole(gate: TestGate, url: string): Promise<void> {
  const { folder } = gate;
  const cli = (...words: readonly string[]): Promise<Ran> =>
    run(words, { cwd: folder, env: { MOVED_TO: url } });
  const [bot, rosa, ada] = [
    await gate.token('agent', 'crm-bot'),
    await gate.token('person', 'rosa'),
    await gate.token('person', 'ada'),
  ];
  const ask = (cents: number) =>
    gate.call(bot, 'POST', '/v1/actions', { operation: 'shop___refund', input: { cents } });
  const review = async (id: string, digest: string) =>
    gate.call(rosa, 'POST', `/v1/approvals/${id}/reviews`, { decision: 'approve', digest, reason: 'fine' });
  // One that has run before the move, with its receipt; and one that waits.
  const ran = (await ask(700)).body;
  assert.equal((await review(ran.approval.id, ran.digest)).status, 201);
  const before = await gate.call(bot, 'POST', `/v1/actions/${ran.id}/execution`, {});
  assert.equal(before.status, 201);
  await gate.call(bot, 'PUT', `/v1/executions/${before.body.id}/outcome`, { status: 'succeeded' });
  const held = (await ask(800)).body;
  assert.equal(held.state, 'pending');
  const { size } = await gate.gate().parts.store.head();
  const old = await checkpoint(gate, ada, size);
  writeFileSync(join(folder, 'old.checkpoint'), old);
  assert.equal(
    (await cli('receipt', ran.approval.id, '--out', 'receipt', '--config', 'countersign.yaml')).code,
    0,
  );

  const config = `listen: 127.0.0.1:0\n${people}${operations}database: { fromEnv: MOVED_TO }\n`;
  writeFileSync(join(folder, 'new.yaml'), config);
  const running = await cli('store', 'copy', '--to', 'new.yaml');
  assert.deepEqual([running.code, running.out], [1, '']);
  assert.match(
    running.err,
    /^.*\nA gate is running on data\. Stop it first: .*\ncountersign: data was not moved\.\n$/s,
  );
  await gate.gate().close();
  assert.equal((await cli('backup', 'before.db')).code, 0);

  const copied = await cli('store', 'copy', '--to', 'new.yaml');
  assert.equal(copied.code, 0, copied.err);
  assert.match(
    copied.err,
    /Verified: every row is the same on both sides \(sha256:[0-9a-f]{64}\), and the log's \d+ entries chain/,
  );
  assert.match(
    copied.err,
    /log:\n +keys:\n +log: \{ fromFile: keys\/log\.pem \}\n +receipt: \{ fromFile: keys\/receipt\.pem \}\n/,
  );
  for (const secret of ['PRIVATE KEY', url, new URL(url).password, '\u001b'])
    assert.ok(!`${copied.out}${copied.err}`.includes(secret), 'no key, no password, no colour');
  for (const file of ['log', 'receipt'])
    assert.ok(
      !copied.err.includes(
        readFileSync(join(folder, 'data', 'keys', `${file}.pem`), 'utf8').split('\n')[1] ?? '',
      ),
    );

  // The old configuration starts nothing any more.
  const late = await cli('serve');
  assert.equal(late.code, 1);
  assert.match(late.err, /This store was moved to the PostgreSQL database .* and is closed/);
  // The way back and forth again, by the command.
  const back = await cli('store', 'copy', '--undo', '--to', 'new.yaml');
  assert.match(back.err, /^data is the store again, as it was/, back.err);
  assert.equal((await cli('store', 'copy', '--to', 'new.yaml')).code, 0);

  // Another key would burn the name of the log, and is refused by the command before anything is done.
  writeFileSync(
    join(folder, 'other.yaml'),
    `${config}log: { keys: { log: { fromFile: data/keys/log.pem }, receipt: { fromFile: other.pem } } }\n`,
  );
  const { generateKeyPairSync } = await import('node:crypto');
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  writeFileSync(join(folder, 'other.pem'), other.export({ format: 'pem', type: 'pkcs8' }));
  const refused = await cli('store', 'copy', '--to', 'other.yaml');
  assert.equal(refused.code, 1);
  assert.match(
    refused.err,
    /log\.keys\.receipt of other\.yaml is another key than the one that signs the log of data/,
  );

  const keys =
    'log: { keys: { log: { fromFile: data/keys/log.pem }, receipt: { fromFile: data/keys/receipt.pem } } }\n';
  writeFileSync(join(folder, 'countersign.yaml'), config + keys);
  process.env['MOVED_TO'] = url;
  await gate.restartFromDisk();

  // The agent asks the same again and joins; the person is still known; it runs once.
  const again = (await ask(800)).body;
  assert.deepEqual([again.id, again.state, again.approval.id], [held.id, 'pending', held.approval.id]);
  assert.equal((await review(held.approval.id, held.digest)).status, 201);
  assert.equal((await gate.call(bot, 'POST', `/v1/actions/${held.id}/execution`, {})).status, 201);
  const twice = await gate.call(bot, 'POST', `/v1/actions/${held.id}/execution`, {});
  assert.deepEqual([twice.status, twice.body.code], [409, 'grant_consumed']);
  assert.equal(
    (await gate.call(bot, 'POST', `/v1/actions/${ran.id}/execution`, {})).body.code,
    'grant_consumed',
  );

  // The log goes on under its name, from where it was.
  const { size: now } = await gate.gate().parts.store.head();
  assert.ok(now > size);
  const newer = await checkpoint(gate, ada, now);
  assert.equal(newer.split('\n')[0], old.split('\n')[0], 'no name is burnt');
  writeFileSync(join(folder, 'new.checkpoint'), newer);
  const whole = await cli('log', 'verify', '--checkpoint', 'old.checkpoint');
  assert.equal(whole.code, 0, whole.err + whole.out);
  const consistent = await cli(
    'log',
    'verify',
    '--consistency',
    'old.checkpoint',
    'new.checkpoint',
    '--config',
    'countersign.yaml',
  );
  assert.equal(consistent.code, 0, consistent.err + consistent.out);
  // Receipts from before verify with the keys of now.
  const same = await cli('receipt', ran.approval.id, '--out', 'receipt-now', '--config', 'countersign.yaml');
  assert.equal(same.code, 0, same.err);
  const bundle = same.out.split('\n').find((line) => line.endsWith('.sigstore.json'));
  const name = bundle?.split('/').at(-1) ?? '';
  const verified = await cli(
    'log',
    'verify',
    '--receipt',
    `receipt/${name}`,
    '--action',
    'receipt/action.json',
    '--trusted-root',
    'receipt-now/trusted_root.json',
  );
  assert.equal(verified.code, 0, verified.err + verified.out);

  const gone = await cli('store', 'copy', '--undo', '--to', 'new.yaml');
  assert.equal(gone.code, 1);
}

if (serverUrl === '') {
  test('PostgreSQL is there', () => {
    assert.fail('DATABASE_URL is not set: run `npm run test:pg`, which starts a PostgreSQL for these tests.');
  });
} else {
  test('what is held in the embedded store is decided and run on PostgreSQL, and the log goes on under its name', async () => {
    const target = await postgresBench();
    const gate = await startTestGate();
    try {
      await moveWhole(gate, target.url);
    } finally {
      await gate.stop();
      await target.remove();
      delete process.env['MOVED_TO'];
    }
  });
}
