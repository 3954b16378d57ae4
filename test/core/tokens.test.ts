/** Bearer tokens as the store decides them: how long they are good, what rotating ends, and what revoking does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TokenCommand } from '../../src/core/command-access.ts';
import { asAgentId, asPersonId } from '../../src/core/ids.ts';
import type { Loaded, Step } from '../../src/core/loaded.ts';
import { claimsChain } from '../../src/core/claimed-chain.ts';
import { revokeToken, token } from '../../src/core/steps/tokens.ts';
import { refusesEnded } from '../../src/core/steps/via.ts';
import {
  tokenIdOf,
  tokenLifeDefaultMs,
  tokenLifeMsMax,
  tokenState,
  type TokenRow,
} from '../../src/core/tokens.ts';

const nowMs = Date.UTC(2026, 0, 15, 12);
const bot = { kind: 'agent', id: asAgentId('bot') } as const;
const hash = 'f'.repeat(64);
const row = (letter: string, more: Partial<TokenRow> = {}): TokenRow => ({
  id: tokenIdOf(letter.repeat(64)),
  hash: letter.repeat(64),
  principal: bot,
  atMs: nowMs - 1000,
  expiresAtMs: null,
  revokedAtMs: null,
  ...more,
});
// The steps read nothing else of what is loaded.
const loaded = (...tokens: readonly TokenRow[]): Loaded => ({ nowMs, tokens }) as unknown as Loaded;
const issue = (more: Partial<TokenCommand> = {}, ...tokens: readonly TokenRow[]): Step =>
  token({ kind: 'token', principal: bot, hash, ...more }, loaded(...tokens));
const code = ({ answer }: Step): string =>
  answer.ok ? 'ok' : answer.error.kind === 'refused' ? answer.error.refusal.code : answer.error.kind;

test('token-ends: a token is good for 90 days unless something else is said, and never for more than 365', () => {
  const [write] = issue().writes;
  assert.ok(write?.row === 'token');
  assert.equal(write.token.expiresAtMs, nowMs + tokenLifeDefaultMs);
  assert.equal(tokenState(write.token, nowMs + tokenLifeDefaultMs - 1), 'good');
  assert.equal(tokenState(write.token, nowMs + tokenLifeDefaultMs), 'expired');
  assert.equal(code(issue({ expiresAtMs: nowMs + tokenLifeMsMax })), 'ok');
  for (const expiresAtMs of [nowMs + tokenLifeMsMax + 1, nowMs, nowMs - 1, -1]) {
    const step = issue({ expiresAtMs });
    assert.equal(code(step), 'input_invalid');
    assert.deepEqual([step.writes, step.entries], [[], []]);
  }
});

test('rotating brings the end of the others forward, never back, and only of the same one', () => {
  const others = [
    row('a'),
    row('b', { expiresAtMs: nowMs + 10 }),
    row('c', { expiresAtMs: nowMs + 1_000_000 }),
    row('d', { revokedAtMs: nowMs - 1 }),
    row('e', { principal: { kind: 'person', id: asPersonId('bot') } }),
  ];
  const step = issue({ rotateMs: 1000 }, ...others);
  assert.deepEqual(
    step.writes.slice(1).map((one) => one.row === 'tokenEnds' && [one.token.hash[0], one.token.expiresAtMs]),
    [
      ['a', nowMs + 1000],
      ['c', nowMs + 1000],
    ],
  );
  assert.equal(step.entries.length, 1);
  assert.ok(!JSON.stringify(step.entries).includes(hash));
  assert.equal(issue({}, ...others).writes.length, 1);
  assert.equal(code(issue({ rotateMs: 7 * 86_400_000 + 1 })), 'input_invalid');
  assert.equal(code(issue({ rotateMs: -1 })), 'input_invalid');
});

test('revoking is once, and of one token', () => {
  const step = revokeToken({ kind: 'revokeToken', token: row('a').id }, loaded(row('a')));
  assert.deepEqual(step.writes, [{ row: 'tokenEnds', token: { ...row('a'), revokedAtMs: nowMs } }]);
  assert.deepEqual(
    step.entries.map((one) => [one.type, one.data['token']]),
    [['token.revoked', row('a').id]],
  );
  const again = revokeToken(
    { kind: 'revokeToken', token: row('a').id },
    loaded(row('a', { revokedAtMs: 1 })),
  );
  assert.deepEqual([again.writes, again.entries], [[], []]);
  assert.equal(code(revokeToken({ kind: 'revokeToken', token: row('b').id }, loaded())), 'not_found');
});

test('token-ends: nothing is run for a token that ended, was revoked or is not there', () => {
  const via = { kind: 'token', id: row('a').id } as const;
  assert.equal(refusesEnded(via, loaded(row('a'))), undefined);
  for (const tokens of [[row('a', { expiresAtMs: nowMs })], [row('a', { revokedAtMs: nowMs })], []])
    assert.equal(refusesEnded(via, loaded(...tokens))?.code, 'unauthenticated');
  assert.equal(refusesEnded({ kind: 'workload', issuer: 'i', subject: null }, loaded()), undefined);
  assert.equal(refusesEnded(undefined, loaded()), undefined);
});

test('a token never becomes good again', () => {
  const time = fc.integer({ min: 0, max: 1000 });
  fc.assert(
    fc.property(fc.option(time), fc.option(time), time, time, (expiresAtMs, revokedAtMs, a, b) => {
      const [early, late] = [Math.min(a, b), Math.max(a, b)];
      const one = { expiresAtMs, revokedAtMs };
      if (tokenState(one, early) !== 'good') assert.notEqual(tokenState(one, late), 'good');
    }),
  );
});

test('verified-chain: every way of writing it is found, and nothing that only sounds like it', () => {
  for (const key of [
    'act',
    'ACT',
    'on_behalf_of',
    'On-Behalf-Of',
    'dev.countersign/startedBy',
    'x/y/delegation',
  ])
    assert.equal(claimsChain({ other: 1, [key]: 'rosa' }), key);
  for (const value of [{ action: 1, activity: 2, started: 3 }, {}, [], null, 'act', undefined])
    assert.equal(claimsChain(value), undefined);
});
