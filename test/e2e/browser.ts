/** The system's Chromium for tests of the pages, and a person in it who is watched: errors, violations, requests elsewhere. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

/** Quiet, without a network of its own. */
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export async function openBrowser(): Promise<Browser> {
  const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
  assert.ok(
    existsSync(executablePath),
    'the browser tests need Chromium (Debian: apt-get install chromium), or its path in CHROMIUM',
  );
  return chromium.launch({ executablePath, args });
}

export interface Watched {
  readonly page: Page;
  /** What went wrong so far: console errors, content policy violations, uncaught errors, requests to another origin. */
  readonly wrong: readonly string[];
  readonly close: () => Promise<void>;
}

/** A person at a browser of their own, signed in by a link as people are. */
export async function personAt(
  browser: Browser,
  origin: string,
  token: string,
  options: BrowserContextOptions = {},
): Promise<Watched> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') wrong.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => wrong.push(`error: ${error.message}`));
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== origin && !request.url().startsWith('data:'))
      wrong.push(`elsewhere: ${request.url()}`);
  });
  if (options.javaScriptEnabled === false) {
    await page.goto(`${origin}/sign-in`);
    await page.fill('#token', token);
  } else await page.goto(`${origin}/sign-in#${token}`);
  await page.click('button[type=submit]');
  await page.waitForURL(`${origin}/inbox`);
  return { page, wrong, close: () => context.close() };
}

/** How far the page is wider than the window. */
export const overflow = (page: Page): Promise<unknown> =>
  page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
