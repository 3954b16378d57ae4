/** The thread that signs dies in its work: that publishing fails, the next one has a thread again, and nothing hangs. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mock, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { emptyHead } from '../../src/core/entry.ts';
import { Signer } from '../../src/log/signer.ts';
import { draftsOf, makeLog, newKeys } from '../log/support/made-log.ts';

test('a thread that dies while it signs is replaced', { timeout: 60_000 }, async () => {
  const keys = newKeys();
  const log = await makeLog(keys, draftsOf(keys, 100));
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const upto = { size: 0, head: emptyHead, atMs: 0 };
  const signer = new Signer();
  try {
    // It ends without a word, as a thread does that has no memory left.
    const posting = mock.method(Worker.prototype, 'postMessage', function (this: Worker) {
      void this.terminate();
    });
    await assert.rejects(signer.sign(log.rows, upto, key), /stopped/);
    posting.mock.restore();
    const signed = await signer.sign(log.rows, upto, key);
    assert.equal(signed.kind === 'signed' && signed.leaves.length, 100);
  } finally {
    mock.restoreAll();
    await signer.close();
  }
});
