/**
 * Becoming somebody by a link of a chat: a link of the attacker's account that the victim opens, a link that was used, is old or made
 * up, an account that is somebody's, a browser that was left open, a page of another site. What a link proves is the account alone.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createChat } from '../../src/app/chat/chat.ts';
import { linksPerMinute } from '../../src/app/chat/link.ts';
import { chatLinkHash, chatLinkMs } from '../../src/core/chat-link.ts';
import { asPersonId } from '../../src/core/ids.ts';
import type { Chat, ChatAccount } from '../../src/ports/chat.ts';
import {
  startPeopleGate,
  type Answer,
  type PeopleGate,
  type TestBrowser,
} from '../identity/support/people-gate.ts';
import { chatBench, slackOf, told } from '../support/chat.ts';

const hourMs = 3_600_000;
let skewMs = 0;
let at: PeopleGate;
let chat: Chat;
before(async () => {
  at = await startPeopleGate({ clock: { nowMs: () => Date.now() + skewMs } });
  // The provider's clock goes with the gate's.
  at.provider.twist = {
    claims: (claims) => ({ ...claims, auth_time: Math.floor((Date.now() + skewMs) / 1000) }),
  };
  chat = createChat(at.gate.gate().parts, new Set(['slack']));
});
after(() => at.close());

const linkOf = async (account: ChatAccount): Promise<string> => {
  const url = await chat.linkUrl(account);
  assert.ok(url.ok, JSON.stringify(url));
  const { origin, pathname, search, hash } = new URL(url.value);
  assert.deepEqual([origin, pathname, search], [at.origin, '/link', ''], 'nothing that a server would log');
  return hash.slice(1);
};
const signedIn = async (person: string): Promise<TestBrowser> => {
  const browser = at.browser();
  assert.equal((await browser.byLink(person)).status, 303);
  return browser;
};
const withAccount = async (person: string, login: string): Promise<TestBrowser> => {
  at.provider.accounts.set(login, {});
  const browser = await signedIn(person);
  assert.equal((await browser.link(login)).status, 303);
  const again = at.browser();
  assert.equal((await again.signIn(login)).status, 303);
  return again;
};
const look = (browser: TestBrowser, secret: string): Promise<Answer> =>
  browser.form('/link/look', { secret });
const confirm = (browser: TestBrowser, secret: string): Promise<Answer> =>
  browser.form('/link/confirm', { secret, sure: 'yes' });
const accountOf = ({ kind, issuer, subject }: ChatAccount) =>
  at.gate.gate().parts.store.account({ kind, issuer, subject });

describe('a link', () => {
  test('get-never-decides: opening it and looking at it link nothing; the button does, once', async () => {
    const account = slackOf('U100', 'Rosa in Slack');
    const secret = await linkOf(account);
    const rosa = await signedIn('rosa');
    const were = (await at.entries()).length;
    for (const path of ['/link', `/link?secret=${secret}`, `/link#${secret}`])
      assert.equal((await rosa.get(path)).status, 200);
    const page = await look(rosa, secret);
    assert.equal(page.status, 200);
    assert.match(page.text, /Is this your Slack account\?/);
    assert.match(page.text, /<code>U100<\/code>/);
    assert.match(page.text, /<code>T1<\/code>/);
    assert.match(page.text, /“Rosa in Slack”/);
    assert.match(page.text, /Whoever has this Slack account approves, denies and stops as Rosa Diaz/);
    assert.match(page.text, /counts for approving at once/);
    assert.equal((await at.entries()).length, were);
    assert.equal(await accountOf(account), undefined);
    const done = await confirm(rosa, secret);
    assert.deepEqual([done.status, done.headers.get('location')], [303, '/account']);
    const row = await accountOf(account);
    assert.deepEqual([row?.person, row?.display, row?.endedAtMs], ['rosa', 'Rosa in Slack', null]);
    const [linked] = await at.entries('account.linked');
    assert.deepEqual(
      [linked?.by, linked?.data['how'], linked?.data['account']],
      [{ kind: 'person', id: 'rosa' }, 'chat link', { kind: 'slack', issuer: 'T1', subject: 'U100' }],
    );
    const own = (await rosa.get('/account')).text;
    assert.match(own, /The account Rosa in Slack \(T1\) was linked to you/);
    assert.ok(!JSON.stringify(await at.entries()).includes(secret));
  });

  test('used, by whoever it was used, is over; so is one that is too old, and one that nobody made', async () => {
    const secret = await linkOf(slackOf('U101'));
    const [ben, zoe] = [await signedIn('ben'), await signedIn('zoe')];
    assert.equal((await confirm(ben, secret)).status, 303);
    for (const browser of [ben, zoe]) {
      assert.equal((await look(browser, secret)).status, 404);
      const again = await confirm(browser, secret);
      assert.equal(again.status, 404);
      assert.match(again.text, /was used, is too old or never existed/);
    }
    assert.equal((await accountOf(slackOf('U101')))?.person, 'ben');
    const old = await linkOf(slackOf('U102'));
    skewMs += chatLinkMs;
    const later = await signedIn('zoe');
    assert.equal((await confirm(later, old)).status, 404);
    for (const made of ['', 'x', `cs_chatlink_${'A'.repeat(43)}`, 'cs_chatlink_', 'a'.repeat(9000)])
      assert.equal((await confirm(later, made)).status, 404, made);
    assert.equal(await accountOf(slackOf('U102')), undefined);
  });

  test('confirmed by two at once is one person’s', async () => {
    const secret = await linkOf(slackOf('U103'));
    const both = [await signedIn('ben'), await signedIn('zoe')];
    const answers = await Promise.all(both.map((browser) => confirm(browser, secret)));
    assert.equal(
      answers.filter((one) => one.status === 303).length,
      1,
      answers.map((one) => one.status).join(),
    );
    const row = await accountOf(slackOf('U103'));
    assert.ok(row?.person === 'ben' || row?.person === 'zoe');
  });

  test('is none of another kind, and another kind is none: a code of the web links nothing here', async () => {
    const { store, clock } = at.gate.gate().parts;
    const secret = `cs_chatlink_${'B'.repeat(43)}`;
    const hash = chatLinkHash(secret) ?? '';
    const begun = {
      hash,
      kind: 'chat',
      person: null,
      body: JSON.stringify({ kind: 'slack', issuer: 'T1', subject: 'U104', display: 'x' }),
      expiresAtMs: clock.nowMs() + 60_000,
    };
    assert.ok((await store.change({ kind: 'begin', begun })).ok);
    assert.equal((await confirm(await signedIn('zoe'), secret)).status, 404);
    const account = slackOf('U104', 'x');
    const way = { via: { kind: 'link' }, countsFromMs: 0, authAtMs: clock.nowMs() } as const;
    const straight = {
      kind: 'linkAccount',
      person: asPersonId('zoe'),
      way,
      code: null,
      coolOffMs: 0,
    } as const;
    assert.ok(!(await store.change({ ...straight, account, link: hash })).ok, 'of another kind');
    const real = chatLinkHash(await linkOf(slackOf('U105'))) ?? '';
    const swapped = await store.change({ ...straight, account, link: real });
    assert.ok(!swapped.ok, 'of another account');
    assert.equal((await at.entries('account.refused')).at(-1)?.data['why'], 'link: another account');
    assert.equal(await accountOf(account), undefined);
  });

  test('an account that presses and presses gets a few', async () => {
    const account = slackOf('U106');
    const urls = await Promise.all(Array.from({ length: linksPerMinute + 5 }, () => chat.linkUrl(account)));
    assert.equal(urls.filter((one) => one.ok).length, linksPerMinute);
    assert.ok((await chat.linkUrl(slackOf('U107'))).ok);
  });
});

describe('somebody else’s link', () => {
  const mallory = slackOf('U666', 'Rosa Diaz');

  test('names the account by what it is, asks for a tick, and gives the account nothing today', async () => {
    const rosa = await withAccount('rosa', 'rosa-1');
    const secret = await linkOf(mallory);
    const page = await look(rosa, secret);
    assert.match(page.text, /<code>U666<\/code>/);
    assert.match(page.text, /calls itself[\s\S]{0,60}“Rosa Diaz”/);
    assert.match(page.text, /Did somebody send you this link/);
    assert.match(page.text, /<code>U666<\/code> is my own account/);
    assert.match(page.text, /once an administrator confirms/);
    const without = await rosa.form('/link/confirm', { secret });
    assert.equal(without.status, 400);
    assert.equal(await accountOf(mallory), undefined);
    // She is deceived all the same.
    assert.equal((await confirm(rosa, secret)).status, 303);
    const bench = chatBench(at.gate);
    const post = await bench.post(await bench.ask());
    const [code, text] = told(await bench.press(mallory, post, 'approve'));
    assert.equal(code, 'not_an_approver');
    assert.match(text, /is new, and counts for approving from/);
    assert.match((await rosa.get('/account')).text, /was linked to you; what is done with it counts/);
    const key = { kind: 'slack', issuer: 'T1', subject: 'U666' };
    assert.equal((await rosa.form('/account/unlink', { ...key, sure: 'yes' })).status, 303);
    skewMs += 25 * hourMs;
    assert.equal(told(await bench.press(mallory, post, 'deny'))[0], 'unauthenticated');
  });

  test('a name of the chat is text: it is shown, and is no markup, no line and no other direction', async () => {
    const hostile = slackOf('U108', '</code><script>alert(1)</script>\u202Erosa\n\nadmin');
    const page = await look(await signedIn('zoe'), await linkOf(hostile));
    assert.equal(page.status, 200);
    assert.ok(!page.text.includes('<script>alert'));
    assert.ok(!page.text.includes('\u202E'));
    assert.match(page.text, /⟨U\+202E⟩rosa/);
  });
});

describe('an account that is somebody’s', () => {
  test('is given no link, and one that it had before is refused; who it belongs to is not said', async () => {
    const account = slackOf('U110', 'Mia');
    const [first, second] = [await linkOf(account), await linkOf(account)];
    assert.equal((await confirm(await signedIn('mia'), first)).status, 303);
    const none = await chat.linkUrl(account);
    assert.ok(!none.ok);
    assert.equal(none.error.code, 'not_permitted');
    const taken = await confirm(await signedIn('eve'), second);
    assert.equal(taken.status, 403);
    assert.match(taken.text, /belongs to another person, and stays with them/);
    assert.doesNotMatch(taken.text, /Mia Chen/);
    assert.equal((await accountOf(account))?.person, 'mia');
    assert.deepEqual((await at.entries('account.refused')).at(-1)?.by, { kind: 'person', id: 'eve' });
  });

  test('taken away, stays with its person: another does not get it, the same gets it anew', async () => {
    const account = slackOf('U111', 'Mia two');
    const mia = await signedIn('mia');
    assert.equal((await confirm(mia, await linkOf(account))).status, 303);
    const key = { kind: 'slack', issuer: 'T1', subject: 'U111' };
    assert.equal((await mia.form('/account/unlink', { ...key, sure: 'yes' })).status, 303);
    const secret = await linkOf(account);
    assert.equal((await confirm(await signedIn('eve'), secret)).status, 403);
    assert.equal((await confirm(mia, secret)).status, 303, 'what was refused used nothing up');
    const row = await accountOf(account);
    assert.equal(row?.person, 'mia');
    assert.ok((row?.countsFromMs ?? 0) > at.gate.gate().parts.clock.nowMs(), 'and it is new again');
  });
});

describe('who confirms', () => {
  test('has signed in within five minutes: a browser that was left open shows the account, and links nothing', async () => {
    const browser = await withAccount('ada', 'ada-1');
    skewMs += 6 * 60_000;
    const account = slackOf('U112');
    const secret = await linkOf(account);
    const page = await look(browser, secret);
    assert.equal(page.status, 200);
    assert.match(page.text, /Sign in again first/);
    assert.match(page.text, /action="\/sign-in\?next=%2Flink"/);
    assert.doesNotMatch(page.text, /action="\/link\/confirm"/);
    const answer = await confirm(browser, secret);
    assert.equal(answer.status, 403);
    assert.match(answer.text, /within five minutes/);
    assert.equal(await accountOf(account), undefined);
    // Back from the provider, the link is as good as before.
    const going = await browser.begin('corp', '/link', { anew: 'yes' });
    const back = await browser.back(await at.provider.visit(going, 'ada-1', browser.at));
    assert.deepEqual([back.status, back.headers.get('location')], [303, '/link']);
    assert.equal((await confirm(browser, secret)).status, 303);
  });

  test('is signed in, from a page of ours, with this session’s token', async () => {
    const account = slackOf('U113');
    const secret = await linkOf(account);
    const nobody = at.browser();
    const asked = await nobody.get('/link');
    assert.equal(asked.status, 401);
    assert.match(asked.text, /\/sign-in\?next=%2Flink/);
    assert.match(asked.text, /\/assets\/link\.js/, 'keeps the secret in the browser until then');
    assert.ok(!asked.text.includes(secret));
    for (const path of ['/link/look', '/link/confirm'])
      assert.equal((await nobody.post(path, { secret, sure: 'yes' })).status, 401, path);
    const zoe = await signedIn('zoe');
    assert.equal((await zoe.post('/link/confirm', { secret, sure: 'yes' })).status, 403, 'without its token');
    const csrf = /name="csrf" value="([0-9a-f]{64})"/.exec((await zoe.get('/link')).text)?.[1] ?? '';
    const elsewhere = await zoe.post(
      '/link/confirm',
      { csrf, secret, sure: 'yes' },
      { origin: 'https://evil.test' },
    );
    assert.equal(elsewhere.status, 403);
    for (const path of ['/link/look', '/link/confirm'])
      assert.equal((await zoe.get(`${path}?secret=${secret}&sure=yes`)).status, 405, path);
    assert.equal(await accountOf(account), undefined);
  });
});
