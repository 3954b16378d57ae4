// Draws the icons of the Teams app with Chromium: node bin/node.mjs scripts/teams-icons.ts
import { writeFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

/** A stamp with a tick: what was countersigned. */
const mark = (line: string, width: number): string => `
  <g fill="none" stroke="${line}" stroke-width="${width}" stroke-linecap="round" stroke-linejoin="round">
    <circle cx="96" cy="96" r="58"/>
    <path d="M68 97 L88 117 L126 77"/>
  </g>`;

/** Colours fill the square (Teams rounds it); the outline is white on nothing. */
const icons = [
  {
    name: 'color',
    size: 192,
    inside: `<rect width="192" height="192" fill="#1d3a5f"/>${mark('#ffffff', 12)}`,
  },
  { name: 'outline', size: 32, inside: mark('#ffffff', 15) },
];

const browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium' });
try {
  for (const { name, size, inside } of icons) {
    const page = await browser.newPage({ viewport: { width: size, height: size }, deviceScaleFactor: 1 });
    await page.setContent(
      `<body style="margin:0;background:transparent"><svg width="${size}" height="${size}" viewBox="0 0 192 192" style="display:block">${inside}</svg>`,
    );
    writeFileSync(
      new URL(`../setup/teams/${name}.png`, import.meta.url),
      await page.screenshot({ omitBackground: true }),
    );
    await page.close();
  }
} finally {
  await browser.close();
}
