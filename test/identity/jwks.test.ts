/** An issuer's keys: where they are found, how long they are kept, and what a hostile or broken issuer cannot do. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { asAgentId, asPersonId } from '../../src/core/ids.ts';
import type { Directory } from '../../src/core/directory.ts';
import type { KeysAt } from '../../src/ports/sign-in.ts';
import { coolDownMs, freshMs, keptMs, keySetBytesMax } from '../../src/identity/jwks.ts';
import { createWorkloads } from '../../src/identity/workload.ts';
import { newKey, startIssuer, type TestIssuer } from '../support/issuer.ts';

const origin = 'https://gate.example.com';
const sam = asPersonId('sam');
const directory: Directory = {
  people: [{ id: sam, name: 'Sam', groups: [] }],
  agents: [{ id: asAgentId('bot'), owners: [sam], groups: [] }],
  roles: { operators: null, auditors: null },
};

const clock = { now: Date.UTC(2026, 0, 15, 12), nowMs: () => clock.now };
let issuer: TestIssuer;
let said: string[] = [];
beforeEach(async () => {
  said = [];
  issuer = await startIssuer(undefined, clock.nowMs);
});
afterEach(() => issuer.close());

/** Answers what becomes of a token that is good but for its key. */
function speaking(keys: KeysAt = { kind: 'discovery' }, named = issuer.url) {
  const workloads = createWorkloads({
    issuers: () => [
      {
        issuer: named,
        keys,
        audience: null,
        accessTokens: false,
        authorizationServer: false,
        agents: [{ agent: asAgentId('bot'), claims: { sub: 'bot' } }],
        people: null,
      },
    ],
    origin,
    clock,
    directory: () => Promise.resolve(directory),
    say: (line) => said.push(line),
  });
  return async (key = issuer.key): Promise<string> => {
    const token = await issuer.sign({ iss: named, aud: origin, sub: 'bot' }, { key });
    const answer = await workloads(token, origin);
    return answer.ok
      ? answer.value.id
      : `${answer.error.code} ${String(answer.error.evidence?.['token'] ?? '')}`;
  };
}

test('keys are where the issuer’s metadata says, or where the configuration says, or in the configuration', async () => {
  assert.equal(await speaking()(), 'bot');
  const asked = issuer.asked.get('/.well-known/openid-configuration');
  assert.equal(await speaking({ kind: 'url', url: `${issuer.url}/jwks` })(), 'bot');
  assert.equal(issuer.asked.get('/.well-known/openid-configuration'), asked);
  issuer.answers.clear();
  assert.equal(await speaking({ kind: 'text', text: JSON.stringify({ keys: issuer.keys }) })(), 'bot');
  assert.match(await speaking()(), /^upstream_unavailable/);
});

test('metadata of OAuth serves where there is none of OpenID, with the issuer’s path in its place', async () => {
  const named = `${issuer.url}/tenant`;
  const metadata = JSON.stringify({ issuer: named, jwks_uri: `${issuer.url}/jwks` });
  const reply = (_request: unknown, response: { end: (text: string) => void }): void =>
    response.end(metadata);
  issuer.answers.delete('/.well-known/openid-configuration');
  issuer.answers.set('/.well-known/oauth-authorization-server/tenant', reply);
  assert.equal(await speaking({ kind: 'discovery' }, named)(), 'bot');
  issuer.answers.delete('/.well-known/oauth-authorization-server/tenant');
  issuer.answers.set('/tenant/.well-known/openid-configuration', reply);
  assert.equal(await speaking({ kind: 'discovery' }, named)(), 'bot');
});

test('a key that is not known is looked for once within the cool-down, whatever is sent', async () => {
  const speak = speaking();
  assert.equal(await speak(), 'bot');
  const unknown = await newKey('two');
  for (let times = 0; times < 20; times += 1) assert.equal(await speak(unknown), 'unauthenticated signature');
  assert.equal(issuer.asked.get('/jwks'), 1);
  clock.now += coolDownMs;
  await Promise.all(Array.from({ length: 20 }, () => speak(unknown)));
  assert.equal(issuer.asked.get('/jwks'), 2);
  // and there it is found, once it is published
  issuer.keys = [issuer.key.publicJwk, unknown.publicJwk];
  assert.equal(await speak(unknown), 'unauthenticated signature');
  clock.now += coolDownMs;
  assert.equal(await speak(unknown), 'bot');
  assert.equal(issuer.asked.get('/jwks'), 3);
});

