/** Signing in with a real provider: the main path, how it is asked, and what is said where it is down, slow or broken. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { providerMs } from '../../src/identity/oidc.ts';
import { callbackPath } from '../../src/identity/oidc-sign-in.ts';
import type { Twist } from './support/provider.ts';
import { startPeopleGate, type PeopleGate } from './support/people-gate.ts';

let at: PeopleGate;
before(async () => {
  at = await startPeopleGate();
  at.provider.accounts.set('rosa-1', { name: 'Rosa', email: 'rosa@acme.test', emailVerified: true });
});
after(() => at.close());
beforeEach(() => {
  at.provider.twist = {};
});

test('the gate started without asking its provider anything', () => {
  assert.deepEqual(at.provider.asked, []);
});

describe('a provider that is not there', () => {
  let fresh: PeopleGate;
  before(async () => {
    fresh = await startPeopleGate();
  });
  after(() => fresh.close());
  const metadata = '/.well-known/openid-configuration';
  const broken: readonly (readonly [string, NonNullable<Twist['fails']>])[] = [
    ['hangs up', { path: metadata, how: 'hang up' }],
    ['has an error of its own', { path: metadata, how: { status: 500, text: 'oops' } }],
    ['is overloaded', { path: metadata, how: { status: 503, text: '{}' } }],
    ['sends what is no JSON', { path: metadata, how: { status: 200, text: '<html>' } }],
    [
      'says that it is another',
      { path: metadata, how: { status: 200, text: '{"issuer":"https://evil.example"}' } },
    ],
    [
      'sends more than is read',
      { path: metadata, how: { status: 200, text: `{"a":"${'x'.repeat(2_000_000)}"}` } },
    ],
  ];
  for (const [name, fails] of broken)
    test(`${name}: a page says so, and the next who asks is not told the same`, async () => {
      // What it says of itself is believed for an hour: asked of a gate that knows nothing yet.
      await fresh.gate.restart();
      fresh.provider.twist = { fails };
      const browser = fresh.browser();
      const answer = await browser.post('/sign-in', { provider: 'corp' });
      assert.ok(answer.status === 502 || answer.status === 401, `${answer.status}`);
      assert.match(answer.text, /Acme login/);
      assert.doesNotMatch(answer.text, /evil|oops|xxxx|127\.0\.0\.1/);
      fresh.provider.twist = {};
      assert.match(await browser.begin(), /^http:\/\/127/);
    });

  test(`does not answer: after ${providerMs / 1000} seconds`, async () => {
    // Each gate asks for what a provider is once an hour; the tokens are asked for each time.
    at.provider.twist = { fails: { path: '/token', how: 'never' } };
    const browser = at.browser();
    const answer = await browser.signIn('rosa-1');
    assert.equal(answer.status, 502);
    assert.match(answer.text, /Acme login does not answer/);
    assert.equal(await browser.who(), null);
  });

  test('fails when the code is brought: nobody is signed in, and the words are ours', async () => {
    for (const [how, status] of [
      ['hang up', 502],
      [{ status: 500, text: '{"error":"server_error","error_description":"SECRET words"}' }, 502],
      [{ status: 400, text: '{"error":"invalid_client","error_description":"SECRET words"}' }, 401],
      [{ status: 200, text: '{}' }, 401],
      [{ status: 302, text: '' }, 502],
    ] as const) {
      at.provider.twist = { fails: { path: '/token', how } };
      const browser = at.browser();
      const answer = await browser.signIn('rosa-1');
      assert.equal(answer.status, status, answer.text);
      assert.doesNotMatch(answer.text, /SECRET/);
      assert.equal(await browser.who(), null);
    }
  });

  test('says no: so does the page, with its code and not its words', async () => {
    at.provider.twist = {
      back: (url) => {
        url.searchParams.delete('code');
        url.searchParams.set('error', 'access_denied');
        url.searchParams.set('error_description', 'SECRET <b>words</b>');
      },
    };
    const answer = await at.browser().signIn('rosa-1');
    assert.equal(answer.status, 401);
    assert.match(answer.text, /access_denied/);
    assert.doesNotMatch(answer.text, /SECRET/);
  });

  test('is none of ours: nothing is begun', async () => {
    assert.equal((await at.browser().post('/sign-in', { provider: '__proto__' })).status, 404);
    assert.equal((await at.browser().post('/sign-in', { provider: 'nobody' })).status, 404);
  });
});

test('an account is linked by whoever is signed in, and signs them in from then on', async () => {
  const browser = at.browser();
  assert.equal((await browser.byLink('rosa')).status, 303);
  const linked = await browser.link('rosa-1');
  assert.deepEqual([linked.status, linked.headers.get('location')], [303, '/account'], linked.text);
  const another = at.browser();
  const back = await another.signIn('rosa-1');
  assert.deepEqual([back.status, back.headers.get('location')], [303, '/inbox'], back.text);
  assert.equal(await another.who(), 'rosa');
  assert.deepEqual(
    (await at.entries('account.linked')).map(({ data }) => [data['person'], data['account'], data['how']]),
    [['rosa', { kind: 'oidc', issuer: at.provider.issuer, subject: 'rosa-1' }, 'sign-in']],
  );
});

test('what is asked: a code, bound by PKCE, state and nonce, with a time, to the one redirect URI', async () => {
  const browser = at.browser();
  const [one, two] = [new URL(await browser.begin()), new URL(await browser.begin())];
  const of = (name: string): string => one.searchParams.get(name) ?? '';
  assert.equal(of('response_type'), 'code');
  assert.equal(of('redirect_uri'), `${at.origin}${callbackPath}`);
  assert.equal(of('code_challenge_method'), 'S256');
  assert.equal(of('max_age'), '43200');
  assert.equal(of('scope'), 'openid profile email');
  assert.equal(one.searchParams.has('client_secret'), false);
  for (const name of ['state', 'nonce', 'code_challenge'])
    assert.ok(of(name).length >= 43 && of(name) !== two.searchParams.get(name), name);
  const again = new URL(await browser.begin('corp', '/account', { anew: 'yes' }));
  assert.deepEqual([again.searchParams.get('prompt'), again.searchParams.get('max_age')], ['login', '300']);
});

test('what is begun is kept without what would finish it', async () => {
  const browser = at.browser();
  const to = new URL(await browser.begin());
  const cookie = browser.jar.get('countersign_begun') ?? '';
  assert.match(cookie, /^cs_begun_/);
  const { sha256Hex } = await import('../../src/core/sha256.ts');
  const state = to.searchParams.get('state') ?? '';
  const row = await at.gate.gate().parts.store.begun(sha256Hex(`countersign.oidc.v1\0${state}`));
  const text = JSON.stringify(row);
  assert.match(text, /"provider\\":\\"corp/);
  for (const secret of [state, cookie, to.searchParams.get('nonce') ?? '']) assert.ok(!text.includes(secret));
});

test('the sign-in page names the providers, escaped, and says what links are for', async () => {
  const { text } = await at.browser().get('/sign-in');
  assert.match(text, /Continue with Acme login/);
  assert.match(text, /first set-up/);
});

describe('where one-time links are switched off', () => {
  let off: PeopleGate;
  before(async () => {
    off = await startPeopleGate({ config: 'signInLinks: false\n' });
  });
  after(() => off.close());

  test('they do nothing, and the page offers none', async () => {
    const browser = off.browser();
    const answer = await browser.byLink('rosa');
    assert.equal(answer.status, 403);
    assert.match(answer.text, /switched off/);
    assert.equal(await browser.who(), null);
    assert.doesNotMatch((await browser.get('/sign-in')).text, /name="token"/);
    const who = await fetch(`${off.origin}/sign-in/who`, {
      method: 'POST',
      headers: { origin: off.origin, 'content-type': 'application/json' },
      body: JSON.stringify({ token: `cs_link_${'A'.repeat(43)}` }),
    });
    assert.equal(who.status, 403);
  });
});
