/** Signing in with a real provider in Chromium: link an account, sign in with it, approve with it, sign out everywhere; with and without script. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { asPersonId } from '../../src/core/ids.ts';
import { newLink } from '../../src/identity/sessions.ts';
import { systemRandom } from '../../src/main.ts';
import { startPeopleGate, type PeopleGate } from '../identity/support/people-gate.ts';
import { openBrowser, overflow, personAt, type Watched } from './browser.ts';

let at: PeopleGate;
let browser: Browser;
before(async () => {
  at = await startPeopleGate();
  at.provider.accounts.set('rosa-1', { name: 'Rosa' });
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await at?.close();
});

const linkFor = async (person: string): Promise<string> => {
  const { token, hash } = newLink(systemRandom);
  const { store, clock } = at.gate.gate().parts;
  const expiresAtMs = clock.nowMs() + 60_000;
  assert.ok((await store.change({ kind: 'link', person: asPersonId(person), hash, expiresAtMs })).ok);
  return token;
};

/** At the provider: somebody logs in, unless they are still. */
async function logsIn(page: Page, login: string): Promise<void> {
  await page.waitForURL(/\/login\//);
  await page.fill('input[name=login]', login);
  await page.click('button[type=submit]');
}

/** What went wrong but going to the provider, which is elsewhere indeed. */
const wrongOf = (watched: Watched): readonly string[] =>
  watched.wrong.filter((one) => !one.startsWith(`elsewhere: ${at.provider.issuer}/`));

async function signsIn(options: Parameters<Browser['newContext']>[0] = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on('console', (message) => {
    // Whoever is not signed in is told so, by the page's own question.
    const asks = message.location().url === `${at.origin}/sign-in/session`;
    if (message.type() === 'error' && !asks) wrong.push(`${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', (error) => wrong.push(error.message));
  let callback = '';
  page.on('framenavigated', (frame) => {
    if (frame.url().includes('/sign-in/oidc/callback')) callback = frame.url();
  });
  await page.goto(`${at.origin}/sign-in?next=%2Faccount`);
  await page.getByRole('button', { name: 'Continue with Acme login' }).click();
  await logsIn(page, 'rosa-1');
  if (options.javaScriptEnabled === false) await page.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL(`${at.origin}/account`);
  return { page, context, wrong, callback };
}

test('an account is linked from one’s own page, signs in from then on, and approves', async () => {
  const rosa = await personAt(browser, at.origin, await linkFor('rosa'));
  await rosa.page.click('a.name');
  await rosa.page.waitForURL(`${at.origin}/account`);
  await rosa.page.getByRole('button', { name: 'Link Acme login' }).click();
  await logsIn(rosa.page, 'rosa-1');
  await rosa.page.waitForURL(`${at.origin}/account`);
  await rosa.page.getByText('was linked to you').waitFor();
  assert.equal(await overflow(rosa.page), 0);
  assert.deepEqual(wrongOf(rosa), []);
  await rosa.close();

  const { page, context, wrong } = await signsIn();
  await page.getByText('signed in with Acme login').first().waitFor();
  assert.ok(!(await page.content()).includes('code='), 'nothing of the callback is on the page');
  const agent = await at.gate.token('agent', 'crm-bot');
  const asked = await at.gate.call(agent, 'POST', '/v1/actions', {
    operation: 'shop___refund',
    input: { cents: 500 },
  });
  const id = String(asked.body.approval.id);
  await page.goto(`${at.origin}/approvals/${id}`);
  await page.click('#approve');
  await page.getByText('Approved').first().waitFor();
  const held = await at.gate.gate().parts.store.caseBy({ approval: asked.body.approval.id });
  assert.deepEqual(
    held?.reviews.map(({ person, via }) => [person, via]),
    [['rosa', { kind: 'account', account: { kind: 'oidc', issuer: at.provider.issuer, subject: 'rosa-1' } }]],
    'the review carries how its person had signed in',
  );
  assert.deepEqual(wrong, []);
  await context.close();
});

test('on a phone, in the dark; then out of everywhere at once', async () => {
  const phone = { viewport: { width: 320, height: 640 }, colorScheme: 'dark' } as const;
  const [one, two] = [await signsIn(phone), await signsIn()];
  assert.equal(await overflow(one.page), 0);
  await one.page.getByRole('button', { name: 'Sign out everywhere' }).click();
  await one.page.waitForURL(`${at.origin}/sign-in`);
  await two.page.goto(`${at.origin}/inbox`);
  await two.page.getByText('You are not signed in').waitFor();
  assert.deepEqual(one.wrong, []);
  await Promise.all([one, two].map(({ context }) => context.close()));
});

test('without script: each step is a button', async () => {
  const { context } = await signsIn({ javaScriptEnabled: false });
  await context.close();
});

test('the page that the provider sent one to signs nobody in again, opened once more', async () => {
  const { page, context, callback } = await signsIn();
  assert.match(callback, /code=.+state=/);
  const entries = await at.entries('person.signed_in');
  await page.goto(callback);
  await page.getByText('was finished already').waitFor();
  await page.goto(`${at.origin}/account`);
  await page.getByText('signed in with Acme login').first().waitFor();
  assert.equal((await at.entries('person.signed_in')).length, entries.length);
  await context.close();
});
