/** What other sites, other ports and old links can make a person's browser do here: nothing. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { directory, openGate, origin, text, type Answer, type Gate } from '../http/gate.ts';

let gate: Gate;
before(async () => {
  gate = await openGate();
});
after(() => gate.close());

const form = (fields: Record<string, string>, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  headers: { origin, 'content-type': 'application/x-www-form-urlencoded', ...headers },
  body: new URLSearchParams(fields).toString(),
});
const signIn = (token: string, headers: Record<string, string> = {}, path = '/sign-in'): Promise<Answer> =>
  gate.send(path, form({ token }, headers));
const cookieOf = (answer: Answer): string => (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';

/** A session of Rosa's: her cookie and what her pages' forms send. */
async function session(person = 'rosa'): Promise<{ readonly cookie: string; readonly csrf: string }> {
  const cookie = cookieOf(await signIn(await gate.link(person)));
  const page = await gate.send('/probe', { headers: { cookie } });
  assert.equal(page.json['person'], person, page.text);
  return { cookie, csrf: text(page.json['csrf']) };
}

describe('requests of other pages', () => {
  const post = (fields: Record<string, string>, headers: Record<string, string>): Promise<Answer> =>
    gate.send('/probe', form(fields, headers));

  test('our own page’s form passes, and so does its script', async () => {
    const { cookie, csrf } = await session();
    const answer = await post({ csrf, decision: 'approve' }, { cookie, 'sec-fetch-site': 'same-origin' });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(
      answer.json['body'],
      `csrf=${csrf}&decision=approve`,
      'the body is still there for the page',
    );
    assert.equal((await post({}, { cookie, 'x-csrf-token': csrf })).status, 200);
    assert.equal(
      (await post({ csrf }, { cookie, origin: 'http://127.0.0.1:7788' })).status,
      200,
      'the other name of loopback',
    );
  });

  test('another origin is refused, even with the right token', async () => {
    const { cookie, csrf } = await session();
    for (const other of [
      'https://evil.example',
      'http://localhost:3000',
      'http://localhost',
      'https://localhost:7788',
      'http://localhost:7788.evil.example',
      'http://evil.localhost:7788',
      'null',
      '',
    ]) {
      const answer = await post({ csrf }, { cookie, origin: other });
      assert.equal(answer.status, 403, other);
      assert.equal(answer.json['code'], 'not_permitted');
    }
    const init = form({ csrf }, { cookie });
    const { origin: _origin, ...headers } = init.headers as Record<string, string>;
    assert.equal((await gate.send('/probe', { ...init, headers })).status, 403, 'no origin at all');
  });

  test('Sec-Fetch-Site has the last word: a sibling or another port is the same site, not the same origin', async () => {
    const { cookie, csrf } = await session();
    for (const site of ['cross-site', 'same-site', 'none']) {
      assert.equal((await post({ csrf }, { cookie, 'sec-fetch-site': site })).status, 403, site);
    }
  });

  test('without the token, with a wrong one, with another session’s: refused', async () => {
    const { cookie, csrf } = await session();
    const other = await session('mia');
    for (const wrong of [
      '',
      'x',
      csrf.slice(1),
      `${csrf}0`,
      csrf.toUpperCase(),
      other.csrf,
      cookie.split('=')[1] ?? '',
    ]) {
      assert.equal((await post({ csrf: wrong }, { cookie })).status, 403, wrong);
      assert.equal(
        (await post({ csrf }, { cookie, 'x-csrf-token': wrong })).status,
        403,
        'the header counts where it is',
      );
    }
    assert.equal((await post({}, { cookie })).status, 403);
    for (const body of [`csrf=${csrf}&csrf=${other.csrf}`, `csrf=${other.csrf}&csrf=${csrf}`]) {
      assert.equal((await gate.send('/probe', { ...form({}, { cookie }), body })).status, 403, 'twice');
    }
    for (const type of ['text/plain', 'multipart/form-data; boundary=x', 'application/json']) {
      assert.equal((await post({ csrf }, { cookie, 'content-type': type })).status, 403, type);
    }
    const large = { csrf, reason: 'x'.repeat(70_000) };
    assert.equal((await post(large, { cookie })).status, 403, 'too large to look into');
  });

  test('signing in and out by another page is refused: nobody is made to work in somebody else’s session', async () => {
    const token = await gate.link('rosa');
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
    ]) {
      const answer = await signIn(token, headers);
      assert.equal(answer.status, 403);
      assert.equal(answer.headers.get('set-cookie'), null);
    }
    const { cookie, csrf } = await session();
    assert.equal(
      (await gate.send('/sign-out', form({ csrf }, { cookie, origin: 'https://evil.example' }))).status,
      403,
    );
    assert.equal((await gate.send('/sign-out', form({}, { cookie }))).status, 403);
    assert.equal((await gate.send('/probe', { headers: { cookie } })).status, 200, 'still signed in');
    const out = await gate.send('/sign-out', form({ csrf }, { cookie }));
    assert.equal(out.status, 303);
    assert.equal((await gate.send('/probe', { headers: { cookie } })).status, 403);
    assert.equal((await signIn(token)).status, 303, 'the link was not used up');
  });
});

