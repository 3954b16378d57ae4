/** The evidence on PostgreSQL: the tests of test/app/evidence.test.ts on it, and a package of a whole gate. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { unzipSync } from 'fflate';
import { sha256Hex } from '../../src/core/sha256.ts';
import { onBench } from '../app/evidence-rig.ts';
import { readSheet } from '../evidence/support/tools.ts';
import { operations, people, startTestGate } from '../support/gate.ts';
import { postgresBench, serverUrl } from './bench.ts';

if (serverUrl === '') {
  test('PostgreSQL is there', () => {
    assert.fail('DATABASE_URL is not set: run `npm run test:pg`, which starts a PostgreSQL for these tests.');
  });
} else {
  onBench(postgresBench);
  await import('../app/evidence.test.ts');

  test('a gate on PostgreSQL makes the evidence of what was asked a moment before: complete, covered, signed', async (t) => {
    const bench = await postgresBench();
    t.after(() => bench.remove());
    const pem = (key: KeyObject): string => JSON.stringify(key.export({ format: 'pem', type: 'pkcs8' }));
    const { privateKey: log } = generateKeyPairSync('ed25519');
    const { privateKey: receipt } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const gate = await startTestGate({
      config: `${people}${operations}database: ${JSON.stringify(bench.url)}\nlog: { keys: { log: ${pem(log)}, receipt: ${pem(receipt)} } }\n`,
    });
    t.after(() => gate.stop());
    const bot = await gate.token('agent', 'crm-bot');
    for (const cents of [50, 60, 700]) {
      const asked = await gate.call(bot, 'POST', '/v1/actions', {
        operation: 'shop___refund',
        input: { cents },
      });
      assert.ok(asked.status < 300, JSON.stringify(asked.body));
    }
    const day = (ms: number): string => new Date(Date.now() + ms).toISOString().slice(0, 10);
    const answer = await fetch(`${gate.gate().url}/v1/evidence`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await gate.token('person', 'ada')}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ from: day(-86_400_000), to: day(2 * 86_400_000), samples: { rows: [1, 3] } }),
    });
    assert.equal(answer.status, 200);
    const files = unzipSync(new Uint8Array(await answer.arrayBuffer()));
    const text = (name: string): string => new TextDecoder().decode(files[name]);
    const manifest = JSON.parse(text('manifest.json'));
    for (const one of manifest.files) assert.equal(sha256Hex(files[one.name] ?? ''), one.sha256, one.name);
    assert.deepEqual(
      [manifest.rows, manifest.asked, manifest.complete, manifest.log.tier],
      [3, 3, true, 'tamper-detecting'],
    );
    const population = files['Population.xlsx'];
    assert.ok(population !== undefined);
    assert.equal(readSheet(population, 'Population').rows.length, 4);
    assert.ok(Object.keys(files).some((name) => /^samples\/entry-\d+\.sigstore\.json$/.test(name)));
  });
}