test('a key that its issuer withdrew is gone at the next look; keys that cannot be had anew end', async () => {
  const speak = speaking();
  assert.equal(await speak(), 'bot');
  issuer.keys = [(await newKey('two')).publicJwk];
  clock.now += freshMs - 1;
  assert.equal(await speak(), 'bot');
  clock.now += 1;
  assert.equal(await speak(), 'unauthenticated signature');

  issuer.keys = [issuer.key.publicJwk];
  const again = speaking();
  assert.equal(await again(), 'bot');
  issuer.answers.set('/jwks', (_request, response) => void response.writeHead(500).end());
  clock.now += keptMs - 1;
  assert.equal(await again(), 'bot');
  assert.equal(said.length, 1);
  clock.now += coolDownMs;
  assert.match(await again(), /^upstream_unavailable/);
});

test('an issuer that does not answer is not asked again and again', async () => {
  issuer.answers.set(
    '/.well-known/openid-configuration',
    (_request, response) => void response.writeHead(503).end(),
  );
  const speak = speaking();
  for (let times = 0; times < 10; times += 1) assert.match(await speak(), /^upstream_unavailable/);
  assert.equal(issuer.asked.get('/.well-known/openid-configuration'), 1);
  assert.match(said.join('\n'), /^The issuer http:\/\/127\.0\.0\.1:\d+: .*HTTP 503\./);
  assert.equal(said.length, 1);
});

test('metadata of another issuer, keys elsewhere, redirects, floods and rubbish give no keys', async () => {
  const elsewhere = await startIssuer();
  try {
    elsewhere.keys = [issuer.key.publicJwk];
    const metadata = (value: object) => (_request: unknown, response: { end: (text: string) => void }) =>
      response.end(JSON.stringify(value));
    const place = '/.well-known/openid-configuration';
    for (const value of [
      { issuer: elsewhere.url, jwks_uri: `${issuer.url}/jwks` },
      { issuer: `${issuer.url}/`, jwks_uri: `${issuer.url}/jwks` },
      { issuer: issuer.url, jwks_uri: `${elsewhere.url}/jwks` },
      { issuer: issuer.url, jwks_uri: 'file:///etc/passwd' },
      { issuer: issuer.url },
      [],
    ]) {
      issuer.answers.set(place, metadata(value));
      assert.match(await speaking()(), /^upstream_unavailable/, JSON.stringify(value));
    }
    issuer.answers.set(
      place,
      (_request, response) => void response.writeHead(302, { location: `${elsewhere.url}${place}` }).end(),
    );
    assert.match(await speaking()(), /^upstream_unavailable/);
    assert.equal(elsewhere.asked.size, 0);
    const url = { kind: 'url', url: `${issuer.url}/jwks` } as const;
    for (const body of [
      'x'.repeat(keySetBytesMax + 1),
      JSON.stringify({ keys: [issuer.key.publicJwk], padding: 'x'.repeat(keySetBytesMax) }),
      JSON.stringify({ keys: Array.from({ length: 101 }, () => issuer.key.publicJwk) }),
      JSON.stringify({ keys: 'none' }),
      '<html>',
      '',
    ]) {
      issuer.answers.set('/jwks', (_request, response) => void response.end(body));
      assert.match(await speaking(url)(), /^upstream_unavailable/, body.slice(0, 40));
    }
  } finally {
    await elsewhere.close();
  }
});

test('a published secret, a private key, or two keys of one name verify nothing', async () => {
  const url = { kind: 'url', url: `${issuer.url}/jwks` } as const;
  for (const keys of [
    [{ kty: 'oct', k: 'c2VjcmV0', kid: 'one', alg: 'HS256' }],
    [{ ...issuer.key.publicJwk, d: 'AAAA' }],
    [issuer.key.publicJwk, (await newKey('one')).publicJwk],
    [{ ...issuer.key.publicJwk, use: 'enc' }],
    [{ ...issuer.key.publicJwk, x: 'AA' }],
  ]) {
    issuer.keys = keys;
    assert.equal(await speaking(url)(), 'unauthenticated signature', JSON.stringify(keys));
  }
});