describe('links', () => {
  test('get-never-decides: following a link uses nothing up and opens nothing', async () => {
    const token = await gate.link('rosa');
    const head = await gate.parts.store.head();
    for (const path of ['/sign-in', `/sign-in?token=${token}`, '/sign-in.js', '/sign-in.css']) {
      for (const method of ['GET', 'HEAD']) {
        const answer = await gate.send(path, { method });
        assert.equal(answer.status, 200);
        assert.equal(answer.headers.get('set-cookie'), null);
        assert.ok(!answer.text.includes(token));
      }
    }
    const who = await gate.send('/sign-in/who', {
      method: 'POST',
      headers: { origin },
      body: JSON.stringify({ token }),
    });
    assert.deepEqual(who.json, { person: { id: 'rosa', name: 'Rosa Diaz' } });
    assert.deepEqual(await gate.parts.store.head(), head);
    assert.equal((await signIn(token)).status, 303);
  });

  test('a link works once, also for fifty at once', async () => {
    const token = await gate.link('rosa');
    const all = await Promise.all(Array.from({ length: 50 }, () => signIn(token)));
    assert.equal(all.filter((one) => one.status === 303).length, 1);
    assert.equal(
      all.filter((one) => one.status === 401 && one.headers.get('set-cookie') === null).length,
      49,
    );
    const who = await gate.send('/sign-in/who', {
      method: 'POST',
      headers: { origin },
      body: JSON.stringify({ token }),
    });
    assert.equal(who.status, 401);
  });

  test('links that are old, unknown, malformed or of nobody sign nobody in', async () => {
    const old = await gate.link('rosa', 0);
    const ghost = await gate.link('ghost');
    const agents = await gate.link('bot');
    const bearer = await gate.token('person', 'rosa');
    for (const token of [old, ghost, agents, bearer, '', 'x', `cs_link_${'A'.repeat(43)}`, '__proto__']) {
      const answer = await signIn(token);
      assert.equal(answer.status, 401, token);
      assert.equal(answer.headers.get('set-cookie'), null);
      assert.match(answer.headers.get('content-type') ?? '', /^text\/html/);
    }
  });

  test('a person who was removed after the link was printed does not get in, nor stays in', async () => {
    const token = await gate.link('rosa');
    const { cookie } = await session();
    await gate.propose({
      directory: { ...directory, people: directory.people.filter((one) => one.id !== 'rosa') },
    });
    assert.equal((await signIn(token)).status, 401);
    assert.equal((await gate.send('/probe', { headers: { cookie } })).status, 403);
    await gate.propose({});
  });

  test('?next= leads nowhere but here', async () => {
    for (const [next, location] of [
      ['/approvals/apr_1?x=1', '/approvals/apr_1?x=1'],
      ['https://evil.example/', '/inbox'],
      ['//evil.example/', '/inbox'],
      ['/\\evil.example/', '/inbox'],
      ['/%09/evil.example', '/%09/evil.example'],
      ['/\t/evil.example', '/inbox'],
      ['/\r\nset-cookie: a=b', '/inbox'],
      ['javascript:alert(1)', '/inbox'],
      ['/..//evil.example', '/inbox'],
      ['', '/inbox'],
    ] as const) {
      const answer = await signIn(await gate.link('rosa'), {}, `/sign-in?next=${encodeURIComponent(next)}`);
      const to = answer.headers.get('location') ?? '';
      assert.equal(to, location, next);
      assert.equal(new URL(to, origin).origin, origin);
    }
  });
});

