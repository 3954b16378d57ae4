/** The configuration's `callbacks`: what is accepted, what is refused with its place, and what start-up warns of. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from '../../src/config.ts';

const secret = `whsec_${Buffer.from('a key of thirty-two bytes, or so').toString('base64')}`;
const parse = (lines: string): ReturnType<typeof parseSettings> =>
  parseSettings(`callbacks:\n${lines}`, '/c.yaml', { env: { SECRET: secret } });
const problemsOf = (lines: string): readonly string[] => {
  const read = parse(lines);
  return read.ok ? [] : read.error.map((one) => one.message);
};

test('hosts, wildcards and ports; the secret from the environment; nothing dangerous by default', () => {
  const read = parse(
    '  hosts: [wf.example.com, "*.flows.example.com", "n8n:5678"]\n  secret: { fromEnv: SECRET }',
  );
  assert.ok(read.ok, JSON.stringify(read));
  assert.deepEqual(read.value.callbacks, {
    hosts: ['wf.example.com', '*.flows.example.com', 'n8n:5678'],
    secret,
    privateAddresses: false,
  });
  assert.deepEqual(read.value.warnings, []);
  const none = parseSettings('listen: 127.0.0.1:0', '/c.yaml');
  assert.ok(none.ok && none.value.callbacks === null);
});

test('what is dangerous is warned of at every start', () => {
  const read = parse(`  hosts: [127.0.0.1]\n  secret: ${secret}\n  dangerouslyAllowPrivateAddresses: true`);
  assert.ok(read.ok, JSON.stringify(read));
  assert.equal(read.value.callbacks?.privateAddresses, true);
  assert.match(read.value.warnings.join(), /dangerouslyAllowPrivateAddresses is on/);
});

test('hosts that are none, or too many at once', () => {
  for (const host of [
    '"*"',
    '"*.com"',
    '"*.*.example.com"',
    '"a.*.example.com"',
    'https://wf.example.com',
    'wf.example.com/x',
    'user@wf.example.com',
    'WF.example.com',
    'wf.example.com.',
    '.example.com',
    'wf..example.com',
    '"wf.example.com:"',
    '"wf.example.com:0"',
    '"wf.example.com:70000"',
    '"[::1]"',
    'bücher.example',
    '""',
  ])
    assert.equal(problemsOf(`  hosts: [${host}]\n  secret: ${secret}`).length, 1, host);
  assert.match(problemsOf(`  hosts: []\n  secret: ${secret}`).join(), /must not be empty/);
});

test('addresses that would never be called are found before anybody waits for them', () => {
  const said = problemsOf(`  hosts: [1.1.1.1, 127.0.0.1, 169.254.169.254]\n  secret: ${secret}`);
  assert.deepEqual(said, [
    'callbacks.hosts[1] is a private address, which is never called.',
    'callbacks.hosts[2] is an address of cloud metadata, which is never called.',
  ]);
  const dangerous = '\n  dangerouslyAllowPrivateAddresses: true';
  assert.deepEqual(
    problemsOf(`  hosts: [1.1.1.1, 127.0.0.1, 169.254.169.254]\n  secret: ${secret}${dangerous}`),
    ['callbacks.hosts[2] is an address of cloud metadata, which is never called.'],
  );
});

test('a key that can be guessed is refused, and a secret that is not there', () => {
  for (const short of ['hunter2', 'whsec_aGVsbG8=', 'whsec_'])
    assert.match(problemsOf(`  hosts: [a.example]\n  secret: ${short}`).join(), /at least 24 bytes/);
  assert.match(
    problemsOf('  hosts: [a.example]\n  secret: { fromEnv: NOWHERE }').join(),
    /NOWHERE is not set/,
  );
  assert.match(problemsOf('  hosts: [a.example]').join(), /secret/);
});
