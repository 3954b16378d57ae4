/**
 * Accounts of chats that come with a sign-in: Entra and Slack keep both, and say so in one ID token. The providers are played by
 * this test behind `fetch`, under the very issuers that the gate believes this of, because no other issuer is believed.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { chatAccountOf } from '../../src/identity/chat-accounts.ts';
import { callbackPath } from '../../src/identity/oidc-sign-in.ts';
import { asPersonId } from '../../src/core/ids.ts';
import type { Entry } from '../../src/core/entry.ts';
import { operations, startTestGate, type TestGate } from '../support/gate.ts';
import { browserAt, people, type Answer, type TestBrowser } from './support/people-gate.ts';

const tid = '6babcaad-604b-40ac-a9d7-9fd97c0b779f';
const oid = '11111111-2222-4333-8444-555555555555';
const entra = `https://login.microsoftonline.com/${tid}/v2.0`;
const slack = 'https://slack.com';
const slackClaims = { 'https://slack.com/team_id': 'T0123ABC', 'https://slack.com/user_id': 'U456DEF' };

describe('what an ID token says of a chat', () => {
  test('Entra: the account of the same directory, in lower case, in each of its clouds', () => {
    const teams = { kind: 'teams', issuer: tid, subject: oid };
    for (const host of [
      'login.microsoftonline.com',
      'login.microsoftonline.us',
      'login.partner.microsoftonline.cn',
    ])
      assert.deepEqual(chatAccountOf(`https://${host}/${tid}/v2.0`, { tid, oid }), teams, host);
    assert.deepEqual(chatAccountOf(entra, { tid: tid.toUpperCase(), oid: oid.toUpperCase() }), teams);
    assert.deepEqual(chatAccountOf(entra.replace(tid, tid.toUpperCase()), { tid, oid }), teams);
  });

  test('Slack: by the enterprise where the account belongs to one, else by the workspace', () => {
    assert.deepEqual(chatAccountOf(slack, slackClaims), {
      kind: 'slack',
      issuer: 'T0123ABC',
      subject: 'U456DEF',
    });
    const grid = { ...slackClaims, 'https://slack.com/enterprise_id': 'E789' };
    assert.deepEqual(chatAccountOf(slack, grid), { kind: 'slack', issuer: 'E789', subject: 'U456DEF' });
  });

  test('no other issuer is believed, however near its name is, whatever it claims', () => {
    const all = { tid, oid, ...slackClaims };
    for (const issuer of [
      'https://login.evil.test',
      `https://login.microsoftonline.com.evil.test/${tid}/v2.0`,
      `https://evil.test/login.microsoftonline.com/${tid}/v2.0`,
      `https://login.microsoftonline.com@evil.test/${tid}/v2.0`,
      `https://loginXmicrosoftonline.com/${tid}/v2.0`,
      `http://login.microsoftonline.com/${tid}/v2.0`,
      `https://login.microsoftonline.com/${tid}/v2.0/`,
      `https://login.microsoftonline.com/${tid}`,
      `https://sts.windows.net/${tid}/`,
      'https://login.microsoftonline.com/common/v2.0',
      'https://login.microsoftonline.com/{tenantid}/v2.0',
      `${entra}\n`,
      'https://slack.com/',
      'https://acme.slack.com',
      'https://slack.com.evil.test',
      'http://slack.com',
      'https://slack-gov.com',
      '',
    ])
      assert.equal(chatAccountOf(issuer, all), null, issuer);
  });

  test('a claim of another directory, a missing one, one of another form', () => {
    const other = '00000000-0000-4000-8000-000000000000';
    for (const claims of [
      { tid: other, oid },
      { oid },
      { tid },
      { tid, oid: '' },
      { tid, oid: `${oid}x` },
      { tid, oid: ` ${oid}` },
      { tid, oid: 7 },
      { tid: [tid], oid },
      { tid, oid: [oid] },
      Object.create({ tid, oid }) as Record<string, unknown>,
      slackClaims,
    ])
      assert.equal(chatAccountOf(entra, claims), null, JSON.stringify(claims));
    for (const claims of [
      { tid, oid },
      { ...slackClaims, 'https://slack.com/team_id': 'E0123' },
      { ...slackClaims, 'https://slack.com/team_id': 't0123' },
      { ...slackClaims, 'https://slack.com/user_id': 'U1 U2' },
      { ...slackClaims, 'https://slack.com/user_id': 'B0T' },
      { ...slackClaims, 'https://slack.com/user_id': ['U456DEF'] },
      { ...slackClaims, 'https://slack.com/enterprise_id': 'T999' },
      { 'https://slack.com/team_id': 'T1', sub: 'U1' },
    ])
      assert.equal(chatAccountOf(slack, claims), null, JSON.stringify(claims));
  });
});

/** What the token endpoint of an issuer claims next. */
const claims = new Map<string, Record<string, unknown>>();
const key: { privateKey?: CryptoKey; jwk?: JWK } = {};
const realFetch = globalThis.fetch;
let gate: TestGate;

