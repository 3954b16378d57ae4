/** The playground's page in Chromium: what somebody sees and presses there. It reaches loopback and nothing else. */
import { chromium, type Locator, type Page } from 'playwright-core';
import { channelName } from './program.ts';

/** For what the page waits for. */
const waitMs = 15_000;
/** High, so that a card is on one picture. */
const desk = { width: 1400, height: 1900 };
/** What is drawn may reach so many pixels beyond an edge: letters do. */
const slackPx = 2;
/** Of a text that is named in a message. */
const namedCharsMax = 60;

export interface Seen {
  /** The card that waits for a decision. */
  readonly open: Locator;
  /** Presses a button of that card. */
  press(button: string): Promise<void>;
  /** Writes the reason on that card. */
  write(reason: string): Promise<void>;
  /** Waits until a text is on the page, anywhere or in a part of it. Throws where it does not come. */
  shows(text: string, where?: Locator): Promise<void>;
  picture(file: string): Promise<void>;
  close(): Promise<void>;
}

/** Throws where there is no Chromium, or the page does not show the channel. */
export async function openPage(origin: string): Promise<Seen> {
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-sync',
    ],
    // Ctrl-C is for the script, which closes it.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  });
  try {
    const page = await browser.newPage({ viewport: desk });
    page.setDefaultTimeout(waitMs);
    // Of Microsoft's network it asks for fonts alone, and draws with others where they do not come.
    await page.route(
      ({ hostname }) => hostname !== '127.0.0.1',
      (route) => route.abort(),
    );
    await page.goto(origin);
    await page.getByText(channelName, { exact: true }).click();
    return seenOn(page, () => browser.close());
  } catch (error) {
    await browser.close();
    throw error;
  }
}

function seenOn(page: Page, close: () => Promise<void>): Seen {
  const open = page.locator('.ac-adaptiveCard').filter({ has: button(page, 'Approve') });
  return {
    open,
    press: (name) => button(open, name).click(),
    write: (reason) => open.getByRole('textbox').first().fill(reason),
    shows: (text, where) => (where ?? page).getByText(text).first().waitFor(),
    picture: async (path) => void (await page.screenshot({ path })),
    close,
  };
}

const button = (where: Page | Locator, name: string): Locator =>
  where.getByRole('button', { name, exact: true });

/** Texts of a card that reach beyond its edge, where the page shows nothing of them. Each is cut for the message. */
export async function cutOff(card: Locator): Promise<readonly string[]> {
  const edge = await card.boundingBox();
  if (edge === null) throw new TypeError('the card is not there');
  const found = await Promise.all(
    (await card.locator('.ac-textRun').all()).map(async (one) => {
      const box = await one.boundingBox();
      const isInside = box === null || box.x + box.width <= edge.x + edge.width + slackPx;
      return isInside ? [] : [((await one.textContent()) ?? '').slice(0, namedCharsMax)];
    }),
  );
  return found.flat();
}
