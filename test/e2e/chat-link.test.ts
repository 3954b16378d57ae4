/** Linking an account of a chat in Chromium: one click in the chat, one sign-in, one confirmation; the secret never leaves the address bar but in a form. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { createChat } from '../../src/app/chat/chat.ts';
import { asPersonId } from '../../src/core/ids.ts';
import type { ChatAccount } from '../../src/ports/chat.ts';
import { startPeopleGate, type PeopleGate } from '../identity/support/people-gate.ts';
import { openBrowser, overflow } from './browser.ts';

let at: PeopleGate;
let browser: Browser;
before(async () => {
  at = await startPeopleGate();
  at.provider.accounts.set('rosa-1', { name: 'Rosa' });
  const rosa = at.browser();
  await rosa.byLink('rosa');
  assert.equal((await rosa.link('rosa-1')).status, 303);
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await at?.close();
});

const linkOf = async (account: ChatAccount): Promise<string> => {
  const url = await createChat(at.gate.gate().parts, new Set(['slack'])).linkUrl(account);
  assert.ok(url.ok);
  return url.value;
};
const linked = async ({ kind, issuer, subject }: ChatAccount) =>
  (await at.gate.gate().parts.store.account({ kind, issuer, subject }))?.person;

const slackOf = (subject: string): ChatAccount => ({
  kind: 'slack',
  issuer: 'T1',
  subject,
  display: 'Rosa Diaz',
});

for (const javaScriptEnabled of [true, false])
  test(`from a chat to one’s own page, ${javaScriptEnabled ? 'signing in on the way' : 'without script'}`, async () => {
    const account = slackOf(javaScriptEnabled ? 'U1' : 'U2');
    const url = await linkOf(account);
    const secret = new URL(url).hash.slice(1);
    const context = await browser.newContext({
      javaScriptEnabled,
      viewport: { width: 390, height: 800 },
    });
    const page = await context.newPage();
    const asked: string[] = [];
    const wrong: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    page.on('pageerror', (error) => wrong.push(error.message));
    await page.goto(url);
    assert.match(await page.innerText('main'), /You are not signed in/);
    if (javaScriptEnabled) assert.equal(page.url(), `${at.origin}/link`, 'gone from the address bar');
    await page.getByRole('link', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Continue with Acme login' }).click();
    await page.waitForURL(/\/login\//);
    await page.fill('input[name=login]', 'rosa-1');
    await page.click('button[type=submit]');
    if (!javaScriptEnabled) {
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.waitForURL(`${at.origin}/link`);
      await page.getByRole('textbox', { name: 'Link' }).fill(url);
      await page.getByRole('button', { name: 'Look at it' }).click();
    }
    await page.getByRole('heading', { name: 'Is this your Slack account?' }).waitFor();
    assert.equal(await linked(account), undefined);
    const text = await page.innerText('main');
    assert.match(text, new RegExp(`${account.subject}[\\s\\S]*T1[\\s\\S]*“Rosa Diaz”`));
    assert.match(text, /Whoever has this Slack account approves, denies and stops as Rosa Diaz/);
    assert.equal(await overflow(page), 0, 'nothing beside the page of a phone');
    await page.getByLabel(/is my own account/).check();
    await page.getByRole('button', { name: `Link ${account.subject} to Rosa Diaz` }).click();
    await page.waitForURL(`${at.origin}/account`);
    assert.equal(await linked(account), asPersonId('rosa'));
    assert.match(await page.innerText('main'), /Slack T1/);
    // Whoever pastes it into a form posts it; no address that was asked for holds it.
    assert.deepEqual(
      asked.filter((one) => new URL(one).hash === '' && one.includes(secret)),
      [],
    );
    assert.deepEqual(wrong, []);
    if (javaScriptEnabled) {
      await page.goto(url);
      await page.getByText('was used, is too old or never existed').waitFor();
      await page.goto(`${at.origin}/link`);
      assert.equal(await page.getByText('was used').count(), 0, 'and the browser keeps it no longer');
    }
    await context.close();
  });
