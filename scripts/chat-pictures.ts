/**
 * Makes the pictures of cards in docs/slack.md and docs/teams.md: the demo's three cases, judged by its policies and with what its
 * server answers, laid out as they are sent, drawn with Debian's Chromium (or CHROMIUM=/path).
 *
 *     node bin/node.mjs scripts/chat-pictures.ts [--more DIR]
 *
 * `--more` draws everything else that people get to see there as well, into a folder of its own: for whoever changes a layout to look at.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium, type Browser } from 'playwright-core';
import { more, shipped, type Picture } from './pictures/scenes.ts';
import { pictureOf } from './pictures/page.ts';
import { slackCss, slackHtml } from './pictures/slack.ts';
import { teamsCss, teamsHtml } from './pictures/teams.ts';

const root = join(import.meta.dirname, '..');

const made = {
  slack: 'Drawn by scripts/chat-pictures.ts from the blocks that the gate sends. This is no client of Slack.',
  teams:
    'Drawn by scripts/chat-pictures.ts from the card that the gate sends, with Microsoft’s adaptivecards library. This is no client of Teams.',
};

async function take(browser: Browser, folder: string, picture: Picture): Promise<void> {
  const { name, of, phone, dark } = picture;
  const drawn =
    of.app === 'slack'
      ? { css: slackCss, html: slackHtml(of.surface) }
      : {
          css: teamsCss,
          html: teamsHtml(of.card, { at: of.at, dark, ...(of.open === undefined ? {} : { open: of.open }) }),
        };
  const png = await pictureOf(browser, { ...drawn, made: made[of.app], phone, dark });
  writeFileSync(join(folder, `${name}.png`), png);
  console.log(`${name}.png  ${Math.ceil(png.length / 1024)} KB`);
}

const { values } = parseArgs({ options: { more: { type: 'string' } } });
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-sync',
  ],
});
try {
  const folder = join(root, 'docs', 'screenshots');
  for (const picture of await shipped()) await take(browser, folder, picture);
  if (values.more !== undefined) {
    mkdirSync(values.more, { recursive: true });
    for (const picture of more()) await take(browser, values.more, picture);
  }
} finally {
  await browser.close();
}
