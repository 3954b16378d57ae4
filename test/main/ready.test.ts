/** A whole gate whose keys are taken away while it runs: it says that it is not ready, and is again once they are back. */
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, startTestGate } from '../support/gate.ts';

test('keys that cannot be read any more are a reason not to be ready, and no reason to be restarted', async () => {
  const gate = await startTestGate();
  try {
    const folder = join(gate.folder, 'data', 'keys');
    const file = join(
      folder,
      (await readdir(folder)).find((name) => /receipt.*\.pem$|^receipt/.test(name)) ?? '',
    );
    const key = await readFile(file);
    const why = async (): Promise<unknown> => (await gate.call(null, 'GET', '/readyz')).body.why;
    assert.equal((await gate.call(null, 'GET', '/readyz')).status, 200);
    await writeFile(file, 'no key at all');
    await eventually(
      async () =>
        JSON.stringify(await why()) === '["The keys of the log cannot be used, so it is not signed."]',
      'not ready',
    );
    assert.equal((await gate.call(null, 'GET', '/healthz')).status, 200);
    await writeFile(file, key);
    await eventually(async () => (await gate.call(null, 'GET', '/readyz')).status === 200, 'ready again');
  } finally {
    await gate.stop();
  }
});
