/** Sessions: put there by somebody else, ridden on from another site, framed, kept too long, taken over; and where `next` leads. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { asPersonId } from '../../src/core/ids.ts';
import { startPeopleGate, type PeopleGate, type TestBrowser } from '../identity/support/people-gate.ts';

const minuteMs = 60_000;
/** Only ever more: the time of a log never runs backwards. */
let skewMs = 0;
const clock = { nowMs: () => Date.now() + skewMs };
let at: PeopleGate;
before(async () => {
  at = await startPeopleGate({ clock, config: 'sessions: { idle: PT30M, absolute: PT2H }\n' });
  at.provider.accounts.set('rosa-1', {});
  const browser = at.browser();
  await browser.byLink('rosa');
  assert.equal((await browser.link('rosa-1')).status, 303);
});
after(() => at.close());

const cookieName = 'countersign_session';
/** As a person who follows a link: `fetch` says of itself that it is a script. */
const navigates = (browser: TestBrowser, path: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const cookie = [...browser.jar].map(([name, value]) => `${name}=${value}`).join('; ');
    request(new URL(path, at.origin), { headers: { cookie, 'sec-fetch-mode': 'navigate' } }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
    })
      .once('error', reject)
      .end();
  });
const signedIn = async (person = 'rosa'): Promise<TestBrowser> => {
  const browser = at.browser();
  assert.equal((await browser.byLink(person)).status, 303);
  assert.equal(await browser.who(), person);
  return browser;
};

describe('a session that somebody else put there', () => {
  test('is never the one that signing in opens, and is ended by it (fixation)', async () => {
    for (const signIn of [
      (browser: TestBrowser) => browser.byLink('mia'),
      (browser: TestBrowser) => browser.signIn('rosa-1'),
    ]) {
      const attacker = await signedIn('eve');
      const planted = attacker.jar.get(cookieName) ?? '';
      const victim = at.browser();
      victim.jar.set(cookieName, planted);
      assert.equal((await signIn(victim)).status, 303);
      assert.notEqual(victim.jar.get(cookieName), planted);
      assert.equal(await attacker.who(), null);
      // One that the gate never made is not taken over either.
      const made = `cs_session_${'A'.repeat(43)}`;
      const other = at.browser();
      other.jar.set(cookieName, made);
      assert.equal((await signIn(other)).status, 303);
      assert.notEqual(other.jar.get(cookieName), made);
    }
  });

  test('two cookies of the name are no session, whichever comes first', async () => {
    const [own, planted] = [await signedIn(), await signedIn('eve')].map(
      (one) => one.jar.get(cookieName) ?? '',
    );
    for (const cookie of [
      `${cookieName}=${own}; ${cookieName}=${planted}`,
      `${cookieName}=${planted}; ${cookieName}=${own}`,
    ]) {
      const answer = await fetch(`${at.origin}/sign-in/session`, { headers: { cookie } });
      assert.equal(answer.status, 401);
    }
  });
});

/** Everything on the account's page, and what a stolen session would be used for. */
const forms = [
  '/account/unlink',
  '/account/confirm',
  '/account/confirm-group',
  '/account/session-end',
  '/account/notes',
  '/account/code',
  '/account/code-confirm',
  '/sign-in/link',
  '/sign-out',
] as const;

describe('a form of another site', () => {
  const entriesNow = async (): Promise<number> => (await at.entries()).length;

  for (const path of forms)
    test(`${path}: without the session’s token, with another’s, from elsewhere, of another type`, async () => {
      const browser = await signedIn('sam');
      const other = await signedIn('eve');
      const csrfOf = async (one: TestBrowser): Promise<string> =>
        /name="csrf" value="([0-9a-f]{64})"/.exec((await one.get('/account')).text)?.[1] ?? 'none';
      const [csrf, theirs] = [await csrfOf(browser), await csrfOf(other)];
      assert.notEqual(csrf, theirs);
      const were = await entriesNow();
      const fields = { provider: 'corp', session: 'ses_0', sure: 'yes' };
      const refused = [
        await browser.post(path, fields),
        await browser.post(path, { ...fields, csrf: theirs }),
        await browser.post(path, { ...fields, csrf }, { origin: 'https://evil.example' }),
        await browser.post(path, { ...fields, csrf }, { origin: 'null' }),
        await browser.post(path, { ...fields, csrf }, { 'sec-fetch-site': 'cross-site' }),
        await browser.post(path, { ...fields, csrf }, { 'sec-fetch-site': 'same-site' }),
        await browser.post(path, { ...fields, csrf }, { 'content-type': 'text/plain' }),
        await browser.post(path, { ...fields, csrf }, { 'content-type': 'multipart/form-data; boundary=x' }),
        await browser.post(path, { ...fields, csrf }, { 'content-type': 'application/json' }),
      ];
      assert.deepEqual(
        refused.map((one) => one.status),
        refused.map(() => 403),
        refused.map((one) => `${one.status} ${one.text.slice(0, 200)}`).join('\n'),
      );
      assert.equal(await entriesNow(), were, 'nothing was written');
      assert.equal(await browser.who(), 'sam', 'nothing was done');
    });

  test('GET and HEAD of every form do nothing', async () => {
    const browser = await signedIn('sam');
    const were = await entriesNow();
    for (const path of forms) {
      const answer = await browser.get(path);
      assert.ok(answer.status === 405 || answer.status === 404, `${path} ${answer.status}`);
    }
    assert.equal(await entriesNow(), were);
    assert.equal(await browser.who(), 'sam');
  });
});

