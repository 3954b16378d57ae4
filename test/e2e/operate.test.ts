/** The reading pages in Chromium: at a desk and on a phone, light and dark, with and without script; stop, lift, accept, search. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { Case } from '../../src/core/case.ts';
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
const pathOf = (held: Case): string => `/approvals/${held.approval?.id ?? ''}`;
const sees = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor({ timeout: 10_000 });
let runs = 0;
const fresh = () => ({ run: `operate-${(runs += 1)}` });
const pin = async (description: string): Promise<void> => {
  const made = await gate.parts.store.change({
    kind: 'pin',
    server: 'ops',
    pin: 'first-sight',
    definitions: [{ name: 'delete_region', description, inputSchema: { type: 'object' } }],
  });
  assert.ok(made.ok);
  await gate.parts.world.sync();
};
const toolNow = async () => (await gate.parts.store.tools('ops')).find((one) => one.tool === 'delete_region');

test('every reading page, at four widths, light and dark: nothing wrong, nothing wider than the window', async () => {
  await scenes.export(gate, fresh());
  await scenes.hostile(gate);
  await pin(`${'Averylongwordwithoutanyspace'.repeat(20)} \u202E and <b>more</b>`);
  gate.board.say({
    kind: 'channel',
    name: 'webhook',
    ok: false,
    detail: `https://hooks.acme.test/${'x'.repeat(200)} answered 503`,
    atMs: Date.now(),
  });
  const pages: readonly (readonly [who: string, paths: readonly string[]])[] = [
    [
      'ada',
      [
        '/log',
        '/log?text=ops&type=action.asked&agent=crm-bot',
        '/log/5',
        '/policies',
        '/agents',
        '/agent?id=crm-bot',
        '/people',
        '/person?id=rosa',
        '/evidence',
        '/reconciliations',
        '/retention',
        '/status',
      ],
    ],
    [
      'olga',
      [
        '/servers',
        '/tool?server=ops&name=delete_region',
        '/tool?server=ops&name=export_rows',
        '/agent?id=crm-bot',
        '/evidence',
        '/retention',
      ],
    ],
    ['tom', ['/policies', '/people']],
  ];
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const [who, paths] of pages) {
      const at = await as(who, { colorScheme });
      for (const path of paths) {
        await at.page.goto(gate.origin + path);
        await at.page.locator('h1').first().waitFor({ state: 'attached' });
        await at.page.evaluate(
          'for (const one of document.querySelectorAll("main details")) one.open = true',
        );
        for (const width of [1280, 390, 360, 320]) {
          await at.page.setViewportSize({ width, height: 844 });
          assert.equal(await overflow(at.page), 0, `${path} at ${width}`);
        }
      }
      assert.deepEqual(at.wrong, [], `${who} ${colorScheme}`);
      await at.close();
    }
  }
});

test('on a phone every place of the bar can be reached, by thumb and by keyboard, and the current one is in view', async () => {
  for (const javaScriptEnabled of [true, false]) {
    const { page, wrong, close } = await as('ada', {
      viewport: { width: 360, height: 740 },
      javaScriptEnabled,
      hasTouch: true,
    });
    const names = await page.locator('.top nav a').allTextContents();
    assert.deepEqual(
      names.map((name) => name.replace(/[\s\d]+/g, '')),
      [
        'Inbox',
        'Log',
        'Policies',
        'Agents',
        'People',
        'Break-glass',
        'Servers',
        'Evidence',
        'Reconciliation',
        'Status',
      ],
    );
    for (const path of [
      '/log',
      '/policies',
      '/agents',
      '/people',
      '/break-glass',
      '/servers',
      '/evidence',
      '/reconciliations',
      '/status',
      '/inbox',
    ]) {
      // Scrolls the row, as a thumb would.
      await page.locator(`.top nav a[href="${path}"]`).tap();
      await page.waitForURL(gate.origin + path);
      assert.equal(await overflow(page), 0);
      assert.equal(await page.locator('.top nav a[aria-current="page"]').getAttribute('href'), path);
    }
    if (javaScriptEnabled) {
      await page.goto(`${gate.origin}/status`);
      const box = await page.locator('.top nav a[aria-current="page"]').boundingBox();
      assert.ok(box !== null && box.x >= 0 && box.x + box.width <= 360, JSON.stringify(box));
      await page.locator('.brand').focus();
      for (let tabs = 0; tabs < 10; tabs += 1) await page.keyboard.press('Tab');
      assert.equal(await page.evaluate('document.activeElement.getAttribute("href")'), '/status');
    }
    assert.deepEqual(wrong, []);
    await close();
  }
});

test('an approver stops the agent from its approval, and an operator lifts it, without script', async () => {
  const held = await scenes.grant(gate, fresh());
  const mia = await as('mia', { javaScriptEnabled: false, viewport: { width: 390, height: 844 } });
  await mia.page.goto(gate.origin + pathOf(held));
  await mia.page.click('#stop > summary');
  // Neither the reason nor the tick can be left out.
  await mia.page.click('#stop button');
  assert.equal(mia.page.url(), gate.origin + pathOf(held));
  await mia.page.fill('#stop-reason', 'It asks for admin again.');
  await mia.page.click('#stop button');
  assert.deepEqual(await gate.parts.store.stops(), []);
  await mia.page.check('#stop [name=sure]');
  await mia.page.click('#stop button');
  await sees(mia.page, 'The agent crm-bot is stopped');
  assert.deepEqual(
    (await gate.parts.store.stops()).map((one) => [one.agent, one.reason]),
    [['crm-bot', 'It asks for admin again.']],
  );
  const sam = await as('sam');
  await sam.page.goto(`${gate.origin}/agent?id=crm-bot`);
  await sees(sam.page, 'Only an operator who does not own the agent may let it go on.');
  assert.equal(await sam.page.locator('form[action="/agent/lift"]').count(), 0);
  const olga = await as('olga', { javaScriptEnabled: false });
  await olga.page.click('.top nav a[href="/agents"]');
  await olga.page.click('a[href="/agent?id=crm-bot"]');
  await olga.page.fill('.lift input[name=reason]', 'Its prompt was mended.');
  await olga.page.click('.lift button');
  await olga.page.waitForURL(`${gate.origin}/agent?id=crm-bot`);
  await sees(olga.page, 'Stop the agent…');
  assert.deepEqual(await gate.parts.store.stops(), []);
  for (const one of [mia, sam, olga]) {
    assert.deepEqual(one.wrong, []);
    await one.close();
  }
});

test('a changed tool is accepted by its difference; one that changes meanwhile is not', async () => {
  await pin('Deletes a region.');
  const { page, wrong, close } = await as('olga');
  await page.click('.top nav a[href="/servers"]');
  await page.click('a[href="/tool?server=ops&name=delete_region"]');
  await sees(page, 'What changed');
  assert.match((await page.locator('.diff .new').allTextContents()).join('\n'), /Deletes a region\./);
  await pin('Deletes every region.');
  await page.click('.accept button');
  await sees(page, 'Not done.');
  assert.match((await page.locator('.diff .new').allTextContents()).join('\n'), /Deletes every region\./);
  assert.notEqual((await toolNow())?.status, 'enabled');
  assert.equal(page.url(), `${gate.origin}/tool?server=ops&name=delete_region`);
  await page.click('.accept button');
  await sees(page, 'Agents can use it as it was accepted.');
  assert.deepEqual(
    [(await toolNow())?.status, (await toolNow())?.definition?.['description']],
    ['enabled', 'Deletes every region.'],
  );
  assert.equal(await page.locator('.accept').count(), 0);
  assert.deepEqual(
    wrong.filter((one) => !one.includes('409')),
    [],
  );
  await close();
});

test('searching the log: a box, filters, links that stay, back to an entry', async () => {
  await gate.ask('run_script', { n: 1 }, fresh());
  const { page, wrong, close } = await as('ada', { viewport: { width: 390, height: 844 } });
  await page.click('.top nav a[href="/log"]');
  await page.fill('#search-text', 'run_script');
  await page.keyboard.press('Enter');
  await page.waitForURL(/text=run_script/);
  const all = await page.locator('.entries > li').count();
  assert.ok(all > 0);
  await page.click('#filters > summary');
  await page.selectOption('#search-type', 'action.asked');
  await page.fill('#search-agent', 'crm-bot');
  await page.selectOption('#search-person', '');
  await page.click('.filter button[type=submit]');
  await page.waitForURL(/type=action\.asked/);
  const asked = await page.locator('.entries > li').count();
  assert.ok(asked > 0 && asked < all, `${asked} of ${all}`);
  // What was searched for stands in the form, and in the address.
  assert.equal(await page.inputValue('#search-agent'), 'crm-bot');
  const first = page.locator('.entries > li').first();
  const id = (await first.getAttribute('id')) ?? '';
  await page.goto(`${page.url()}#${id}`);
  assert.equal(await page.evaluate(`document.querySelector(':target')?.id`), id);
  await first.locator('a.index').click();
  await page.waitForURL(`${gate.origin}/log/${id.replace('entry-', '')}`);
  await sees(page, /crm-bot asked for /);
  await sees(page, 'ops___run_script');
  await page.click('.crumbs a');
  await page.waitForURL(new RegExp(`#${id}$`));
  assert.equal(await page.locator(`#${id}`).count(), 1);
  await page.goto(`${gate.origin}/log?text=nothing-like-this`);
  await sees(page, 'No entries here.');
  await page.click('.filter a');
  await page.waitForURL(`${gate.origin}/log`);
  assert.deepEqual(wrong, []);
  await close();
});

test('an open log takes new entries by itself, and keeps what is being typed', async () => {
  const { page, wrong, close } = await as('ada');
  await page.goto(`${gate.origin}/log?type=action.asked`);
  const had = await page.locator('.entries > li').count();
  await page.fill('#search-text', 'half a wor');
  await gate.ask('run_script', { n: 2 }, fresh());
  await page.locator('.entries > li').nth(had).waitFor({ timeout: 10_000 });
  assert.equal(await page.inputValue('#search-text'), 'half a wor');
  assert.deepEqual(wrong, []);
  await close();
});
