/**
 * Signing in as somebody else, or approving too soon: answers of a provider that were stolen, moved, forged or made old, accounts
 * that are not one's own, addresses, claimed groups. The provider is a real one; its front does what an attacker would.
 */
import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { after, before, beforeEach, describe, test } from 'node:test';
import { exportSPKI, generateKeyPair, importJWK, SignJWT, type JWTPayload } from 'jose';
import { clientSecret, type Twist } from '../identity/support/provider.ts';
import {
  startPeopleGate,
  type Answer,
  type PeopleGate,
  type TestBrowser,
} from '../identity/support/people-gate.ts';

let at: PeopleGate;
before(async () => {
  at = await startPeopleGate();
  const { accounts } = at.provider;
  for (const id of ['rosa-1', 'rosa-2', 'mia-1', 'stranger', 'mallory']) accounts.set(id, {});
  at.other.accounts.set('rosa-other', {});
  for (const [person, account] of [
    ['rosa', 'rosa-1'],
    ['mia', 'mia-1'],
    ['eve', 'mallory'],
  ] as const) {
    const browser = at.browser();
    await browser.byLink(person);
    const linked = await browser.link(account);
    assert.equal(linked.status, 303, linked.text);
  }
});
after(() => at.close());
beforeEach(() => {
  at.provider.twist = {};
  at.other.twist = {};
});

/** Not signed in, said on a page, nothing of the answer repeated. */
async function refused(browser: TestBrowser, answer: Answer, status = 401): Promise<void> {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.text, /Not signed in/);
  assert.equal(await browser.who(), null);
}

const lastWhy = async (): Promise<unknown> => (await at.entries('account.refused')).at(-1)?.data['why'];

describe('an answer that is not for this browser', () => {
  test('a callback is finished once', async () => {
    const browser = at.browser();
    const back = await at.provider.visit(await browser.begin(), 'rosa-1');
    assert.equal((await browser.back(back)).status, 303);
    assert.equal(await browser.who(), 'rosa');
    const again = at.browser();
    for (const [name, value] of browser.jar) again.jar.set(name, value);
    again.jar.delete('countersign_session');
    await refused(again, await again.back(back));
  });

  test('a code that was used is refused by the provider, and so is a stolen one in a request of one’s own', async () => {
    const victim = at.browser();
    const stolen = await at.provider.visit(await victim.begin(), 'rosa-1');
    const attacker = at.browser();
    const own = new URL(await attacker.begin());
    const back = new URL(stolen);
    back.searchParams.set('state', own.searchParams.get('state') ?? '');
    await refused(attacker, await attacker.back(back));
    assert.equal(await lastWhy(), 'invalid_grant', 'PKCE: the code belongs to another verifier');
    assert.equal(
      (await victim.back(stolen)).status,
      303,
      'what the thief tried used nothing of the victim’s up',
    );
    // Spent now: a third browser of the victim's own finds it used at the provider.
    const third = new URL(await victim.begin());
    const again = new URL(stolen);
    again.searchParams.set('state', third.searchParams.get('state') ?? '');
    assert.equal((await victim.back(again)).status, 401);
  });

  test('another state, none, or two', async () => {
    for (const change of [
      (url: URL) => url.searchParams.set('state', 'x'.repeat(43)),
      (url: URL) => url.searchParams.delete('state'),
      (url: URL) => url.searchParams.append('state', url.searchParams.get('state') ?? ''),
      (url: URL) => url.searchParams.set('state', ''),
    ]) {
      const browser = at.browser();
      const back = await at.provider.visit(await browser.begin(), 'rosa-1');
      change(back);
      await refused(browser, await browser.back(back));
    }
  });

  test('the state of another browser signs nobody in (login CSRF), begun there or not', async () => {
    const attacker = at.browser();
    const back = await at.provider.visit(await attacker.begin(), 'mallory');
    const victim = at.browser();
    await refused(victim, await victim.back(back));
    await victim.begin();
    await refused(victim, await victim.back(back));
    assert.equal((await attacker.back(back)).status, 303, 'what another browser tried used nothing up');
  });

  test('two cookies of that name are none', async () => {
    const browser = at.browser();
    const back = await at.provider.visit(await browser.begin(), 'rosa-1');
    browser.jar.set(' countersign_begun', 'cs_begun_' + 'A'.repeat(43));
    await refused(browser, await browser.back(back));
  });

  test('following the link back changes nothing: GET and HEAD are inert', async () => {
    const browser = at.browser();
    const back = await at.provider.visit(await browser.begin(), 'rosa-1');
    const were = (await at.entries()).length;
    const answer = await browser.get(back.pathname + back.search);
    assert.equal(answer.status, 200);
    assert.doesNotMatch(answer.text, new RegExp(back.searchParams.get('code') ?? 'none'));
    assert.equal(await browser.who(), null);
    assert.equal((await at.entries()).length, were);
    assert.equal((await browser.back(back)).status, 303, 'it was not used up');
  });

  test('a page of another site can neither begin nor finish', async () => {
    const browser = at.browser();
    const origin = 'https://evil.example';
    assert.equal((await browser.post('/sign-in', { provider: 'corp' }, { origin })).status, 403);
    const back = await at.provider.visit(await browser.begin(), 'rosa-1');
    await refused(browser, await browser.post(back.pathname + back.search, {}, { origin }), 403);
    const { jar } = browser;
    assert.equal(jar.has('countersign_session'), false);
  });
});

