/** A checkpoint as it is given to strangers: with the cosignatures that came after it was signed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cosignedNote } from '../../src/log/verify/source.ts';
import { draftsOf, makeLog, newKeys, newWitness } from './support/made-log.ts';

test('the newest checkpoint may have its cosignatures in its own file', async () => {
  const keys = newKeys();
  const log = await makeLog(keys, draftsOf(keys, 100), { witnesses: [newWitness('w1.test')] });
  const kept = log.checkpoints.at(-1) ?? assert.fail();
  assert.match(cosignedNote(kept), /\n— gate\.test .*\n— w1\.test .*\n$/);
});
