/** `passkey` at the gate's machine, and approving from a terminal where a policy asks for a passkey. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { Authenticator } from '../support/authenticator.ts';
import { startSigningGate, type SigningGate } from '../support/passkeys.ts';
import { run, start } from './run.ts';

let gate: SigningGate;
let config: readonly string[];
before(async () => {
  gate = await startSigningGate();
  config = ['--config', join(gate.folder, 'countersign.yaml')];
});
after(() => gate?.stop());

test('what the operator grants enrols one passkey, which counts later; it is listed and revoked', async () => {
  const granted = await run(['passkey', 'grant', 'rosa', '--url', gate.origin, ...config]);
  assert.equal(granted.code, 0, granted.err);
  const [link = ''] = granted.out.trim().split('\n');
  assert.match(link, /^http:\/\/localhost:\d+\/passkeys#cs_enrolment_[\w-]{43}$/);
  const key = new Authenticator(gate.origin);
  const enrolled = await gate.tryEnrol('rosa', key, { grant: link });
  assert.deepEqual([enrolled.status, enrolled.body.counts], [201, false]);
  const listed = await run(['passkey', 'list', 'rosa', ...config]);
  assert.match(listed.out, new RegExp(`^${key.id} .*counts from`));
  assert.equal((await run(['passkey', 'revoke', key.id, ...config])).code, 0);
  assert.match((await run(['passkey', 'list', 'rosa', ...config])).out, /revoked/);
  assert.equal((await run(['passkey', 'revoke', 'nothing', ...config])).code, 1);
  assert.equal((await run(['passkey', 'grant', 'nobody', ...config])).code, 1);
});

test('a terminal shows where to sign and waits; what was signed is written for another tool', async () => {
  const key = await gate.enrol('mia');
  const approval = await gate.ask(5000);
  const child = start(['approvals', 'approve', approval.id, '--url', gate.gate().url], {
    env: { COUNTERSIGN_TOKEN: gate.tokens.mia },
  });
  const [out, err] = [text(child.stdout), text(child.stderr)];
  const shown = new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
  await shown;
  assert.equal(
    (await gate.call(gate.tokens.mia, 'GET', `/v1/approvals/${approval.id}`)).body.status,
    'pending',
  );
  const asked = await gate.asked('mia', approval.id);
  assert.equal((await gate.review('mia', approval, key.sign(asked.challenge))).status, 201);
  assert.match(await err, /passkey/);
  const lines = (await out).trim().split('\n');
  assert.equal(lines[0], approval.url);
  assert.match(lines.at(-1) ?? '', new RegExp(approval.id));

  const folder = join(gate.folder, 'proof');
  const written = await run(['passkey', 'proof', approval.id, '--out', folder, ...config]);
  assert.match(written.out, /^fido2-assert -V -p -v -i .*assertion .*key\.pem es256$/m);
  for (const name of ['assertion', 'key.pem', 'statement.json', 'client-data.json'])
    assert.ok(existsSync(join(folder, name)), name);
  assert.equal(readFileSync(join(folder, 'statement.json'), 'utf8'), asked.statement);
  const printed = await run(['passkey', 'proof', approval.id, '--person', 'mia', ...config]);
  assert.equal(JSON.parse(printed.out).statement, asked.statement);
  assert.equal((await run(['passkey', 'proof', approval.id, '--person', 'rosa', ...config])).code, 1);
});
