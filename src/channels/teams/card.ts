/**
 * A card as an Adaptive Card in Teams, in the order of design §7.
 *
 * RULE shown-whole: there is a button to approve only where every section that must be whole is there to its last line. Where
 * they do not fit, the card shows what it can, says so, and the web inbox has the whole: Teams has no view of one's own that
 * shows more.
 *
 * A card has no `refresh`: it would let Teams ask for each reader's own card, for at most 60 named people, once for every one who
 * scrolls past. Every copy is changed in place for all of them instead, and who may decide is the same card for everybody.
 */
import { rankOf, type Card, type Section } from '../../core/render/card.ts';
import { moreWords } from '../../core/render/card-of.ts';
import { clock, line, say, short, type Shown } from '../../core/render/shown.ts';
import type { Laid, Note } from '../../ports/messenger.ts';
import {
  block,
  bytesOf,
  cardWith,
  colorOf,
  execute,
  opening,
  openUrl,
  reasonInput,
  run,
  under,
  unsafeInput,
  type Action,
  type AdaptiveCard,
  type Container,
  type RichTextBlock,
} from './elements.ts';
import { rowsOf, titleRow } from './rows.ts';

/** Bytes of a card as JSON, in UTF-8. Teams takes some 28 KB in all; what is around the card is small. */
export const cardBytesMax = 25_000;
/** Kept for the sections that may be cut: on a card that is whole nobody decides without knowing why they are asked. */
const contextBytes = 4000;
/** Rows of a section that does not fit: it is decided on elsewhere, so the button that leads there stays in sight. */
const startRowsMax = 30;
/** Characters of what a notification shows. */
const summaryCharsMax = 300;
/** Characters of a headline and of a consequence; what is longer is in the exact action, and cut here visibly. */
const headlineCharsMax = 500;
const consequenceCharsMax = 1500;
/** Characters of why one cannot approve from here. */
const whyNotCharsMax = 500;
/** Characters of a note. */
const noteCharsMax = 2000;

/** Pure. */
export function layCard(card: Card): Laid {
  const whole = card.whole && mustFits(card);
  const room = cardBytesMax - bytesOf(assembled(card, [], whole));
  const found = sectionsIn(card, room, whole);
  const sections = card.sections.flatMap((section) => found.get(section) ?? []);
  return { body: assembled(card, sections, whole), text: summaryOf(card), whole };
}

/** A sentence of the gate's own as a message. */
export const noteCard = ({ text, url }: Note): AdaptiveCard =>
  cardWith(
    [block(run(short(text, noteCharsMax)))],
    url === null ? [] : [openUrl('Open it', url)],
    'A note of Countersign. This client of Teams cannot show it.',
  );

/** "Export 5,204 rows of customers · prod. Waiting for approval." */
export const summaryOf = (card: Pick<Card, 'headline' | 'environment' | 'state'>): Shown =>
  short(say`${titleOf(card)}. ${card.state.title}.`, summaryCharsMax);

const titleOf = ({ headline, environment }: Pick<Card, 'headline' | 'environment'>): Shown =>
  environment === null ? headline : say`${headline} · ${environment}`;

const assembled = (card: Card, sections: readonly Container[], whole: boolean): AdaptiveCard =>
  cardWith(
    [...headOf(card), ...sections, ...footOf(card, whole)],
    actionsOf(card, whole),
    'Somebody waits for an approval. This client of Teams cannot show it: open the web inbox.',
  );

/** Headline, larger than text (in Teams `Medium` is not); where it stands; whether it can be undone, and the consequence. */
function headOf(card: Card): readonly RichTextBlock[] {
  const { state, reversible, consequence, untilMs } = card;
  const until = untilMs === null ? [] : [run(say` · until ${clock(untilMs)}`)];
  return [
    block(run(short(titleOf(card), headlineCharsMax), { size: 'Large', weight: 'Bolder' })),
    block(run(state.title, { ...colorOf(state.tone), weight: 'Bolder' }), ...until),
    under(
      run(say`${reversible.text}.`, colorOf(reversible.tone)),
      ...(consequence === null ? [] : [run(say` ${short(consequence, consequenceCharsMax)}`)]),
    ),
  ];
}

