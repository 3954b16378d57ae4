/**
 * Takes a picture of a page of a running gate, for the README: signs in by a link, as people do, and opens what is named.
 *
 *     node bin/node.mjs scripts/screenshot.ts SIGN_IN_LINK WHAT OUT.png [--dark] [--phone] [--whole]
 *
 * WHAT is a path ("/inbox", "/approvals/apr_…") or a part of a headline in the inbox ("Export"). A link works once: give
 * another one for another picture. `--whole` takes the whole page instead of one screen of it.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium, type Page } from 'playwright-core';

const desk = { width: 1280, height: 880 };
const phone = { width: 390, height: 844 };
/** Sharp on screens of today, and small enough for a repository. */
const scale = 2;
/** For things to appear that the page waits for. */
const waitMs = 15_000;

const options = {
  dark: { type: 'boolean' },
  phone: { type: 'boolean' },
  whole: { type: 'boolean' },
} as const;

async function open(page: Page, link: string, what: string): Promise<void> {
  await page.goto(link);
  await page.click('button[type=submit]:not([disabled])', { timeout: waitMs });
  const { origin } = new URL(link);
  await page.waitForURL(`${origin}/inbox`, { timeout: waitMs });
  if (what.startsWith('/')) await page.goto(origin + what);
  else {
    await page.locator('a.row', { hasText: what }).first().click({ timeout: waitMs });
    await page.waitForURL(`${origin}/approvals/**`, { timeout: waitMs });
  }
  await page.locator('main h1').first().waitFor({ state: 'attached', timeout: waitMs });
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const [link, what, out, more] = positionals;
  if (link === undefined || what === undefined || out === undefined || more !== undefined) {
    throw new Error(
      'usage: scripts/screenshot.ts SIGN_IN_LINK PATH|HEADLINE OUT.png [--dark] [--phone] [--whole]',
    );
  }
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  try {
    const context = await browser.newContext({
      viewport: values.phone === true ? phone : desk,
      colorScheme: values.dark === true ? 'dark' : 'light',
      deviceScaleFactor: scale,
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    await open(page, link, what);
    mkdirSync(dirname(out), { recursive: true });
    await page.screenshot({ path: out, fullPage: values.whole === true });
  } finally {
    await browser.close();
  }
}

await main();