describe('an answer of another provider (mix-up, RFC 9207)', () => {
  for (const [name, back] of [
    ['the issuer of another', (url: URL) => url.searchParams.set('iss', at.other.issuer)],
    ['no issuer, where the provider says that it names itself', (url: URL) => url.searchParams.delete('iss')],
    ['two issuers', (url: URL) => url.searchParams.append('iss', at.other.issuer)],
  ] as const)
    test(name, async () => {
      const browser = at.browser();
      at.provider.twist = { back };
      await refused(browser, await browser.signIn('rosa-1'));
    });

  test('a code of one provider under the state of the other', async () => {
    const browser = at.browser();
    const other = await at.other.visit(await browser.begin('other'), 'rosa-other');
    const corp = new URL(await browser.begin('corp'));
    other.searchParams.set('state', corp.searchParams.get('state') ?? '');
    await refused(browser, await browser.back(other));
  });

  test('the same subject at another provider is another account', async () => {
    at.other.accounts.set('rosa-1', {});
    const browser = at.browser();
    await refused(browser, await browser.signIn('rosa-1', 'other'));
    assert.equal(await lastWhy(), 'unknown');
  });
});

const now = (): number => Math.floor(Date.now() / 1000);
const sameBut = (more: JWTPayload) => ({
  claims: (claims: JWTPayload): JWTPayload => ({ ...claims, ...more }),
});
const without = (name: string) => ({
  claims: (claims: JWTPayload): JWTPayload =>
    Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name)),
});
const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const hmac = (claims: JWTPayload, key: string, kid?: string): Promise<string> =>
  new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', ...(kid === undefined ? {} : { kid }) })
    .sign(new TextEncoder().encode(key.padEnd(32, '\0')));

describe('ID tokens that the provider did not mean', () => {
  const forged: readonly (readonly [name: string, twist: () => Twist | Promise<Twist>])[] = [
    ['another nonce', () => sameBut({ nonce: 'another' })],
    ['no nonce', () => without('nonce')],
    ['another issuer', () => sameBut({ iss: at.other.issuer })],
    ['another audience', () => sameBut({ aud: 'somebody-else' })],
    [
      'several audiences and another authorized party',
      () => sameBut({ aud: ['countersign', 'x'], azp: 'x' }),
    ],
    ['expired', () => sameBut({ exp: now() - 3600, iat: now() - 7200 })],
    ['no expiry', () => without('exp')],
    ['an authentication of long ago', () => sameBut({ auth_time: now() - 13 * 3600 })],
    ['no word of when', () => without('auth_time')],
    ['a time that is no number', () => sameBut({ auth_time: String(now()) })],
    ['no subject', () => without('sub')],
    ['no signature', () => ({ idToken: (claims) => `${base64({ alg: 'none' })}.${base64(claims)}.` })],
    ['a signature by the shared secret', () => ({ idToken: (claims) => hmac(claims, clientSecret) })],
    [
      'a signature by the public key as a secret',
      () => ({
        idToken: async (claims) => {
          const key = createPublicKey({ key: at.provider.keys.own, format: 'jwk' });
          return hmac(claims, String(key.export({ type: 'spki', format: 'pem' })), at.provider.keys.kid);
        },
      }),
    ],
    [
      'a signature by another key of the same name',
      async () => {
        const { privateKey } = await generateKeyPair('RS256');
        return {
          idToken: (claims) =>
            new SignJWT(claims)
              .setProtectedHeader({ alg: 'RS256', kid: at.provider.keys.kid })
              .sign(privateKey),
        };
      },
    ],
    [
      'a key that the token brings along',
      async () => {
        const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
        assert.ok((await exportSPKI(publicKey)).length > 0);
        const jwk = await import('jose').then(({ exportJWK }) => exportJWK(publicKey));
        return {
          idToken: (claims) => new SignJWT(claims).setProtectedHeader({ alg: 'ES256', jwk }).sign(privateKey),
        };
      },
    ],
    [
      'claims changed under the signature',
      () => ({
        idToken: (claims, own) => {
          const [header = '', , signature = ''] = own.split('.');
          return `${header}.${base64({ ...claims, sub: 'mia-1' })}.${signature}`;
        },
      }),
    ],
  ];
  for (const [name, twist] of forged)
    test(name, async () => {
      at.provider.twist = await twist();
      const browser = at.browser();
      await refused(browser, await browser.signIn('rosa-1'));
      assert.notEqual(await lastWhy(), 'unknown');
    });

  test('and the same claims, signed by the provider’s own key, sign in: the attacks above fail for their own reason', async () => {
    assert.ok(await importJWK(at.provider.keys.own, 'RS256'));
    at.provider.twist = sameBut({});
    const browser = at.browser();
    assert.equal((await browser.signIn('rosa-1')).status, 303);
    assert.equal(await browser.who(), 'rosa');
  });
});

