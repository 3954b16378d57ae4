/**
 * Passkeys in Chromium with its virtual authenticator: enrolling one, approving with it, what is refused in a real browser; and
 * the stored signature verified by `fido2-assert`, which is not ours (Debian: fido2-tools).
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { verifiable } from '../../src/cli/passkey.ts';
import { asPersonId } from '../../src/core/ids.ts';
import type { Proof } from '../../src/core/passkey.ts';
import { newLink } from '../../src/identity/sessions.ts';
import { systemRandom } from '../../src/main.ts';
import { eventually, operations, startTestGate, type Answer, type TestGate } from '../support/gate.ts';
import { signedPolicies, signers } from '../support/passkeys.ts';
import { openBrowser, overflow, personAt, type Watched } from './browser.ts';

const run = promisify(execFile);

let gate: TestGate;
let browser: Browser;
let origin: string;
before(async () => {
  gate = await startTestGate({
    config: `${signers}${operations}passkeys: { allowVirtualAuthenticator: true }\n`,
    policies: signedPolicies,
  });
  ({ origin } = gate.gate());
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await gate?.stop();
});

async function as(who: string, at = origin): Promise<Watched> {
  const { token, hash } = newLink(systemRandom);
  const made = await gate.gate().parts.store.change({
    kind: 'link',
    person: asPersonId(who),
    hash,
    expiresAtMs: Date.now() + 3_600_000,
  });
  assert.ok(made.ok);
  return personAt(browser, at, token);
}

/** A phone in the browser: it verifies its person, or does not. */
async function authenticator(page: Page): Promise<{ cdp: CDPSession; id: string }> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return { cdp, id: authenticatorId };
}

let cents = 1000;
async function ask(): Promise<Answer['body']> {
  const bot = await gate.token('agent', 'crm-bot');
  const made = await gate.call(bot, 'POST', '/v1/actions', {
    operation: 'shop___refund',
    input: { cents: (cents += 1) },
  });
  assert.equal(made.status, 202, JSON.stringify(made.body));
  return made.body.approval;
}

const sees = (page: Page, text: string | RegExp): Promise<void> =>
  page.getByText(text).first().waitFor({ timeout: 10_000 });

/** Lee grants, the person redeems. */
async function enrolAt(at: Watched, who: string): Promise<void> {
  const lee = await as('lee');
  await lee.page.goto(`${origin}/passkeys`);
  await lee.page.selectOption('#grant-person', who);
  await lee.page.click('#grant button');
  const link = await lee.page.textContent('#granted-link');
  assert.deepEqual(lee.wrong, []);
  await lee.close();
  await at.page.goto(link ?? '');
  assert.equal(new URL(at.page.url()).hash, '', 'the secret leaves the address');
  await at.page.fill('#enrol-name', 'My phone');
  await at.page.click('#enrol button[type=submit]');
  await at.page.locator('.chip.good', { hasText: 'counts' }).first().waitFor({ timeout: 10_000 });
}

