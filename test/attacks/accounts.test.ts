/**
 * Approving with what was added a moment ago: a second account, a group that a provider claims, an address that several have.
 * A hijacked session can add them; nobody may approve with them before their time, unless somebody else says that they are right.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { asPersonId } from '../../src/core/ids.ts';
import { chatCodeHash } from '../../src/core/chat-code.ts';
import { restoreSqlite } from '../../src/store/restore.ts';
import {
  redirectPath,
  startPeopleGate,
  type Answer,
  type PeopleGate,
  type TestBrowser,
} from '../identity/support/people-gate.ts';

const hourMs = 3_600_000;
/** Only ever more: the time of a log never runs backwards. */
let skewMs = 0;
const clock = { nowMs: () => Date.now() + skewMs };
let at: PeopleGate;
let agent: string;
before(async () => {
  at = await startPeopleGate({
    clock,
    corp: ', scopes: [profile, email, groups], groups: { claim: groups, map: { "dept-data": data-owners, "dept-it": platform, "dept-admin": admins } }',
  });
  agent = await at.gate.token('agent', 'crm-bot');
});
after(() => at.close());

const ask = async (): Promise<{ readonly id: string; readonly digest: string }> => {
  const answer = await at.gate.call(agent, 'POST', '/v1/actions', {
    operation: 'shop___refund',
    input: { cents: 500, note: String(Math.random()) },
  });
  assert.equal(answer.status, 202, JSON.stringify(answer.body));
  return { id: String(answer.body.approval.id), digest: String(answer.body.digest) };
};

const approve = (
  browser: TestBrowser,
  of: { readonly id: string; readonly digest: string },
): Promise<Answer> => browser.form(`/approvals/${of.id}/review`, { decision: 'approve', digest: of.digest });

const lastRefusal = async (): Promise<unknown[]> => {
  const entry = (await at.entries('review.refused')).at(-1);
  return [
    entry?.data['code'],
    Object.keys(entry?.data ?? {}).includes('evidence') ? entry?.data['evidence'] : null,
  ];
};

const linked = async (person: string, account: string): Promise<TestBrowser> => {
  at.provider.accounts.set(account, at.provider.accounts.get(account) ?? {});
  const browser = at.browser();
  assert.equal((await browser.byLink(person)).status, 303);
  const answer = await browser.link(account);
  assert.equal(answer.status, 303, answer.text);
  return browser;
};

const signedIn = async (account: string): Promise<TestBrowser> => {
  const browser = at.browser();
  const answer = await browser.signIn(account);
  assert.equal(answer.status, 303, answer.text);
  return browser;
};

const key = (subject: string) => ({ kind: 'oidc', issuer: at.provider.issuer, subject });

describe('a second account', () => {
  test('the first counts at once, the second only after the cool-off; whoever hijacked a session gains nothing today', async () => {
    await linked('rosa', 'rosa-1');
    await linked('rosa', 'rosa-2');
    const first = await approve(await signedIn('rosa-1'), await ask());
    assert.equal(first.status, 303, first.text);
    const one = await ask();
    const second = await signedIn('rosa-2');
    const refused = await approve(second, one);
    assert.equal(refused.status, 403);
    assert.match(refused.text, /not_an_approver/);
    assert.match(refused.text, /is new, and counts for approving from \d{4}-/);
    assert.equal((await lastRefusal())[0], 'not_an_approver');
    assert.match((await second.get('/account')).text, /cannot approve yet/);
    // Denying is never too early.
    const denied = await second.form(`/approvals/${one.id}/review`, { decision: 'deny', digest: one.digest });
    assert.equal(denied.status, 303, denied.text);
    skewMs += 24 * hourMs + 60_000;
    const later = await approve(await signedIn('rosa-2'), await ask());
    assert.equal(later.status, 303, later.text);
  });

  test('nobody confirms their own, nobody but an admin confirms, and no admin by an account that is new itself', async () => {
    await linked('mia', 'mia-1');
    await linked('mia', 'mia-2');
    const mia = await signedIn('mia-1');
    assert.equal((await mia.form('/account/confirm', key('mia-2'))).status, 403, 'herself');
    await linked('rosa', 'rosa-1b').catch(() => undefined);
    const rosa = at.browser();
    await rosa.byLink('rosa');
    assert.equal((await rosa.form('/account/confirm', key('mia-2'))).status, 403, 'no admin');
    await linked('ada', 'ada-1');
    await linked('ada', 'ada-2');
    const newAda = await signedIn('ada-2');
    assert.equal((await newAda.form('/account/confirm', key('mia-2'))).status, 403, 'a new account');
    assert.equal((await newAda.form('/account/confirm', key('ada-2'))).status, 403, 'an admin’s own');
    assert.equal((await approve(await signedIn('mia-2'), await ask())).status, 403);
    const ada = await signedIn('ada-1');
    assert.equal(
      (await ada.form('/account/confirm', key('ada-2'))).status,
      403,
      'an admin’s own, by one that counts',
    );
    assert.match((await ada.get('/account')).text, /Waits for a second person/);
    assert.equal((await ada.form('/account/confirm', key('mia-2'))).status, 303);
    assert.equal((await approve(await signedIn('mia-2'), await ask())).status, 303);
    assert.deepEqual(
      (await at.entries('account.confirmed')).map(({ by, data }) => [by, data['person']]),
      [[{ kind: 'person', id: 'ada' }, 'mia']],
    );
    assert.match((await mia.get('/account')).text, /confirmed your account/, 'the person is told');
  });

  test('an account that was taken away and linked again is new again', async () => {
    const ben = await linked('ben', 'ben-1');
    assert.equal((await ben.form('/account/unlink', { ...key('ben-1'), sure: 'yes' })).status, 303);
    const again = await linked('ben', 'ben-1');
    assert.match((await again.get('/account')).text, /does not count yet/);
  });

  test('an hour-old session links nothing: both sides are proven lately', async () => {
    const browser = at.browser();
    await browser.byLink('zoe');
    skewMs += 6 * 60_000;
    at.provider.accounts.set('zoe-1', {});
    const answer = await browser.form('/sign-in/link', { provider: 'corp' });
    assert.equal(answer.status, 403);
    assert.match(answer.text, /within five minutes/);
  });
});

