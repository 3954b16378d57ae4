/** How the documents look: sizes in points, colours, and where text may stand on a page of A4. */

export const page = { width: 595.28, height: 841.89, left: 56, right: 56, top: 72, bottom: 70 } as const;
export const textWidth = page.width - page.left - page.right;

export const colour = {
  ink: '#1b2430',
  soft: '#5a6675',
  accent: '#12405f',
  rule: '#d3dae2',
  zebra: '#f5f7f9',
  head: '#e8edf2',
  good: '#1c6b41',
  bad: '#a12622',
  wait: '#8a5a00',
  note: '#fdf6e3',
} as const;

/** What a colour says; the words say it too. */
export type Tone = 'plain' | 'soft' | 'good' | 'bad' | 'wait' | 'accent';

export const toneColour: Readonly<Record<Tone, string>> = {
  plain: colour.ink,
  soft: colour.soft,
  good: colour.good,
  bad: colour.bad,
  wait: colour.wait,
  accent: colour.accent,
};

export const size = { title: 27, section: 18, heading: 12.5, body: 9.6, table: 8.2, small: 7.6 } as const;

/** Height of a line by its size. */
export const leading = 1.42;
