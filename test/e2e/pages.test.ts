/** The pages in Chromium: at a desk and on a phone, light and dark, by keyboard, live, without script, under attack. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { stateOf, type Case } from '../../src/core/case.ts';
import { scenes } from '../http/pages/scenes.ts';
import { openPages, type PagesGate } from '../http/pages/support.ts';
import { openBrowser, overflow, personAt, type Watched } from './browser.ts';

let gate: PagesGate;
let browser: Browser;
before(async () => {
  gate = await openPages({ listen: true });
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await gate?.close();
});

const as = async (who: string, options: Parameters<typeof personAt>[3] = {}): Promise<Watched> =>
  personAt(browser, gate.origin, await gate.link(who), options);
const urlOf = (held: Case): string => `${gate.origin}/approvals/${held.approval?.id ?? ''}`;
const pathOf = (held: Case): string => `/approvals/${held.approval?.id ?? ''}`;
const stateNow = async (held: Case) => stateOf(await gate.held(held.approval?.id), Date.now());
let runs = 0;
const fresh = () => ({ run: `e2e-${(runs += 1)}` });
const focused = (page: Page): Promise<unknown> => page.evaluate('document.activeElement?.id');
/** The title starts with the count. Asked again and again: the pages' policy forbids `waitForFunction` its eval. */
async function titled(page: Page, count: number): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if ((await page.title()).startsWith(`(${count}) `)) return;
    await page.waitForTimeout(50);
  }
  assert.fail(`the title is ${await page.title()}, not (${count}) …`);
}
const sees = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor({ timeout: 10_000 });

test('every page, at three widths, light and dark: nothing wrong, nothing wider than the window', async () => {
  const held = [
    await scenes.export(gate),
    await scenes.grant(gate),
    await scenes.region(gate),
    await scenes.file(gate),
    await scenes.long(gate),
    await scenes.hostile(gate),
  ];
  const pages: readonly (readonly [string, string])[] = [
    ['mia', '/inbox'],
    ['ada', '/log'],
    ['tom', '/inbox'],
    ['sam', pathOf(await scenes.export(gate))],
    ...held.map((one) => ['mia', pathOf(one)] as const),
  ];
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const who of ['mia', 'ada', 'tom', 'sam']) {
      const at = await as(who, { colorScheme });
      for (const [, path] of pages.filter(([by]) => by === who)) {
        await at.page.goto(gate.origin + path);
        await at.page.locator('h1').first().waitFor({ state: 'attached' });
        for (const width of [1280, 390, 320]) {
          await at.page.setViewportSize({ width, height: 844 });
          assert.equal(await overflow(at.page), 0, `${path} at ${width}`);
        }
      }
      assert.deepEqual(at.wrong, [], `${who} ${colorScheme}`);
      await at.close();
    }
  }
});

test('by keyboard alone: from the inbox to the approval, to Approve, and only Enter decides', async () => {
  // Like no other: what is alike shares a card, which leads to the oldest.
  const held = await gate.ask('run_script', { by: 'keyboard' }, fresh());
  const { page, wrong, close } = await as('mia');
  await page.locator(`a.row[href="${pathOf(held)}"]`).waitFor();
  await page.keyboard.press('j');
  assert.match(String(await page.evaluate('document.activeElement.className')), /row/);
  while ((await page.evaluate('document.activeElement.getAttribute("href")')) !== pathOf(held))
    await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.waitForURL(urlOf(held));
  await page.keyboard.press('a');
  assert.equal(await focused(page), 'approve');
  assert.equal(await stateNow(held), 'pending');
  await page.keyboard.press('u');
  await page.waitForURL(`${gate.origin}/inbox`);
  await page.goto(urlOf(held));
  for (let tabs = 0; tabs < 60 && (await focused(page)) !== 'approve'; tabs += 1)
    await page.keyboard.press('Tab');
  assert.equal(await focused(page), 'approve');
  await page.keyboard.press('Enter');
  await sees(page, 'Approved, not run yet');
  assert.equal(await stateNow(held), 'ready');
  assert.equal(page.url(), urlOf(held));
  assert.deepEqual(wrong, []);
  await close();
});

