/** A gate whose tables another is changing: it lives, it says that it starts, and it can be stopped. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Client } from 'pg';
import { freePort } from '../support/ports.ts';
import { eventually } from '../support/gate.ts';
import { spawnGate } from './support/child-gate.ts';
import { onDatabase } from './support/gates.ts';

const statusOf = (url: string): Promise<number> =>
  fetch(url).then(
    ({ status }) => status,
    () => 0,
  );

test('while the tables are changed a gate answers that it lives and starts; SIGTERM ends it, or it goes on', () =>
  onDatabase(async (gates) => {
    const gate = await gates.start();
    const port = await freePort();
    const config = join(gate.folder, 'other.yaml');
    await writeFile(config, `listen: 127.0.0.1:${port}\n${gates.config}`);
    const at = `http://127.0.0.1:${port}`;
    const changes = new Client({ connectionString: gates.url });
    await changes.connect();
    try {
      await changes.query("BEGIN; SELECT value FROM meta WHERE key = 'schema_version' FOR UPDATE");
      const started = ['serve', '--config', config];
      for (const end of ['SIGTERM', 'COMMIT'] as const) {
        const { child, said } = spawnGate(config, undefined, started);
        const exited = once(child, 'exit');
        await eventually(() => said.some((line) => line.includes('changing the tables')), 'it waits');
        assert.equal(await statusOf(`${at}/healthz`), 200);
        assert.equal(await statusOf(`${at}/readyz`), 503);
        assert.equal(await statusOf(`${at}/inbox`), 503);
        if (end === 'COMMIT') {
          await changes.query('COMMIT');
          await eventually(async () => (await statusOf(`${at}/readyz`)) === 200, 'it goes on');
        }
        child.kill('SIGTERM');
        assert.deepEqual(await exited, [0, null], said.join('\n'));
      }
    } finally {
      await changes.end();
    }
  }));
