/** Workload tokens: who they speak for, and every way in which one is refused. Keys are real, and fetched over HTTP. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { exportSPKI, importJWK } from 'jose';
import type { Directory, Principal } from '../../src/core/directory.ts';
import { asAgentId, asPersonId } from '../../src/core/ids.ts';
import type { Refusal } from '../../src/core/refusal.ts';
import type { Result } from '../../src/core/result.ts';
import type { Issuer } from '../../src/ports/sign-in.ts';
import { createWorkloads } from '../../src/identity/workload.ts';
import { newKey, startIssuer, type TestIssuer } from '../support/issuer.ts';

const origin = 'https://gate.example.com';
const person = (id: string) => ({ id: asPersonId(id), name: id, groups: [] });
const agent = (id: string, owner: string) => ({ id: asAgentId(id), owners: [asPersonId(owner)], groups: [] });
const directory: Directory = {
  people: [person('sam'), person('rosa'), { ...person('gone'), active: false }],
  agents: [agent('bot', 'sam'), agent('helper', 'rosa'), { ...agent('retired', 'sam'), active: false }],
  roles: { operators: null, auditors: null },
};

const clock = { now: Date.UTC(2026, 0, 15, 12), nowMs: () => clock.now };
let issuer: TestIssuer;
let other: TestIssuer;
before(async () => {
  issuer = await startIssuer(undefined, clock.nowMs);
  other = await startIssuer(undefined, clock.nowMs);
});
after(() => Promise.all([issuer.close(), other.close()]));

const agents = [
  { agent: asAgentId('bot'), claims: { sub: 'svc:bot' } },
  { agent: asAgentId('bot'), claims: { client_id: 'bot-client' } },
  { agent: asAgentId('helper'), claims: { sub: 'svc:helper' } },
  { agent: asAgentId('retired'), claims: { sub: 'svc:retired' } },
  { agent: asAgentId('helper'), claims: { team: 'crm', env: 'prod' } },
];

function settings(more: Partial<Issuer> = {}): Issuer {
  return {
    issuer: issuer.url,
    keys: { kind: 'discovery' },
    audience: null,
    accessTokens: false,
    authorizationServer: false,
    agents,
    people: null,
    ...more,
  };
}

type Answer = Result<Principal, Refusal>;
const accounts: ReadonlyMap<string, string> = new Map([['acc-rosa', 'rosa']]);
const workloads = (more: Partial<Issuer> = {}) =>
  createWorkloads({
    issuers: () => [settings(more)],
    origin,
    clock,
    directory: () => Promise.resolve(directory),
    accountOf: (_issuer, subject) => {
      const id = accounts.get(subject);
      return Promise.resolve(id === undefined ? undefined : asPersonId(id));
    },
  });

const of = async (
  claims: Readonly<Record<string, unknown>>,
  how: { readonly more?: Partial<Issuer>; readonly resource?: string } & Parameters<
    TestIssuer['sign']
  >[1] = {},
): Promise<Answer> =>
  workloads(how.more)(await issuer.sign({ aud: origin, ...claims }, how), how.resource ?? origin);

const why = (answer: Answer): unknown => (answer.ok ? answer.value : answer.error.evidence?.['token']);

test('a signed token speaks for the one agent that has its claims', async () => {
  const answer = await of({ sub: 'svc:bot', extra: [1] });
  assert.deepEqual(answer, {
    ok: true,
    value: { kind: 'agent', id: 'bot', via: { kind: 'workload', issuer: issuer.url, subject: 'svc:bot' } },
  });
  const byTwo = await of({ sub: 'x', team: 'crm', env: 'prod' });
  assert.equal(byTwo.ok && byTwo.value.id, 'helper');
});

test('all the claims of an agent must be there, exactly; of two agents it is none', async () => {
  assert.equal(why(await of({ sub: 'x', team: 'crm' })), 'no_agent');
  assert.equal(why(await of({ sub: 'x', team: 'crm', env: ['prod'] })), 'no_agent');
  assert.equal(why(await of({ sub: 'x', team: 'crm', env: 'PROD' })), 'no_agent');
  assert.equal(why(await of({})), 'no_agent');
  assert.equal(why(await of({ sub: 'svc:bot', team: 'crm', env: 'prod' })), 'two_agents');
  assert.equal(why(await of({ sub: 'svc:retired' })), 'inactive');
});

test('the audience is the configured one, or the MCP server that is called, and nobody else beside it', async () => {
  const crm = `${origin}/mcp/crm`;
  const ok = async (aud: unknown, resource: string, audience: string | null = null): Promise<boolean> =>
    (await of({ sub: 'svc:bot', aud }, { resource, more: { audience } })).ok;
  assert.equal(await ok(origin, origin), true);
  assert.equal(await ok(origin, crm), true);
  assert.equal(await ok(crm, crm), true);
  assert.equal(await ok([crm, origin], crm), true);
  assert.equal(await ok('countersign', origin, 'countersign'), true);
  for (const [aud, resource, audience] of [
    [crm, origin, null],
    [crm, `${origin}/mcp/files`, null],
    [`${origin}/`, origin, null],
    [origin.toUpperCase(), origin, null],
    ['https://other.example.com', origin, null],
    [[origin, 'https://other.example.com'], origin, null],
    [origin, origin, 'countersign'],
    [[], origin, null],
    [null, origin, null],
    [{ 0: origin }, origin, null],
    [`${origin}.evil.example/mcp/crm`, crm, null],
  ] as const) {
    const answer = await of({ sub: 'svc:bot', aud }, { resource, more: { audience } });
    assert.match(String(why(answer)), /^(?:audience|claims)$/, JSON.stringify([aud, resource, audience]));
  }
});

test('it must have an end, be valid now, and be good for no longer than a day', async () => {
  const now = Math.floor(clock.nowMs() / 1000);
  const cases: readonly (readonly [Readonly<Record<string, unknown>>, unknown])[] = [
    [{ exp: null }, 'claims'],
    [{ exp: 'tomorrow' }, 'claims'],
    [{ exp: now - 31 }, 'expired'],
    [{ exp: now - 31, nbf: now - 700 }, 'expired'],
    [{ nbf: now + 31 }, 'early'],
    [{ iat: now + 31 }, 'early'],
    [{ iat: 'now' }, 'claims'],
    [{ exp: now + 24 * 3600 + 31 }, 'lifetime'],
    [{ iat: now - 23 * 3600, exp: now + 3600 + 31 }, 'lifetime'],
    [{ iat: null, exp: now + 24 * 3600 + 31 }, 'lifetime'],
    [{ iat: null, nbf: now - 23 * 3600, exp: now + 3600 + 31 }, 'lifetime'],
  ];
  for (const [claims, wanted] of cases)
    assert.equal(why(await of({ sub: 'svc:bot', ...claims })), wanted, JSON.stringify(claims));
  for (const claims of [
    { exp: now - 29 },
    { nbf: now + 29 },
    { iat: now + 29 },
    { iat: null },
    { exp: now + 24 * 3600 },
  ])
    assert.equal((await of({ sub: 'svc:bot', ...claims })).ok, true, JSON.stringify(claims));
});

test('only asymmetric signatures of this issuer’s published keys', async () => {
  const speak = workloads();
  const good = await issuer.sign({ aud: origin, sub: 'svc:bot' });
  const [, payload = ''] = good.split('.');
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const answerTo = async (token: string): Promise<unknown> => why(await speak(token, origin));
  // alg none, with and without a third part
  assert.equal(await answerTo(`${part({ alg: 'none' })}.${payload}.AA`), 'algorithm');
  assert.equal(await answerTo(`${part({ alg: 'none' })}.${payload}.`), 'algorithm');
  // HS256, keyed with the public key in each form in which it is published
  const key = await importJWK(issuer.key.publicJwk, 'ES256', { extractable: true });
  assert.ok(!(key instanceof Uint8Array));
  for (const secret of [await exportSPKI(key), JSON.stringify(issuer.key.publicJwk)]) {
    const signed = `${part({ alg: 'HS256', kid: 'one' })}.${payload}`;
    const mac = createHmac('sha256', secret).update(signed).digest('base64url');
    assert.equal(await answerTo(`${signed}.${mac}`), 'algorithm');
  }
  // another key under the same kid; a key of its own in the header; another issuer's key
  const mine = await newKey('one');
  assert.equal(why(await of({ sub: 'svc:bot' }, { key: mine })), 'signature');
  assert.equal(
    why(await of({ sub: 'svc:bot' }, { key: mine, header: { jwk: mine.publicJwk } })),
    'signature',
  );
  assert.equal(
    why(await of({ sub: 'svc:bot' }, { key: await newKey('two'), header: { jku: `${other.url}/jwks` } })),
    'signature',
  );
  assert.equal(why(await of({ sub: 'svc:bot' }, { key: other.key })), 'signature');
  // a changed payload
  const changed = part({ iss: issuer.url, aud: origin, sub: 'svc:helper', exp: 4_000_000_000 });
  assert.equal(await answerTo([good.split('.')[0], changed, good.split('.')[2]].join('.')), 'signature');
  // a header that says that something must be understood
  assert.notEqual(
    await answerTo(`${part({ alg: 'ES256', kid: 'one', crit: ['b64'], b64: false })}.${payload}.AA`),
    undefined,
  );
});

test('an algorithm that is not in the list is none, also where the issuer publishes such a key', async () => {
  const key = await newKey('pq', 'ML-DSA-44');
  const { keys } = issuer;
  issuer.keys = [...keys, key.publicJwk];
  try {
    assert.equal(why(await of({ sub: 'svc:bot' }, { key })), 'algorithm');
  } finally {
    issuer.keys = keys;
  }
});

test('only configured issuers, character by character', async () => {
  const stranger = await other.sign({ aud: origin, sub: 'svc:bot' });
  assert.equal(why(await workloads()(stranger, origin)), 'issuer');
  assert.equal(why(await of({ sub: 'svc:bot', iss: `${issuer.url}/` })), 'issuer');
  assert.equal(why(await of({ sub: 'svc:bot', iss: null })), 'malformed');
  assert.equal(why(await of({ sub: 'svc:bot', iss: [issuer.url] })), 'malformed');
  // signed by one issuer, and naming another that is known
  const both = createWorkloads({
    issuers: () => [settings(), settings({ issuer: other.url })],
    origin,
    clock,
    directory: () => Promise.resolve(directory),
  });
  const claimed = await other.sign({ iss: issuer.url, aud: origin, sub: 'svc:bot' });
  assert.equal(why(await both(claimed, origin)), 'signature');
});

test('a token for another use is none, whoever signed it', async () => {
  for (const typ of ['JWT', 'jwt', 'at+jwt', 'application/at+jwt', undefined])
    assert.equal((await of({ sub: 'svc:bot' }, { header: { typ } })).ok, true, typ);
  for (const typ of ['logout+jwt', 'dpop+jwt', 'oauth-authz-req+jwt', 'kb+jwt', ''])
    assert.equal(why(await of({ sub: 'svc:bot' }, { header: { typ } })), 'type', typ);
  const strict = { more: { accessTokens: true } };
  assert.equal(why(await of({ sub: 'svc:bot' }, strict)), 'type');
  assert.equal((await of({ sub: 'svc:bot' }, { ...strict, header: { typ: 'at+JWT' } })).ok, true);
});

test('an act chain: the outermost actor is the agent, the others and the subject are whom it acts for', async () => {
  const people = { claim: 'sub', ids: new Map([['u-sam', asPersonId('sam')]]) };
  const chainOf = async (claims: Readonly<Record<string, unknown>>): Promise<unknown> => {
    const answer = await of(claims, { more: { people } });
    return answer.ok && answer.value.kind === 'agent' ? [answer.value.id, answer.value.chain] : why(answer);
  };
  assert.deepEqual(await chainOf({ sub: 'u-sam', act: { sub: 'svc:bot' } }), [
    'bot',
    { startedBy: 'sam', delegation: [] },
  ]);
  assert.deepEqual(await chainOf({ sub: 'acc-rosa', act: { sub: 'svc:bot', act: { sub: 'svc:helper' } } }), [
    'bot',
    { startedBy: 'rosa', delegation: [{ kind: 'agent', id: 'helper' }] },
  ]);
  // an agent that started for another agent, through a person
  assert.deepEqual(await chainOf({ sub: 'svc:helper', act: { sub: 'svc:bot', act: { sub: 'u-sam' } } }), [
    'bot',
    {
      startedBy: null,
      delegation: [
        { kind: 'agent', id: 'helper' },
        { kind: 'person', id: 'sam' },
      ],
    },
  ]);
  // the nearest last
  assert.deepEqual(
    await chainOf({
      sub: 'u-sam',
      act: { sub: 'svc:bot', act: { sub: 'svc:helper', act: { sub: 'acc-rosa' } } },
    }),
    [
      'bot',
      {
        startedBy: 'sam',
        delegation: [
          { kind: 'person', id: 'rosa' },
          { kind: 'agent', id: 'helper' },
        ],
      },
    ],
  );
});

test('whoever a chain names must be known and active', async () => {
  const people = {
    claim: 'sub',
    ids: new Map([
      ['u-sam', asPersonId('sam')],
      ['u-gone', asPersonId('gone')],
    ]),
  };
  const refused = async (claims: Readonly<Record<string, unknown>>): Promise<unknown> =>
    why(await of(claims, { more: { people } }));
  assert.equal(await refused({ sub: 'nobody', act: { sub: 'svc:bot' } }), 'unknown_subject');
  assert.equal(await refused({ act: { sub: 'svc:bot' } }), 'unknown_subject');
  assert.equal(await refused({ sub: 'u-sam', act: { sub: 'stranger' } }), 'no_agent');
  assert.equal(await refused({ sub: 'svc:helper', act: { sub: 'u-sam' } }), 'no_agent');
  assert.equal(
    await refused({ sub: 'u-sam', act: { sub: 'svc:bot', act: { sub: 'who' } } }),
    'unknown_actor',
  );
  assert.equal(await refused({ sub: 'u-sam', act: 'svc:bot' }), 'unknown_actor');
  assert.equal(await refused({ sub: 'u-sam', act: { sub: 'svc:bot', act: null } }), 'unknown_actor');
  assert.equal(await refused({ sub: 'u-sam', act: { sub: 'svc:bot', act: [] } }), 'unknown_actor');
  assert.equal(await refused({ sub: 'u-sam', act: { sub: 'svc:bot', iss: other.url } }), 'unknown_actor');
  assert.equal(await refused({ sub: 'u-gone', act: { sub: 'svc:bot' } }), 'inactive');
  assert.equal(
    await refused({ sub: 'u-sam', act: { sub: 'svc:bot', act: { sub: 'svc:retired' } } }),
    'inactive',
  );
  let act: object = { sub: 'svc:helper' };
  for (let depth = 1; depth < 9; depth += 1) act = { sub: 'svc:helper', act };
  assert.equal(await refused({ sub: 'u-sam', act }), 'chain_too_long');
});

test('a token that an agent got for a person is one that this person started; an unknown person is refused', async () => {
  const people = { claim: 'sub', ids: new Map([['u-sam', asPersonId('sam')]]) };
  const client = { client_id: 'bot-client' };
  const sam = await of({ sub: 'u-sam', ...client }, { more: { people } });
  assert.deepEqual(sam.ok && sam.value.kind === 'agent' && sam.value.chain, {
    startedBy: 'sam',
    delegation: [],
  });
  assert.equal(why(await of({ sub: 'u-eve', ...client }, { more: { people } })), 'unknown_subject');
  // the agent's own token names the agent itself
  const own = await of({ sub: 'svc:bot' }, { more: { people } });
  assert.equal(own.ok && own.value.kind === 'agent' && own.value.chain, undefined);
  // a linked account is known without being listed, also where no people are configured
  const rosa = await of({ sub: 'acc-rosa', ...client });
  assert.deepEqual(rosa.ok && rosa.value.kind === 'agent' && rosa.value.chain, {
    startedBy: 'rosa',
    delegation: [],
  });
  // who started a workflow is in another claim, and may be a number
  const actor = { claim: 'actor_id', ids: new Map([['77', asPersonId('sam')]]) };
  const run = await of({ sub: 'svc:bot', actor_id: 77 }, { more: { people: actor } });
  assert.deepEqual(run.ok && run.value.kind === 'agent' && run.value.chain, {
    startedBy: 'sam',
    delegation: [],
  });
  assert.equal(
    why(await of({ sub: 'svc:bot', actor_id: '78' }, { more: { people: actor } })),
    'unknown_subject',
  );
  // configuration and account that name two people name nobody
  const two = { claim: 'sub', ids: new Map([['acc-rosa', asPersonId('sam')]]) };
  assert.equal(why(await of({ sub: 'acc-rosa', ...client }, { more: { people: two } })), 'unknown_subject');
});

test('what a caller is told names no claim, key, agent or person', async () => {
  const answers = [await of({ sub: 'svc:secret-name' }), await of({ sub: 'svc:bot', aud: 'secret-name' })];
  for (const answer of answers) {
    assert.ok(!answer.ok);
    assert.doesNotMatch(JSON.stringify(answer.error), /secret-name|svc:|helper|rosa/);
  }
});