test('the skip link leads to the content; ? shows the keys and Escape hides them', async () => {
  const { page, wrong, close } = await as('mia');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate('document.activeElement.textContent'), 'Skip to the content');
  await page.keyboard.press('Enter');
  assert.equal(await focused(page), 'main');
  await page.keyboard.press('?');
  assert.equal(await page.locator('#keys').isVisible(), true);
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('#keys').isVisible(), false);
  assert.deepEqual(wrong, []);
  await close();
});

test('denying with a reason, by keyboard', async () => {
  const held = await scenes.export(gate, fresh());
  const { page, wrong, close } = await as('rosa', { viewport: { width: 390, height: 844 } });
  await page.goto(urlOf(held));
  await page.keyboard.press('d');
  assert.equal(await focused(page), 'deny-reason');
  await page.keyboard.type('Use the aggregate table. a j d ?');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await sees(page, /Denied by Rosa Diaz/);
  const now = await gate.held(held.approval?.id);
  assert.deepEqual(
    [now.ending?.code, now.ending?.reason, now.reviews[0]?.unsafe],
    ['denied', 'Use the aggregate table. a j d ?', true],
  );
  assert.deepEqual(wrong, []);
  await close();
});

test('another person’s review appears by itself; typed text, focus and caret stay', async () => {
  const held = await scenes.grant(gate, fresh());
  const { page, wrong, close } = await as('mia');
  await page.goto(urlOf(held));
  await sees(page, '0 of 2');
  await page.fill('#approve-reason', 'I looked at the jobs');
  await page.keyboard.press('ArrowLeft');
  await page.evaluate('window.stays = 1');
  const answer = await gate.post(await gate.signIn('rosa'), `${pathOf(held)}/review`, {
    decision: 'approve',
    digest: held.asked.digest,
    reason: 'On call.',
  });
  assert.equal(answer.status, 303);
  await sees(page, '1 of 2');
  await sees(page, 'On call.');
  assert.equal(await page.inputValue('#approve-reason'), 'I looked at the jobs');
  assert.equal(await focused(page), 'approve-reason');
  assert.equal(
    await page.evaluate('document.activeElement.selectionStart'),
    'I looked at the jobs'.length - 1,
  );
  assert.equal(await page.textContent('#announce'), 'Waiting for approval. 1 of 2 approvals.');
  assert.equal(await page.evaluate('window.stays'), 1, 'the page was not loaded again');
  await page.click('#approve');
  await sees(page, 'Approved, not run yet');
  assert.deepEqual(wrong, []);
  await close();
});

test('when somebody else denies, the buttons go', async () => {
  const held = await scenes.export(gate, fresh());
  const { page, wrong, close } = await as('mia');
  await page.goto(urlOf(held));
  await page.keyboard.press('a');
  await gate.post(await gate.signIn('sam'), `${pathOf(held)}/review`, {
    decision: 'deny',
    digest: held.asked.digest,
    reason: 'Mine; not today.',
  });
  await sees(page, /Denied by Sam Lee/);
  assert.equal(await page.locator('#approve').count(), 0);
  assert.equal(await focused(page), 'main');
  assert.deepEqual(wrong, []);
  await close();
});

test('a new approval appears in every open tab, and in the title', async () => {
  const { page, wrong, close } = await as('lee');
  const second = await page.context().newPage();
  await second.goto(`${gate.origin}/inbox`);
  const count = async (tab: Page) => Number(/^\((\d+)\)/.exec(await tab.title())?.[1] ?? 0);
  const had = await count(page);
  await gate.ask('run_script', { n: 1 }, fresh());
  for (const tab of [page, second]) {
    await titled(tab, had + 1);
    assert.equal(await tab.locator('.top .count').textContent(), String(had + 1));
  }
  // The tab that held the stream goes; the other takes over.
  await page.close();
  await gate.ask('run_script', { n: 2 }, fresh());
  await titled(second, had + 2);
  assert.deepEqual(wrong, []);
  await close();
});