/** Why one cannot approve, or what that asks for, where that is so; what people type. */
function footOf({ buttons }: Card, whole: boolean): AdaptiveCard['body'] {
  if (buttons === null) return [];
  const { approve, approveNot, approveAsks, deny, stop } = buttons;
  const why = approve === null ? approveNot : whole ? (approveAsks ?? null) : tooLarge;
  return [
    ...(why === null ? [] : [block(run(short(why, whyNotCharsMax), { italic: true }))]),
    ...((approve !== null && whole) || deny !== null || stop !== null ? [reasonInput] : []),
  ];
}

const tooLarge = line(
  'Not all of it fits here, so it cannot be approved here. The web inbox shows the whole.',
);

function actionsOf({ buttons, url }: Card, whole: boolean): readonly Action[] {
  if (buttons === null) return [openUrl('Open in the web inbox', url)];
  const { approve, deny, stop } = buttons;
  return [
    ...(whole ? [] : [openUrl('Review in full', url)]),
    ...(approve === null || !whole ? [] : [execute('approve', 'Approve', approve, 'positive')]),
    ...(deny === null ? [] : [opening('Deny…', [unsafeInput], execute('deny', 'Deny', deny, 'destructive'))]),
    ...(stop === null
      ? []
      : [opening('Stop the agent…', [block(run(stopWords))], execute('stop', 'Stop', stop, 'destructive'))]),
    ...(whole ? [openUrl('Open in the web inbox', url)] : []),
  ];
}

const stopWords = line('The agent gets nothing more done until somebody lets it go on.');

const containerOf = ({ title, mark }: Section, rows: readonly RichTextBlock[], left: number): Container => ({
  type: 'Container',
  separator: true,
  items: [
    titleRow(title, mark),
    ...rows,
    ...(left === 0 ? [] : [under(run(moreWords(left, 'line'), { italic: true }))]),
  ],
});

/** All of a section, however large. With the comma after it. */
const wholeBytes = (section: Section): number =>
  bytesOf(containerOf(section, section.parts.flatMap(rowsOf), 0)) + 1;

/** Whether all that must be there fits beside the rest of the card. */
function mustFits(card: Card): boolean {
  const sum = (sections: readonly Section[]): number =>
    sections.reduce((total, one) => total + wholeBytes(one), 0);
  const room =
    cardBytesMax - bytesOf(assembled(card, [], true)) - sum(card.sections.filter((one) => one.must));
  return room >= Math.min(sum(card.sections.filter((one) => !one.must)), contextBytes);
}

/** Room goes to what must be whole first; where that is not to be had, it gets half, so that the rest can be judged by. */
function sectionsIn(card: Card, bytes: number, whole: boolean): ReadonlyMap<Section, Container> {
  const found = new Map<Section, Container>();
  let left = bytes;
  for (const section of card.sections.toSorted((one, other) => rankOf(one) - rankOf(other))) {
    const one = packed(section, section.must && !whole ? Math.floor(left / 2) : left, {
      rowsMax: whole ? Infinity : startRowsMax,
    });
    if (one === null) continue;
    found.set(section, one);
    left -= bytesOf(one) + 1;
  }
  return found;
}

/** As much of a section as there is room for, from its start; null where not even its title and what is missing has room. */
function packed(
  section: Section,
  bytes: number,
  { rowsMax }: { readonly rowsMax: number },
): Container | null {
  const rows = section.parts.flatMap(rowsOf);
  const all = containerOf(section, rows, 0);
  if (rows.length <= rowsMax && bytesOf(all) < bytes) return all;
  let room = bytes - 1 - bytesOf(containerOf(section, [], rows.length));
  if (room < 0) return null;
  const taken: RichTextBlock[] = [];
  for (const row of rows.slice(0, rowsMax)) {
    room -= bytesOf(row) + 1;
    if (room < 0) break;
    taken.push(row);
  }
  return containerOf(section, taken, rows.length - taken.length);
}