describe('a claimed group', () => {
  const groups = async () =>
    (await at.gate.gate().parts.store.directory()).people.find((one) => one.id === 'eve')?.groups;

  test('counts for approving after its time, or once an admin confirms it; a lost one counts for nothing at once', async () => {
    at.provider.accounts.set('eve-1', { groups: ['dept-data', 'unknown', '__proto__'] });
    await linked('eve', 'eve-1');
    assert.deepEqual(await groups(), ['sales'], 'linking claims nothing');
    const was = (await at.gate.gate().parts.store.versions()).directory;
    const eve = await signedIn('eve-1');
    assert.deepEqual(await groups(), ['sales', 'data-owners']);
    assert.equal((await at.gate.gate().parts.store.versions()).directory, was + 1);
    const one = await ask();
    const refused = await approve(eve, one);
    assert.equal(refused.status, 403, refused.text);
    assert.match(refused.text, /not_an_approver/);
    const claim = { person: 'eve', group: 'data-owners', provider: at.provider.issuer };
    assert.equal((await eve.form('/account/confirm-group', claim)).status, 403, 'herself');
    const ben = at.browser();
    await ben.byLink('ben');
    assert.equal((await ben.form('/account/confirm-group', claim)).status, 303);
    assert.equal((await approve(eve, one)).status, 403, 'she could not when it was asked');
    const two = await ask();
    assert.equal((await approve(eve, two)).status, 303);
    const three = await ask();
    at.provider.accounts.set('eve-1', { groups: [] });
    const back = await signedIn('eve-1');
    assert.deepEqual(await groups(), ['sales']);
    assert.equal((await approve(back, three)).status, 403, 'gone at once');
    assert.deepEqual(
      (await at.entries('membership.changed')).map(({ data }) => [
        data['person'],
        data['group'],
        data['how'],
      ]),
      ['claimed', 'confirmed', 'lost'].map((how) => ['eve', 'data-owners', how]),
    );
  });

  test('after the cool-off it counts; it is new again when it comes back; a claim that is no list claims nothing', async () => {
    at.provider.accounts.set('eve-1', { groups: ['dept-data'] });
    await signedIn('eve-1');
    skewMs += 24 * hourMs + 60_000;
    assert.equal((await approve(await signedIn('eve-1'), await ask())).status, 303);
    at.provider.accounts.set('eve-1', {});
    await signedIn('eve-1');
    at.provider.accounts.set('eve-1', { groups: ['dept-data'] });
    assert.equal((await approve(await signedIn('eve-1'), await ask())).status, 403, 'new again');
    at.provider.twist = { claims: (claims) => ({ ...claims, groups: { 'dept-data': true } }) };
    await signedIn('eve-1');
    at.provider.twist = {};
    assert.deepEqual(await groups(), ['sales']);
  });

  test('a group that the configuration gives is not made new by a claim', async () => {
    at.provider.accounts.set('rosa-1', { groups: ['dept-data'] });
    assert.equal((await approve(await signedIn('rosa-1'), await ask())).status, 303);
  });

  test('a restart without the mapping takes what was claimed away', async () => {
    at.provider.accounts.set('eve-1', { groups: ['dept-it'] });
    await signedIn('eve-1');
    assert.deepEqual(await groups(), ['sales', 'platform']);
    const { store } = at.gate.gate().parts;
    const dropped = await store.change({
      kind: 'dropClaims',
      keep: [{ provider: at.provider.issuer, groups: [] }],
    });
    assert.ok(dropped.ok);
    assert.deepEqual(await groups(), ['sales']);
  });
});