test('no page can be framed, cached, or read by another site, and none runs what is not ours', async () => {
  const browser = await signedIn('ada');
  const going = await browser.post('/sign-in', { provider: 'corp' });
  const pages = [
    '/sign-in',
    '/sign-in/oidc/callback?code=x&state=y',
    '/inbox',
    '/account',
    '/people',
    '/nowhere',
    '/sign-in.js',
    '/sign-in/continue.js',
  ];
  const answers = [
    going,
    ...(await Promise.all(pages.map((path) => browser.get(path)))),
    await at.browser().get('/inbox'),
  ];
  for (const { headers, text } of answers) {
    const policy = headers.get('content-security-policy') ?? '';
    assert.match(policy, /frame-ancestors 'none'/, text.slice(0, 100));
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe|\*/);
    assert.equal(headers.get('x-frame-options'), 'DENY');
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin');
    assert.equal(headers.get('access-control-allow-origin'), null);
    assert.doesNotMatch(text, /<script>|<style|onload=|javascript:/);
  }
  for (const { headers } of answers.slice(0, 6)) assert.match(headers.get('cache-control') ?? '', /no-store/);
});

describe('time', () => {
  test('a session that nobody uses ends; pages that look for news by themselves are no use', async () => {
    const browser = await signedIn();
    for (let step = 0; step < 2; step += 1) {
      skewMs += 20 * minuteMs;
      assert.equal((await browser.get('/inbox')).status, 200);
      if (step === 0) {
        assert.equal(await navigates(browser, '/inbox'), 200);
        // Written together with whatever is written next.
        await at.gate.gate().parts.store.change({ kind: 'seenNotes', person: asPersonId('rosa') });
      }
    }
    skewMs += 15 * minuteMs;
    assert.equal(await navigates(browser, '/inbox'), 401, '35 minutes after it was used last');
  });

  test('a session ends after its time, however much it is used', async () => {
    const browser = await signedIn();
    for (let step = 0; step < 5; step += 1) {
      skewMs += 23 * minuteMs;
      assert.equal(await navigates(browser, '/inbox'), 200, `${step}`);
      await at.gate.gate().parts.store.change({ kind: 'seenNotes', person: asPersonId('rosa') });
    }
    skewMs += 6 * minuteMs;
    assert.equal(await navigates(browser, '/inbox'), 401);
  });
});

describe('ending sessions', () => {
  test('everywhere: each of them, at once, and of nobody else', async () => {
    const [here, there, provider] = [await signedIn('mia'), await signedIn('mia'), await signedIn('eve')];
    const answer = await here.form('/sign-out', { everywhere: 'yes' });
    assert.deepEqual([answer.status, answer.headers.get('location')], [303, '/sign-in']);
    assert.deepEqual([await here.who(), await there.who(), await provider.who()], [null, null, 'eve']);
    const entry = (await at.entries('person.signed_out')).at(-1);
    assert.equal(entry?.data['which'], 'all');
  });

  test('one of one’s own, by its name; not somebody else’s', async () => {
    const [here, there, eve] = [await signedIn('mia'), await signedIn('mia'), await signedIn('eve')];
    const names = [
      ...(await here.get('/account')).text.matchAll(/name="session" value="(ses_[0-9a-f]{16})"/g),
    ].map((one) => one[1] ?? '');
    assert.equal(names.length, 1, 'the other one');
    assert.equal((await eve.form('/account/session-end', { session: names[0] ?? '' })).status, 303);
    assert.equal(await there.who(), 'mia');
    assert.equal((await here.form('/account/session-end', { session: names[0] ?? '' })).status, 303);
    assert.deepEqual([await here.who(), await there.who()], ['mia', null]);
  });

  test('a session holds no token on any page, and its name opens nothing', async () => {
    const browser = await signedIn('mia');
    const { text } = await browser.get('/account');
    assert.ok(!text.includes(browser.jar.get(cookieName) ?? 'none'));
    const name = /(ses_[0-9a-f]{16})/.exec(text)?.[1] ?? '';
    const thief = at.browser();
    thief.jar.set(cookieName, name);
    assert.equal(await thief.who(), null);
  });

  test('with more than a hundred, the oldest end', async () => {
    const first = await signedIn('zoe');
    for (let more = 0; more < 100; more += 1) {
      skewMs += 1;
      await at.browser().byLink('zoe');
    }
    assert.equal(await first.who(), null);
    assert.equal((await at.gate.gate().parts.store.sessionsOf(asPersonId('zoe'))).length, 100);
  });
});

describe('next leads nowhere else', () => {
  const bad = [
    'https://evil.example/',
    '//evil.example/',
    '/\\evil.example/',
    '\\\\evil.example',
    '/..//evil.example',
    '/%2e%2e//evil.example',
    'javascript:alert(1)',
    '/\tevil',
    ' /inbox',
    '',
  ];
  for (const next of bad)
    test(JSON.stringify(next), async () => {
      const browser = at.browser();
      const back = await at.provider.visit(await browser.begin('corp', next), 'rosa-1');
      const answer = await browser.back(back);
      const location = answer.headers.get('location') ?? '';
      assert.equal(new URL(location, at.origin).origin, at.origin, location);
      assert.match(location, /^\/(?![/\\])/);
    });

  test('a path of ours does', async () => {
    const browser = at.browser();
    const back = await at.provider.visit(await browser.begin('corp', '/log?text=a'), 'rosa-1');
    assert.equal((await browser.back(back)).headers.get('location'), '/log?text=a');
  });
});