describe('accounts that are not one’s own', () => {
  test('an account that nobody has signs nobody in, and is told how to be linked', async () => {
    const browser = at.browser();
    const answer = await browser.signIn('stranger');
    await refused(browser, answer);
    assert.match(answer.text, /Your account/);
  });

  test('a verified address means nothing where nobody said so', async () => {
    at.provider.accounts.set('by-mail', { email: 'rosa@acme.test', emailVerified: true });
    const browser = at.browser();
    await refused(browser, await browser.signIn('by-mail'));
    assert.equal(await lastWhy(), 'unknown');
  });

  test('an account of another person is not linked, and not said whose it is', async () => {
    const browser = at.browser();
    await browser.byLink('eve');
    const answer = await browser.link('rosa-1');
    assert.equal(answer.status, 403);
    assert.doesNotMatch(answer.text, /rosa|Rosa/);
    assert.equal(await lastWhy(), 'of another person');
    assert.equal(await browser.who(), 'eve');
  });

  test('a begun link is finished by the person who began it, in the session of that person only', async () => {
    const browser = at.browser();
    await browser.byLink('eve');
    const page = await browser.form('/sign-in/link', { provider: 'corp' });
    const to = /id="onward"[^>]* href="([^"]+)"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const back = await at.provider.visit(to, 'stranger');
    await browser.byLink('mia');
    const answer = await browser.back(back);
    assert.equal(answer.status, 401, answer.text);
    assert.deepEqual(
      await at.gate
        .gate()
        .parts.store.account({ kind: 'oidc', issuer: at.provider.issuer, subject: 'stranger' }),
      undefined,
    );
  });

  test('linking without the session’s token, or from another site, begins nothing', async () => {
    const browser = at.browser();
    await browser.byLink('eve');
    assert.equal((await browser.post('/sign-in/link', { provider: 'corp' })).status, 403);
    assert.equal(
      (await browser.post('/sign-in/link', { provider: 'corp', csrf: 'f'.repeat(64) })).status,
      403,
    );
    assert.equal((await at.browser().post('/sign-in/link', { provider: 'corp' })).status, 401);
  });

  test('an account that was taken away stays with its person, and opens nothing', async () => {
    at.provider.accounts.set('sam-1', {});
    const sam = at.browser();
    await sam.byLink('sam');
    assert.equal((await sam.link('sam-1')).status, 303);
    const signedIn = at.browser();
    assert.equal((await signedIn.signIn('sam-1')).status, 303);
    const key = { kind: 'oidc', issuer: at.provider.issuer, subject: 'sam-1' } as const;
    assert.equal((await sam.form('/account/unlink', { ...key, sure: 'yes' })).status, 303);
    assert.equal(await signedIn.who(), null, 'its sessions ended with it');
    const later = at.browser();
    await refused(later, await later.signIn('sam-1'));
    const eve = at.browser();
    await eve.byLink('eve');
    assert.equal((await eve.link('sam-1')).status, 403, 'nobody else gets it');
    assert.equal((await at.gate.gate().parts.store.account(key))?.person, 'sam');
  });

  test('nobody takes away what is not theirs', async () => {
    const eve = at.browser();
    await eve.byLink('eve');
    const answer = await eve.form('/account/unlink', {
      kind: 'oidc',
      issuer: at.provider.issuer,
      subject: 'rosa-1',
      sure: 'yes',
    });
    assert.equal(answer.status, 404);
    const rosa = at.browser();
    assert.equal((await rosa.signIn('rosa-1')).status, 303);
  });
});

test('no token, code, state or secret is in the log, and no entry of a refusal says more than its reason', async () => {
  const text = JSON.stringify(await at.entries());
  assert.ok((await at.entries('account.refused')).length > 5);
  assert.doesNotMatch(text, /eyJ|cs_(?:begun|session|link)_|code_verifier/);
  assert.ok(!text.includes(clientSecret));
});