test('what an agent writes is text: no markup, no script, no other order', async () => {
  const held = await gate.ask(
    'run_script',
    {
      a: '<img src=x onerror="window.pwned=1">',
      b: '"><script>window.pwned=1</script>',
      c: '\u202Edrowssap',
      d: 'مرحبا 123 rm -rf /',
      e: 'x\n</ol></div><h1 id=fake>Approved</h1>',
    },
    {
      ...fresh(),
      session: '<svg onload=window.pwned=1>',
      reason:
        '<a href="javascript:window.pwned=1">click</a>\n</blockquote><form action=/evil><button>Approve</button></form>',
    },
  );
  const { page, wrong, close } = await as('mia');
  await page.goto(urlOf(held));
  assert.equal(await page.evaluate('window.pwned'), undefined);
  assert.equal(
    await page.locator('main img, #fake, main a[href^=javascript], form[action="/evil"]').count(),
    0,
  );
  assert.match(String(await page.textContent('.exact, #exact + div')), /⟨U\+202E⟩drowssap/);
  // Left to right, as it is sent: the Arabic word stands before the digits on the screen too.
  const boxes = await page.evaluate<readonly number[]>(`(() => {
    const text = [...document.querySelectorAll('.code bdi.text')].find((one) => one.textContent.includes('rm -rf')).firstChild;
    const at = (from, to) => { const range = document.createRange(); range.setStart(text, from); range.setEnd(text, to); return range.getBoundingClientRect().left; };
    return [at(text.data.indexOf('م'), text.data.indexOf('م') + 1), at(text.data.indexOf('1'), text.data.indexOf('1') + 1), at(text.data.indexOf('rm'), text.data.indexOf('rm') + 1)];
  })()`);
  assert.deepEqual(
    boxes,
    boxes.toSorted((one, other) => one - other),
  );
  assert.deepEqual(wrong, []);
  await close();
});

test('without script everything can still be decided', async () => {
  const held = await scenes.export(gate, fresh());
  const { page, wrong, close } = await as('rosa', { javaScriptEnabled: false });
  await page.goto(urlOf(held));
  await page.click('#approve');
  await page.waitForURL(urlOf(held));
  assert.equal(await stateNow(held), 'ready');
  assert.deepEqual(wrong, []);
  await close();
});

test('a second click while the first is on its way decides nothing more', async () => {
  const held = await scenes.export(gate, fresh());
  const { page, wrong, close } = await as('rosa');
  await page.goto(urlOf(held));
  await page.dblclick('#approve');
  await sees(page, 'Approved, not run yet');
  assert.equal(await page.locator('.banner').count(), 0);
  assert.equal((await gate.held(held.approval?.id)).reviews.length, 1);
  assert.deepEqual(wrong, []);
  await close();
});

test('a page that was refused shows why, and reloads as itself', async () => {
  const held = await scenes.export(gate, fresh());
  const { page, close } = await as('rosa');
  await page.goto(urlOf(held));
  await page.evaluate('document.querySelector(".approve [name=digest]").value = "sha256:0"');
  await page.click('#approve');
  await sees(page, 'Not done.');
  assert.equal(page.url(), urlOf(held));
  await page.reload();
  assert.equal(await page.locator('.banner').count(), 0);
  assert.equal(await stateNow(held), 'pending');
  await close();
});

test('a page says when it is not live, and catches up by itself', async () => {
  const held = await scenes.export(gate, fresh());
  const { page, close } = await as('rosa');
  await page.route('**/events', (route) => route.abort());
  await page.goto(urlOf(held));
  await sees(page, 'Not live at the moment: connecting again.');
  await gate.post(await gate.signIn('mia'), `${pathOf(held)}/review`, {
    decision: 'deny',
    digest: held.asked.digest,
    reason: 'Not now.',
  });
  await page.unroute('**/events');
  await sees(page, /Denied by Mia Chen/);
  assert.equal(await page.locator('#link').isVisible(), false);
  await close();
});

test('a link from elsewhere opens for whoever is signed in, though its cookie is strict', async () => {
  const held = await scenes.export(gate, fresh());
  const { page, close } = await as('rosa');
  await page.goto(`data:text/html,<a id=out href="${urlOf(held)}">look</a>`);
  await page.click('#out');
  await sees(page, 'Approve this exact action');
  assert.equal(page.url(), urlOf(held));
  assert.equal(await stateNow(held), 'pending');
  await close();
});