/** An OpenID provider of any issuer, in a few lines. */
async function played(issuer: string, url: URL, init: RequestInit): Promise<Response> {
  const json = (body: object): Response => Response.json(body);
  if (url.pathname.endsWith('/.well-known/openid-configuration'))
    return json({
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/keys`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    });
  if (url.pathname.endsWith('/keys')) return json({ keys: [key.jwk] });
  const nowSec = Math.floor(Date.now() / 1000);
  const body = new URLSearchParams(await new Response(init.body ?? null).text());
  assert.ok(key.privateKey !== undefined);
  // The code is the nonce: this provider knows nobody.
  const idToken = await new SignJWT({
    nonce: body.get('code'),
    auth_time: nowSec,
    ...claims.get(issuer),
  })
    .setProtectedHeader({ alg: 'RS256', kid: 'k' })
    .setIssuer(issuer)
    .setAudience('gate')
    .setIssuedAt(nowSec)
    .setExpirationTime(nowSec + 300)
    .sign(key.privateKey);
  return json({ access_token: 'a', token_type: 'Bearer', id_token: idToken });
}

const issuers: readonly string[] = [entra, slack, 'https://login.other.test'];
before(async () => {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  key.privateKey = privateKey;
  key.jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256', use: 'sig' };
  globalThis.fetch = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const issuer = issuers.find((one) => url.href.startsWith(`${one}/`));
    return issuer === undefined ? realFetch(input, init) : played(issuer, url, init ?? {});
  };
  const providers = [
    ['entra', entra],
    ['slack', slack],
    ['other', 'https://login.other.test'],
  ].map(
    ([id, issuer]) =>
      `  - { id: ${id}, name: ${id}, issuer: '${issuer}', clientId: gate, clientSecret: s }\n`,
  );
  gate = await startTestGate({ config: `${people}${operations}\nproviders:\n${providers.join('')}` });
});
after(async () => {
  globalThis.fetch = realFetch;
  await gate.stop();
});

/** Signs in, or links where `purpose` says so. */
async function through(
  browser: TestBrowser,
  provider: 'entra' | 'slack' | 'other',
  said: Record<string, unknown>,
  purpose: 'signIn' | 'link' = 'signIn',
): Promise<Answer> {
  const issuer = { entra, slack, other: 'https://login.other.test' }[provider];
  claims.set(issuer, said);
  const begun =
    purpose === 'link'
      ? await browser.form('/sign-in/link', { provider })
      : await browser.post('/sign-in', { provider });
  const href = /id="onward"[^>]* href="([^"]+)"/.exec(begun.text)?.[1];
  assert.ok(href !== undefined, begun.text);
  const to = new URL(href.replaceAll('&amp;', '&'));
  const back = new URL(`${gate.gate().origin}${callbackPath}`);
  back.searchParams.set('state', to.searchParams.get('state') ?? '');
  back.searchParams.set('code', to.searchParams.get('nonce') ?? '');
  return browser.back(back);
}

const fresh = async (person: string): Promise<TestBrowser> => {
  const browser = browserAt(gate, {});
  assert.equal((await browser.byLink(person)).status, 303);
  return browser;
};
const signIn = async (
  ...of: [Parameters<typeof through>[1], Parameters<typeof through>[2]]
): Promise<string | null> => {
  const browser = browserAt(gate, {});
  const answer = await through(browser, ...of);
  assert.equal(answer.status, 303, answer.text);
  return browser.who();
};
const accounts = async (person: string) =>
  (await gate.gate().parts.store.accountsOf(asPersonId(person))).map(
    ({ kind, issuer, subject, countsFromMs }) => ({ kind, issuer, subject, countsFromMs }),
  );
const chats = async (person: string) => (await accounts(person)).filter((one) => one.kind !== 'oidc');
const entries = async (type: Entry['type']): Promise<readonly Entry[]> =>
  (await gate.gate().parts.store.entries(-1, 1000))
    .map((one) => one.entry)
    .filter((one) => one.type === type);

describe('a sign-in', () => {
  test('with Entra attaches the Teams account, once, which counts when the account that vouches for it does', async () => {
    const said = { sub: 'rosa-entra', tid, oid: oid.toUpperCase(), name: 'Rosa' };
    assert.equal((await through(await fresh('rosa'), 'entra', said, 'link')).status, 303);
    assert.deepEqual(await chats('rosa'), [], 'linking is not signing in');
    const were = (await entries('account.linked')).length;
    for (let times = 0; times < 2; times += 1) assert.equal(await signIn('entra', said), 'rosa');
    const all = await accounts('rosa');
    const [own] = all.filter((one) => one.kind === 'oidc');
    assert.deepEqual(
      all.filter((one) => one.kind === 'teams'),
      [{ kind: 'teams', issuer: tid, subject: oid, countsFromMs: own?.countsFromMs }],
    );
    const linked = (await entries('account.linked')).slice(were);
    assert.deepEqual(
      linked.map(({ by, data }) => [by, data['how'], data['person'], data['with']]),
      [[{ kind: 'gate' }, 'with a sign-in', 'rosa', { kind: 'oidc', issuer: entra, subject: 'rosa-entra' }]],
    );
    const browser = browserAt(gate, {});
    await through(browser, 'entra', said);
    assert.match((await browser.get('/account')).text, /The account Rosa \(6babcaad-.*\) was linked to you/);
  });

  test('with Slack attaches the Slack account; a second account that cools off vouches for none that counts', async () => {
    const said = { sub: 'U456DEF', ...slackClaims };
    assert.equal((await through(await fresh('rosa'), 'slack', said, 'link')).status, 303);
    assert.equal(await signIn('slack', said), 'rosa');
    const [slackOwn] = (await accounts('rosa')).filter((one) => one.issuer === slack);
    const [chat] = (await chats('rosa')).filter((one) => one.kind === 'slack');
    assert.deepEqual([chat?.issuer, chat?.subject], ['T0123ABC', 'U456DEF']);
    assert.equal(chat?.countsFromMs, slackOwn?.countsFromMs);
    assert.ok((chat?.countsFromMs ?? 0) > gate.gate().parts.clock.nowMs(), 'it cools off with it');
  });

  test('with any other provider attaches nothing, whatever that claims', async () => {
    const said = { sub: 'mia-other', tid, oid, ...slackClaims, iss_: entra };
    assert.equal((await through(await fresh('mia'), 'other', said, 'link')).status, 303);
    assert.equal(await signIn('other', said), 'mia');
    assert.deepEqual(await chats('mia'), []);
  });

  test('with Entra that claims another directory attaches nothing, and signs in', async () => {
    const said = { sub: 'ben-entra', tid: '00000000-0000-4000-8000-000000000000', oid };
    assert.equal((await through(await fresh('ben'), 'entra', said, 'link')).status, 303);
    assert.equal(await signIn('entra', said), 'ben');
    assert.deepEqual(await chats('ben'), []);
  });

  test('that claims somebody else’s account signs in, takes nothing, and is told to the log', async () => {
    const hers = await chats('rosa');
    const said = { sub: 'eve-entra', tid, oid };
    assert.equal((await through(await fresh('eve'), 'entra', said, 'link')).status, 303);
    const were = (await entries('account.refused')).length;
    assert.equal(await signIn('entra', said), 'eve');
    assert.deepEqual(await chats('eve'), []);
    assert.deepEqual(await chats('rosa'), hers);
    const [refused, ...more] = (await entries('account.refused')).slice(were);
    assert.deepEqual(more, []);
    assert.deepEqual(
      [refused?.data['person'], refused?.data['why'], refused?.data['account']],
      ['eve', 'of another person', { kind: 'teams', issuer: tid, subject: oid }],
    );
  });

  test('does not bring back what its person has taken away', async () => {
    const said = { sub: 'zoe-entra', tid, oid: oid.replace('1111', 'aaaa') };
    const zoe = await fresh('zoe');
    assert.equal((await through(zoe, 'entra', said, 'link')).status, 303);
    assert.equal(await signIn('entra', said), 'zoe');
    const [chat] = await chats('zoe');
    assert.ok(chat !== undefined);
    const { kind, issuer, subject } = chat;
    assert.equal((await zoe.form('/account/unlink', { kind, issuer, subject, sure: 'yes' })).status, 303);
    assert.equal(await signIn('entra', said), 'zoe');
    const row = await gate.gate().parts.store.account({ kind, issuer, subject });
    assert.ok(row?.endedAtMs != null);
  });

  test('that nobody is attached to attaches nothing', async () => {
    const said = { sub: 'stranger', tid, oid: oid.replace('1111', 'bbbb') };
    const answer = await through(browserAt(gate, {}), 'entra', said);
    assert.equal(answer.status, 401);
    const account = { kind: 'teams', issuer: tid, subject: said.oid } as const;
    assert.equal(await gate.gate().parts.store.account(account), undefined);
  });
});