describe('an address', () => {
  let mail: PeopleGate;
  before(async () => {
    mail = await startPeopleGate({ corp: ', linkByEmail: dangerous-match-by-email' });
  });
  after(() => mail.close());
  const why = async () => (await mail.entries('account.refused')).at(-1)?.data['why'];
  const tries = async (subject: string, email: string, emailVerified = true): Promise<TestBrowser> => {
    mail.provider.accounts.set(subject, { email, emailVerified });
    const browser = mail.browser();
    await browser.signIn(subject);
    return browser;
  };

  test('attaches the first account of the one person who has it; never a second, never one of several or of nobody', async () => {
    assert.equal(await (await tries('m-0', 'nobody@acme.test')).who(), null);
    assert.equal(await why(), 'email of nobody');
    assert.equal(await (await tries('m-1', 'twice@acme.test')).who(), null);
    assert.equal(await why(), 'email of several');
    assert.equal(await (await tries('m-2', 'rosa@acme.test', false)).who(), null);
    assert.equal(await why(), 'unknown');
    assert.equal(await (await tries('m-3', 'Rosa@acme.test')).who(), null, 'as it is written');
    assert.equal(await (await tries('m-4', 'rosa@acme.test')).who(), 'rosa');
    assert.deepEqual(
      (await mail.entries('account.linked')).map(({ data }) => [data['person'], data['how']]),
      [['rosa', 'email']],
    );
    // An address can be given to another; the account that came first stays.
    assert.equal(await (await tries('m-5', 'rosa@acme.test')).who(), null);
    assert.equal(await why(), 'email of somebody with an account');
  });

  test('at another provider, for which nobody said so, it means nothing', async () => {
    mail.other.accounts.set('o-1', { email: 'sam@acme.test', emailVerified: true });
    const browser = mail.browser();
    await browser.signIn('o-1', 'other');
    assert.equal(await browser.who(), null);
  });
});

describe('an account of a chat', () => {
  test('whose side nobody has heard of is linked to nobody, however fresh the person’s own proof is', async () => {
    const { store } = at.gate.gate().parts;
    const way = { via: { kind: 'link' }, countsFromMs: 0, authAtMs: clock.nowMs() } as const;
    for (const account of [
      { kind: 'slack', issuer: 'T123', subject: 'U900', display: 'Zoe' },
      { kind: 'teams', issuer: 'tenant', subject: 'oid-900', display: 'Zoe' },
    ] as const) {
      const claim = { kind: 'linkAccount', person: asPersonId('zoe'), way, account, coolOffMs: 0 } as const;
      assert.ok(!(await store.change({ ...claim, code: null })).ok);
      assert.equal((await at.entries('account.refused')).at(-1)?.data['why'], 'no proof');
      assert.equal(await store.account(account), undefined);
    }
  });

  test('is attached by a code from the web, sent by the account, and confirmed on the web; guessing is bounded', async () => {
    const parts = at.gate.gate().parts;
    const slack = { kind: 'slack', issuer: 'T123', subject: 'U456', display: 'Zoe in Slack' } as const;
    const thief = { kind: 'slack', issuer: 'T123', subject: 'U666', display: 'Thief' } as const;
    const code = '12345678';
    const person = asPersonId('zoe');
    const begin = () =>
      parts.store.change({
        kind: 'begin',
        begun: {
          hash: chatCodeHash(code),
          kind: 'chat',
          person,
          body: '',
          expiresAtMs: clock.nowMs() + 600_000,
        },
      });
    assert.ok((await begin()).ok);
    const way = { via: { kind: 'link' }, countsFromMs: 0, authAtMs: clock.nowMs() } as const;
    const link = (account: typeof slack | typeof thief) =>
      parts.store.change({
        kind: 'linkAccount',
        person,
        way,
        account,
        code: chatCodeHash(code),
        coolOffMs: hourMs,
      });
    assert.equal((await link(slack)).ok, false, 'not sent yet');
    for (let guess = 0; guess < 5; guess += 1)
      assert.ok(
        (
          await parts.store.change({
            kind: 'sendCode',
            code: chatCodeHash(`0000000${guess}`),
            account: thief,
          })
        ).ok,
      );
    const sixth = await parts.store.change({ kind: 'sendCode', code: chatCodeHash(code), account: thief });
    assert.ok(!sixth.ok && sixth.error.kind === 'refused' && sixth.error.refusal.code === 'quota');
    assert.ok(
      (await parts.store.change({ kind: 'sendCode', code: chatCodeHash('1234 5678'), account: slack })).ok,
    );
    assert.equal((await link(thief)).ok, false, 'another account than the one that sent it');
    assert.ok((await link(slack)).ok);
    assert.equal((await link(slack)).ok, false, 'once');
    assert.equal((await parts.store.account(slack))?.person, 'zoe');
  });
});

