/**
 * Attack: a word that is wider than the card. Microsoft's library for Adaptive Cards does not break it: its end would be beyond the
 * card's edge, where nothing is shown, beside a button to approve. Drawn by that library, on a phone and on a desk.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { teamsCss, teamsHtml } from '../../scripts/pictures/teams.ts';
import { layCard } from '../../src/channels/teams/card.ts';
import type { JsonValue } from '../../src/core/json.ts';
import type { Buttons } from '../../src/core/render/card.ts';
import { cardOf } from '../../src/core/render/card-of.ts';
import { demoExamples } from '../channels/examples-demo.ts';
import { hostileCards } from '../channels/hostile.ts';
import { exportProfile, scene, shownTo } from '../core/render/scenes.ts';
import { openBrowser } from './browser.ts';

const button = { id: 'pst_abcdefghijklmnopqrstuvwxyz', tag: '0123456789abcdef0123456789abcdef' };
const buttons: Buttons = { approve: button, approveNot: null, deny: button, stop: button, open: button };
const url = 'https://gate.example.com/approvals/apr_1';

let browser: Browser;
before(async () => {
  browser = await openBrowser();
});
after(() => browser.close());

/** In the page: draws a card, and says which texts are wider than where they stand, and how many texts there are. */
const drawing = (body: JsonValue): string => `{
  draw(${JSON.stringify(body)});
  const all = [...document.querySelectorAll('#card .ac-richTextBlock')];
  const cut = all.filter((one) => one.scrollWidth > one.clientWidth + 1);
  ({ cut: cut.map((one) => one.textContent.slice(0, 100)), blocks: all.length });
}`;

/** The widest letters, in words just short of those that are broken and longer, in the largest face and beside a label. */
const wideWords = () =>
  [12, 13, 14, 15, 16, 30].map((count) => {
    const word = 'W'.repeat(count);
    const input = { [word]: word, table: word };
    const { held } = scene(
      { operation: `crm___${word}`, resource: { type: 'T', id: word }, session: word, input },
      { profile: { ...exportProfile, consequence: word } },
    );
    return { name: `words of ${count}`, card: cardOf(shownTo(held, null), { url, buttons }) };
  });

for (const width of [360, 720]) {
  test(`nothing of a card is cut off at its edge (${width} pixels)`, async () => {
    const cards = [
      ...(await demoExamples()).map(({ name, shown }) => ({ name, card: cardOf(shown, { url, buttons }) })),
      ...hostileCards({ url, buttons }),
      ...wideWords(),
    ];
    assert.ok(cards.length > 100, `${cards.length} cards`);
    const page = await browser.newPage({ viewport: { width, height: 600 } });
    await page.setContent(
      `<!doctype html><style>${teamsCss}</style>${teamsHtml({}, { at: '', dark: false })}`,
    );
    for (const { name, card } of cards) {
      const drawn = await page.evaluate<{ readonly cut: readonly string[]; readonly blocks: number }>(
        drawing(layCard(card).body),
      );
      assert.deepEqual(drawn.cut, [], name);
      assert.ok(drawn.blocks > 10, name);
    }
  });
}
