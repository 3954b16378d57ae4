/** Sessions and the sign-in page: the cookie in both worlds, the origins that are ours, and a page that holds nothing. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fromOurPages, permittedOrigins } from '../../src/identity/origins.ts';
import { messagePage, signInPage, signInScript } from '../../src/identity/sign-in-page.ts';
import { inside, openGate, text, type Gate } from '../http/gate.ts';

const https = 'https://gate.example';
let local: Gate;
let secure: Gate;
before(async () => {
  [local, secure] = await Promise.all([openGate(), openGate({ origin: https })]);
});
after(() => Promise.all([local.close(), secure.close()]));

const signIn = async (gate: Gate, token: string) =>
  gate.send('/sign-in', {
    method: 'POST',
    headers: { origin: gate.parts.origin, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ token }).toString(),
  });

describe('origins', () => {
  test('the configured one; on loopback over HTTP every name of it, with its port', () => {
    assert.deepEqual([...permittedOrigins(https)], [https]);
    assert.deepEqual(
      [...permittedOrigins('http://127.0.0.1:7788')],
      ['http://localhost:7788', 'http://127.0.0.1:7788', 'http://[::1]:7788'],
    );
    assert.deepEqual(
      [...permittedOrigins('http://localhost')],
      ['http://localhost', 'http://127.0.0.1', 'http://[::1]'],
    );
    assert.deepEqual([...permittedOrigins('http://10.0.0.1:80')], ['http://10.0.0.1']);
    assert.deepEqual([...permittedOrigins('https://localhost:7788')], ['https://localhost:7788']);
  });

  test('a request without an Origin comes from no page of ours', () => {
    assert.equal(fromOurPages(new Request(https, { method: 'POST' }), permittedOrigins(https)), false);
  });
});

describe('the cookie', () => {
  test('over HTTPS it is __Host-, Secure, HttpOnly and strict', async () => {
    const answer = await signIn(secure, await secure.link('rosa'));
    assert.equal(answer.status, 303, answer.text);
    assert.match(
      answer.headers.get('set-cookie') ?? '',
      /^__Host-countersign=cs_session_[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure; Max-Age=43200$/,
    );
  });

  test('on loopback over HTTP it is HttpOnly and strict', async () => {
    const answer = await signIn(local, await local.link('rosa'));
    assert.equal(answer.headers.get('location'), '/inbox');
    assert.match(
      answer.headers.get('set-cookie') ?? '',
      /^countersign_session=cs_session_[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/,
    );
  });

  test('signing out ends the session and takes the cookie back', async () => {
    const cookie =
      ((await signIn(local, await local.link('rosa'))).headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    const csrf = text((await local.send('/probe', { headers: { cookie } })).json['csrf']);
    const out = await local.send('/sign-out', {
      method: 'POST',
      headers: { cookie, origin: local.parts.origin, 'x-csrf-token': csrf },
    });
    assert.equal(out.status, 303);
    assert.equal(out.headers.get('location'), '/sign-in');
    assert.equal(
      out.headers.get('set-cookie'),
      'countersign_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0',
    );
    assert.equal((await local.send('/sign-in/session', { headers: { cookie } })).status, 401);
  });
});

describe('the page', () => {
  test('it is inert and the same for everybody: no inline script or style, no form action, nothing of the request', async () => {
    const page = await local.send('/sign-in?next=/x&token=y');
    assert.equal(page.text, signInPage({ providers: [], links: true }));
    const named = signInPage({ providers: [{ id: 'a"b', name: '<b>Corp</b>' }], links: false });
    assert.match(named, /value="a&quot;b">Continue with &lt;b&gt;Corp&lt;\/b&gt;</);
    assert.doesNotMatch(named, /name="token"/);
    assert.doesNotMatch(page.text, /<script>|<style|style=|onclick|onload|action=/);
    const policy = page.headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe|\*|data:|https?:/);
    assert.equal(
      page.headers.get('referrer-policy'),
      'same-origin',
      'with no-referrer, browsers post forms with Origin: null',
    );
    assert.equal(page.headers.get('cache-control'), 'no-store');
  });

  test('its script takes the token out of the address bar before anything else, and writes no markup', () => {
    const [first, second] = ['history.replaceState', 'fetch('].map((call) => signInScript.indexOf(call));
    assert.ok((first ?? -1) > 0 && (first ?? -1) < (second ?? -1));
    assert.doesNotMatch(signInScript, /innerHTML|insertAdjacent|document\.write|eval|localStorage/);
  });

  test('a whole link may be pasted in the place of its token', async () => {
    const token = await local.link('rosa');
    assert.equal((await signIn(local, ` ${local.parts.origin}/sign-in#${token}\n`)).status, 303);
  });

  test('a link whose words are refused says so in words, escaped', async () => {
    const answer = await signIn(local, '<script>alert(1)</script>');
    assert.equal(answer.status, 401);
    assert.match(answer.text, /ask for a new one/);
    assert.doesNotMatch(answer.text, /<script/);
  });

  test('whoever is signed in already is told so, by the page’s own question', async () => {
    const cookie =
      ((await signIn(local, await local.link('rosa'))).headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    const answer = await local.send('/sign-in/session', { headers: { cookie } });
    assert.deepEqual(inside(answer, 'person'), { id: 'rosa', name: 'Rosa Diaz' });
    assert.equal((await local.send('/sign-in/session')).status, 401);
  });

  test('the page of a sentence holds text, never markup', () => {
    assert.match(messagePage(`<b>"it's" & more`), /&lt;b&gt;&quot;it&#39;s&quot; &amp; more/);
  });

  test('unknown paths beside it are problems', async () => {
    for (const path of ['/sign-in/x', '/sign-in.html', '/sign-out'])
      assert.equal((await local.send(path)).json['code'], 'not_found', path);
  });
});