describe('what is new vouches for no passkey', () => {
  const granted = async () => (await at.entries('passkey.granted')).length;

  test('passkey-enrolment: an administrator by a group that a provider claimed a moment ago grants nobody a passkey', async () => {
    at.provider.accounts.set('zoe-9', { groups: ['dept-admin'] });
    await linked('zoe', 'zoe-9');
    await signedIn('zoe-9');
    const { people } = await at.gate.gate().parts.store.directory();
    assert.ok(people.find((one) => one.id === 'zoe')?.groups.some((one) => one === 'admins'));
    const was = await granted();
    const token = await at.gate.token('person', 'zoe');
    const answer = await at.gate.call(token, 'POST', '/v1/people/mia/enrolments', {});
    assert.deepEqual([answer.status, answer.body.code], [403, 'not_permitted']);
    assert.equal(await granted(), was);
    skewMs += 24 * hourMs + 60_000;
    const later = await at.gate.call(token, 'POST', '/v1/people/mia/enrolments', {});
    assert.equal(later.status, 201, JSON.stringify(later.body));
  });

  test('passkey-enrolment: an administrator with an account that is new itself grants none either', async () => {
    await linked('ben', 'ben-8');
    await linked('ben', 'ben-9');
    const was = await granted();
    const fresh = await signedIn('ben-9');
    const answer = await fresh.form('/passkeys/grant', { person: 'mia' });
    assert.equal(answer.status, 403, answer.text);
    assert.equal(await granted(), was);
  });
});

describe('a restore of a backup', () => {
  test('hands back no account that was taken away since, and no group that was lost; what was linked since is nobody else’s', async (t) => {
    const own = await startPeopleGate({
      corp: ', scopes: [profile, email, groups], groups: { claim: groups, map: { "dept-data": data-owners, "dept-it": platform } }',
    });
    t.after(() => own.close());
    const signsIn = async (account: string): Promise<string | null> => {
      const browser = own.browser();
      await browser.signIn(account);
      return browser.who();
    };
    const links = async (
      person: string,
      account: string,
      groups: readonly string[],
    ): Promise<TestBrowser> => {
      own.provider.accounts.set(account, { groups: [...groups] });
      const browser = own.browser();
      assert.equal((await browser.byLink(person)).status, 303);
      assert.equal((await browser.link(account)).status, 303);
      return browser;
    };
    const groupsOf = async (person: string) =>
      (await own.gate.gate().parts.store.directory()).people.find((one) => one.id === person)?.groups;
    const rosa = await links('rosa', 'rosa-1', []);
    await links('eve', 'eve-1', ['dept-data', 'dept-it']);
    assert.equal(await signsIn('eve-1'), 'eve');
    assert.deepEqual(await groupsOf('eve'), ['sales', 'data-owners', 'platform']);
    const file = join(own.gate.folder, 'copy.db');
    assert.ok((await own.gate.gate().parts.store.backup(file)).ok);
    const taken = { kind: 'oidc', issuer: own.provider.issuer, subject: 'rosa-1' };
    assert.equal((await rosa.form('/account/unlink', { ...taken, sure: 'yes' })).status, 303);
    own.provider.accounts.set('eve-1', { groups: ['dept-it'] });
    assert.equal(await signsIn('eve-1'), 'eve');
    await links('zoe', 'zoe-1', []);
    assert.equal(await signsIn('zoe-1'), 'zoe');
    const restored = await restoreSqlite({ directory: join(own.gate.folder, 'data'), file });
    assert.ok(restored.ok, JSON.stringify(restored));
    await own.gate.restart();
    own.provider.ready(`${own.gate.gate().origin}${redirectPath}`);
    assert.deepEqual(await groupsOf('eve'), ['sales', 'platform'], 'what was lost since stays lost');
    assert.equal(await signsIn('rosa-1'), null, 'taken away stays so');
    assert.equal(await signsIn('zoe-1'), null, 'linked since');
    const stolen = own.browser();
    await stolen.byLink('mia');
    assert.equal((await stolen.link('zoe-1')).status, 403, 'and is still zoe’s');
  });
});
