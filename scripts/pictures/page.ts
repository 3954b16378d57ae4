/** A page that holds one drawing and says under it how it was made; taken as a picture with Chromium. */
import type { Browser } from 'playwright-core';
import { smaller } from './png.ts';

/** A window in which something is drawn. */
export interface Drawing {
  readonly css: string;
  readonly html: string;
  /** Said under it, in the picture. */
  readonly made: string;
  readonly phone: boolean;
  readonly dark: boolean;
}

const desk = { width: 720, height: 100 };
const phone = { width: 390, height: 100 };
/** Sharp enough to be read, and small enough for a repository. */
const scale = { desk: 1.5, phone: 2 };

export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** The mark of setup/teams, as an app's picture. */
export const iconSvg = `<svg viewBox="0 0 192 192"><rect width="192" height="192" fill="#1d3a5f"/>
  <g fill="none" stroke="#fff" stroke-width="12" stroke-linecap="round" stroke-linejoin="round">
  <circle cx="96" cy="96" r="58"/><path d="M68 97 L88 117 L126 77"/></g></svg>`;

const made = `.made { font-size: 11px; line-height: 1.3; color: #777; padding: 6px 20px 10px; }`;

/** A PNG of all of it, however high. */
export async function pictureOf(browser: Browser, drawing: Drawing): Promise<Uint8Array> {
  const page = await browser.newPage({
    viewport: drawing.phone ? phone : desk,
    deviceScaleFactor: drawing.phone ? scale.phone : scale.desk,
    reducedMotion: 'reduce',
  });
  try {
    await page.setContent(
      `<!doctype html><meta charset="utf-8"><style>body { margin: 0 } ${drawing.css} ${made}</style>
       <body class="${drawing.dark ? 'dark' : ''}">${drawing.html}<div class="made">${escaped(drawing.made)}</div>`,
    );
    return smaller(await page.screenshot({ fullPage: true }));
  } finally {
    await page.close();
  }
}
