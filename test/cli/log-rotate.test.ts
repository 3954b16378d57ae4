/** `log rotate`: a new key beside the one before, until that is ended; never over a key, nor where the configuration names one. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inFolder, organisation, run, serving } from './run.ts';

test('keys are rotated beside a running gate and without one, and what cannot be is said', () =>
  inFolder(organisation, async (folder) => {
    const rotate = (...args: readonly string[]) => run(['log', 'rotate', ...args], { cwd: folder });
    const file = (name: string): string => join(folder, 'data', 'keys', name);
    const none = await rotate();
    assert.equal(none.code, 1);
    assert.match(none.err, /There is no .*log\.pem yet: the gate makes it/);
    assert.equal((await rotate('--key', 'both')).code, 2);
    assert.equal((await rotate('--finish', '--key', 'log')).code, 2);

    await serving(folder, async () => {
      const before = readFileSync(file('log.pem'), 'utf8');
      const made = await rotate();
      assert.deepEqual([made.code, made.out], [0, ''], made.err);
      assert.notEqual(readFileSync(file('log.pem'), 'utf8'), before);
      assert.equal(readFileSync(file('log.before.pem'), 'utf8'), before);
      assert.equal(statSync(file('log.pem')).mode & 0o777, 0o600);
      const twice = await rotate();
      assert.equal(twice.code, 1);
      assert.match(twice.err, /being rotated already.*log rotate --finish/);
      assert.equal(readFileSync(file('log.before.pem'), 'utf8'), before, 'the one before is kept');
    });
    const finished = await rotate('--finish');
    assert.equal(finished.code, 0, finished.err);
    assert.ok(!existsSync(file('log.before.pem')));
    assert.equal((await rotate('--finish')).code, 1);

    // Ended before the new one has signed anything, nobody could tell what the gate gave out from what a stranger did.
    assert.equal((await rotate()).code, 0);
    const early = await rotate('--finish');
    assert.equal(early.code, 1);
    assert.match(early.err, /new log key has signed no checkpoint yet/);
    assert.ok(existsSync(file('log.before.pem')));
    await serving(folder, async () => Promise.resolve());
    assert.equal((await rotate('--finish')).code, 0);

    const receipt = readFileSync(file('receipt.pem'), 'utf8');
    assert.equal((await rotate('--key', 'receipt')).code, 0);
    assert.notEqual(readFileSync(file('receipt.pem'), 'utf8'), receipt);

    const { privateKey } = generateKeyPairSync('ed25519');
    writeFileSync(join(folder, 'own.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const config = join(folder, 'countersign.yaml');
    writeFileSync(config, `${readFileSync(config, 'utf8')}\nlog: { keys: { log: { fromFile: own.pem } } }\n`);
    const named = await rotate();
    assert.equal(named.code, 1);
    assert.match(named.err, /log\.keys\.logBefore/);
    assert.equal((await rotate('--key', 'receipt')).code, 0, 'the other one is still made here');
  }));