test('step-up: enrolled and signed in a real browser, and verified by a tool that is not ours', async (t) => {
  const rosa = await as('rosa');
  t.after(() => rosa.close());
  await authenticator(rosa.page);
  const approval = await ask();
  await rosa.page.goto(`${origin}/approvals/${approval.id}`);
  await sees(rosa.page, 'you have none yet');
  await enrolAt(rosa, 'rosa');
  await rosa.page.goto(`${origin}/approvals/${approval.id}`);
  await rosa.page.click('#approve');
  await sees(rosa.page, 'Rosa Diaz');
  await sees(rosa.page, /approved/i);
  assert.deepEqual(rosa.wrong, []);

  // From the log alone.
  const auditor = await gate.token('person', 'ada');
  const log = await gate.call(auditor, 'GET', '/v1/log?limit=1000');
  const entry = log.body.items.find((one: { type: string }) => one.type === 'review.recorded');
  const proof: Proof = entry.data.proof;
  const folder = await mkdtemp(join(tmpdir(), 'countersign-fido2-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const { texts, type } = verifiable(proof);
  for (const [name, text] of Object.entries(texts)) await writeFile(join(folder, name), text);
  const verify = (): Promise<unknown> =>
    run('fido2-assert', ['-V', '-p', '-v', '-i', join(folder, 'assertion'), join(folder, 'key.pem'), type]);
  await verify();
  // What the browser signed is the hash of the statement, and the statement names all of it.
  const clientData = JSON.parse(texts['client-data.json'] ?? '') as { challenge: string };
  const hash = createHash('sha256').update(`countersign.approval.v1\0${proof.statement}`).digest('base64url');
  assert.equal(clientData.challenge, hash);
  const statement = JSON.parse(proof.statement) as Record<string, unknown>;
  assert.deepEqual(
    [statement['approval'], statement['digest'], statement['decision'], statement['person']],
    [approval.id, entry.data.digest, 'approve', 'rosa'],
  );
  // The same tool refuses one changed byte.
  const lines = (await readFile(join(folder, 'assertion'), 'utf8')).split('\n');
  lines[0] = createHash('sha256').update('something else').digest('base64');
  await writeFile(join(folder, 'assertion'), lines.join('\n'));
  await assert.rejects(verify());
});

test('step-up: an authenticator that does not verify its person signs nothing here', async (t) => {
  const mia = await as('mia');
  t.after(() => mia.close());
  const { cdp, id } = await authenticator(mia.page);
  await enrolAt(mia, 'mia');
  await cdp.send('WebAuthn.setUserVerified', { authenticatorId: id, isUserVerified: false });
  const approval = await ask();
  await mia.page.goto(`${origin}/approvals/${approval.id}`);
  await mia.page.click('#approve');
  await sees(mia.page, 'Nothing was done');
  const held = await gate.gate().parts.store.caseBy({ approval: approval.id });
  assert.deepEqual(held?.reviews, []);
  await cdp.send('WebAuthn.setUserVerified', { authenticatorId: id, isUserVerified: true });
  await mia.page.click('#approve');
  const reviews = async () =>
    (await gate.gate().parts.store.caseBy({ approval: approval.id }))?.reviews ?? [];
  await eventually(async () => (await reviews()).length === 1, 'the review');
  assert.deepEqual(
    (await reviews()).map((one) => one.person),
    ['mia'],
  );
  // Chromium may not close a page that is on its way from a ceremony to its answer.
  await sees(mia.page, /approved/i);
  await mia.page.waitForLoadState('load');
  assert.deepEqual(mia.wrong, []);
});

test('step-up: a second passkey is vouched for by the first, and does not count yet', async (t) => {
  const rosa = await as('rosa');
  t.after(() => rosa.close());
  const { cdp, id } = await authenticator(rosa.page);
  await enrolAt(rosa, 'rosa');
  // The person signs with the phone, and then takes a key to be enrolled.
  await rosa.page.exposeFunction('takeTheKey', async () => {
    await cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: id });
    await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'usb',
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
  });
  await rosa.page.addInitScript(`{
    const make = navigator.credentials.create.bind(navigator.credentials);
    navigator.credentials.create = async (options) => { await takeTheKey(); return make(options); };
  }`);
  await rosa.page.goto(`${origin}/passkeys`);
  const had = (await gate.gate().parts.store.passkeysOf(asPersonId('rosa'))).length;
  await rosa.page.fill('#enrol-name', 'My key');
  await rosa.page.click('#enrol button[type=submit]');
  await sees(rosa.page, 'does not count yet');
  assert.equal((await gate.gate().parts.store.passkeysOf(asPersonId('rosa'))).length, had + 1);
  const lee = await as('lee');
  t.after(() => lee.close());
  await lee.page.goto(`${origin}/passkeys`);
  await lee.page.click('form[action="/passkeys/confirm"] button');
  await sees(lee.page, 'No new passkey waits');
  assert.deepEqual([...rosa.wrong, ...lee.wrong], []);
});

test('passkey-enrolment: the browser’s virtual authenticator is refused where the configuration does not allow it', async (t) => {
  const strict = await startTestGate({ config: `${signers}${operations}`, policies: signedPolicies });
  t.after(() => strict.stop());
  const { origin: other, parts } = strict.gate();
  const { token, hash } = newLink(systemRandom);
  const link = { kind: 'link', person: asPersonId('rosa'), hash, expiresAtMs: Date.now() + 60_000 } as const;
  assert.ok((await parts.store.change(link)).ok);
  const rosa = await personAt(browser, other, token);
  t.after(() => rosa.close());
  await authenticator(rosa.page);
  const granted = await strict.call(
    await strict.token('person', 'lee'),
    'POST',
    '/v1/people/rosa/enrolments',
  );
  await rosa.page.goto(granted.body.url.replace(/^.*\/passkeys/, `${other}/passkeys`));
  await rosa.page.fill('#enrol-name', 'Robot');
  await rosa.page.click('#enrol button[type=submit]');
  await sees(rosa.page, 'virtual authenticator proves no person');
  assert.deepEqual(await parts.store.passkeysOf(asPersonId('rosa')), []);
});

test('step-up: under an address instead of its name the page says where passkeys work', async (t) => {
  const address = origin.replace('localhost', '127.0.0.1');
  const rosa = await as('rosa', address);
  t.after(() => rosa.close());
  await authenticator(rosa.page);
  await rosa.page.goto(`${address}/passkeys`);
  await rosa.page.fill('#enrol-grant', 'cs_enrolment_x');
  await rosa.page.click('#enrol button[type=submit]');
  await sees(rosa.page, `Open this page at ${origin}/passkeys`);
});

test('the passkeys’ page on a phone is not wider than its window, in light and dark', async (t) => {
  for (const who of ['rosa', 'lee']) {
    const at = await as(who);
    t.after(() => at.close());
    for (const width of [360, 1200]) {
      await at.page.setViewportSize({ width, height: 800 });
      await at.page.goto(`${origin}/passkeys`);
      assert.equal(await overflow(at.page), 0, `${who} at ${width}`);
    }
    assert.deepEqual(at.wrong, []);
  }
});
