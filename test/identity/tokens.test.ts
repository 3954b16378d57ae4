/** Secrets and bearer tokens: what is made, what is kept, and who they speak for. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { asAgentId, asPersonId } from '../../src/core/ids.ts';
import { sha256Hex } from '../../src/core/sha256.ts';
import { hashOf, newSecret } from '../../src/identity/secrets.ts';
import { newLink } from '../../src/identity/sessions.ts';
import { createIdentity, newToken } from '../../src/identity/tokens.ts';
import { openGate, origin, random, type Gate } from '../http/gate.ts';

let gate: Gate;
before(async () => {
  gate = await openGate();
});
after(() => gate.close());

const fixed = { bytes: (count: number) => new Uint8Array(count).fill(255) };
const bearer = (authorization: string | null) => {
  const identity = createIdentity({ store: gate.parts.store, origin, clock: gate.parts.clock, random });
  return identity.bearer(new Request(origin, authorization === null ? {} : { headers: { authorization } }));
};

const via = (token: string) => ({ kind: 'token', id: `tok_${sha256Hex(token).slice(0, 16)}` });

test('a token says what it is, holds 32 random bytes, and only its SHA-256 is kept', () => {
  const { token, hash } = newToken(fixed, 'agent');
  assert.equal(token, `cs_agent_${'_'.repeat(42)}8`);
  assert.equal(hash, sha256Hex(token));
  assert.match(newToken(random, 'person').token, /^cs_person_[A-Za-z0-9_-]{43}$/);
  assert.match(newLink(random).token, /^cs_link_[A-Za-z0-9_-]{43}$/);
  const made = new Set(Array.from({ length: 1000 }, () => newSecret(random, 'session').token));
  assert.equal(made.size, 1000);
});

test('a secret of one kind is nothing in the place of another', () => {
  const { token } = newLink(random);
  assert.equal(hashOf('link', token), sha256Hex(token));
  assert.equal(hashOf('session', token), undefined);
  for (const text of [
    '',
    'cs_link_',
    `${token}A`,
    token.slice(1),
    ` ${token}`,
    `${token}\n`,
    token.toUpperCase(),
  ]) {
    assert.equal(hashOf('link', text), undefined, JSON.stringify(text));
  }
});

test('a token speaks for whom it was issued to, however the scheme is written', async () => {
  const bot = await gate.token('agent', 'bot');
  const rosa = await gate.token('person', 'rosa');
  for (const scheme of ['Bearer', 'bearer', 'BEARER ']) {
    assert.deepEqual(await bearer(`${scheme} ${bot}`), {
      ok: true,
      value: { kind: 'agent', id: 'bot', via: via(bot) },
    });
  }
  const atMs = gate.clock.nowMs;
  assert.deepEqual(await bearer(`Bearer ${rosa}`), {
    ok: true,
    value: { kind: 'person', id: 'rosa', way: { via: via(rosa), countsFromMs: atMs, authAtMs: atMs } },
  });
});

test('anything else speaks for nobody', async () => {
  const bot = await gate.token('agent', 'bot');
  const unknown = newToken(random, 'agent').token;
  const said = [
    null,
    '',
    bot,
    `Basic ${bot}`,
    `Bearer`,
    `Bearer ${unknown}`,
    `Bearer ${bot} x`,
    `Bearer ${bot},${bot}`,
    `Bearer  `,
  ];
  for (const one of said) {
    const answer = await bearer(one);
    assert.equal(!answer.ok && answer.error.code, 'unauthenticated', String(one));
  }
});

test('a token that has ended, or was revoked, says so; one that never was, and one of another scheme, do not', async () => {
  const issue = async (more: { readonly expiresAtMs?: number } = {}) => {
    const made = newToken(random, 'agent');
    const principal = { kind: 'agent', id: asAgentId('bot') } as const;
    assert.ok((await gate.parts.store.change({ kind: 'token', principal, hash: made.hash, ...more })).ok);
    return made;
  };
  const why = async (authorization: string | null): Promise<unknown> => {
    const answer = await bearer(authorization);
    return answer.ok ? 'good' : (answer.error.evidence?.['token'] ?? null);
  };
  const until = gate.clock.nowMs + 60_000;
  const [short, long] = [await issue({ expiresAtMs: until }), await issue()];
  gate.clock.nowMs = until - 1;
  assert.equal(await why(`Bearer ${short.token}`), 'good');
  gate.clock.nowMs = until;
  assert.equal(await why(`Bearer ${short.token}`), 'expired');
  assert.equal(await why(`Bearer ${long.token}`), 'good');
  const revoked = await gate.parts.store.change({
    kind: 'revokeToken',
    token: `tok_${long.hash.slice(0, 16)}`,
  });
  assert.ok(revoked.ok);
  assert.equal(await why(`Bearer ${long.token}`), 'revoked');
  assert.equal(await why(`Bearer ${newToken(random, 'agent').token}`), 'unknown');
  assert.equal(await why('Bearer'), 'unknown');
  assert.equal(await why('Basic abc'), null);
  assert.equal(await why(null), null);
});

test('a token whose prefix and principal disagree speaks for nobody', async () => {
  const { token, hash } = newToken(random, 'person');
  await gate.parts.store.change({ kind: 'token', principal: { kind: 'agent', id: asAgentId('bot') }, hash });
  assert.equal((await bearer(`Bearer ${token}`)).ok, false);
  const other = newToken(random, 'agent');
  await gate.parts.store.change({
    kind: 'token',
    principal: { kind: 'person', id: asPersonId('rosa') },
    hash: other.hash,
  });
  assert.equal((await bearer(`Bearer ${other.token}`)).ok, false);
});