describe('sessions', () => {
  test('a session that somebody planted is not taken over: signing in makes a new one', async () => {
    const planted = await session('eve');
    const answer = await signIn(await gate.link('rosa'), { cookie: planted.cookie });
    const cookie = cookieOf(answer);
    assert.notEqual(cookie, planted.cookie);
    assert.equal((await gate.send('/probe', { headers: { cookie } })).json['person'], 'rosa');
    assert.equal(
      (await gate.send('/probe', { headers: { cookie: planted.cookie } })).status,
      403,
      'and the planted one has ended',
    );
    const made = await gate.send('/probe', {
      headers: { cookie: `countersign_session=cs_session_${'A'.repeat(43)}` },
    });
    assert.equal(made.status, 403, 'nobody chooses a session');
  });

  test('two cookies of the name are none: which of them is ours cannot be told', async () => {
    const { cookie } = await session();
    const other = await session('eve');
    for (const both of [
      `${cookie}; ${other.cookie}`,
      `${other.cookie}; ${cookie}`,
      `countersign_session=x; ${cookie}`,
    ]) {
      assert.equal((await gate.send('/probe', { headers: { cookie: both } })).status, 403);
    }
    assert.equal((await gate.send('/probe', { headers: { cookie: `theme=dark; ${cookie}` } })).status, 200);
  });

  test('a cookie opens no API, a bearer token no page, a link neither', async () => {
    const { cookie, csrf } = await session();
    const api = await gate.send('/v1/approvals', { headers: { cookie, 'x-csrf-token': csrf, origin } });
    assert.equal(api.status, 401);
    const sessionToken = cookie.split('=')[1] ?? '';
    const bearer = await gate.token('person', 'rosa');
    const link = await gate.link('rosa');
    for (const token of [sessionToken, link])
      assert.equal((await gate.call('GET', '/v1/approvals', token)).status, 401);
    for (const token of [bearer, link]) {
      assert.equal(
        (
          await gate.send('/probe', {
            headers: { cookie: `countersign_session=${token}`, authorization: `Bearer ${bearer}` },
          })
        ).status,
        403,
      );
    }
  });
});

describe('another name in front (DNS rebinding)', () => {
  test('a request for another host is refused everywhere but at the probes', async () => {
    const bot = await gate.token('agent', 'bot');
    for (const base of [
      'http://evil.example:7788',
      'http://localhost:80',
      'http://localhost.evil.example:7788',
      'http://10.0.0.1:7788',
    ]) {
      for (const path of ['/v1/approvals', '/sign-in', '/probe', '/mcp/files', '/inbox']) {
        const answer = await gate.handler(
          new Request(base + path, { headers: { authorization: `Bearer ${bot}` } }),
        );
        assert.equal(answer.status, 403, base + path);
        assert.ok(!(await answer.text()).includes('evil'));
      }
      assert.equal((await gate.handler(new Request(`${base}/healthz`))).status, 200);
    }
    for (const base of [
      'http://localhost:7788',
      'http://127.0.0.1:7788',
      'http://[::1]:7788',
      'http://LOCALHOST:7788',
    ]) {
      const answer = await gate.handler(
        new Request(`${base}/v1/approvals`, { headers: { authorization: `Bearer ${bot}` } }),
      );
      assert.equal(answer.status, 200, base);
    }
  });

  test('an address that names us and a Host that does not, or two Hosts, are refused', async () => {
    for (const host of ['evil.example', 'localhost:7788, evil.example', 'localhost']) {
      assert.equal((await gate.send('/sign-in', { headers: { host } })).status, 403, host);
    }
    assert.equal((await gate.send('/sign-in', { headers: { host: 'LocalHost:7788' } })).status, 200);
  });
});
