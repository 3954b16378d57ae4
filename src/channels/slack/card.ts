/**
 * A card as a Slack message, or as one person's modal.
 *
 * RULE shown-whole: there is a button to approve only where every section that must be whole is there to its last line. Where
 * they do not fit, the card shows what it can, says so, and offers the whole in a view; where the view does not fit either,
 * it says that the web inbox has the rest.
 */
import { rankOf, type Card, type Section } from '../../core/render/card.ts';
import { clock, line, say, type Shown } from '../../core/render/shown.ts';
import type { Laid } from '../../ports/messenger.ts';
import {
  actions,
  bold,
  button,
  callbackIds,
  italic,
  newline,
  plain,
  richText,
  text,
  webButton,
  type Block,
  type ModalView,
} from './blocks.ts';
import { blocksMax, headerCharsMax, messageBytesMax, viewBytesMax } from './limits.ts';
import { bytesOf, less, packed, wholeOf, type Packed, type Room } from './pack.ts';
import { pieces } from './rows.ts';
import { fallback } from './notes.ts';

export type Surface = 'card' | 'view';

/** Kept for the sections that may be cut: on a card that is whole nobody decides without knowing why they are asked. */
const contextBytes: Readonly<Record<Surface, number>> = { card: 3500, view: 12_000 };
const contextBlocks = 8;
/** Rows of a section that does not fit a message: it is decided on elsewhere, so the buttons that lead there stay in sight. */
const startRowsMax = 30;

const roomOf = (as: Surface): Room =>
  as === 'card'
    ? { blocks: blocksMax.message, bytes: messageBytesMax }
    : { blocks: blocksMax.view, bytes: viewBytesMax };

/** Pure. @param as `card`: a message for all who read there; `view`: one person's own. */
export function layCard(card: Card, as: Surface): Laid {
  const whole = card.whole && mustFits(card, as);
  const top = headOf(card);
  const bottom = footOf(card, as, { whole, cut: true });
  const sections = sectionsIn(card, less(roomOf(as), [...top, ...bottom]), {
    whole,
    rowsMax: whole || as === 'view' ? Infinity : startRowsMax,
  });
  const cut = [...sections.values()].some((one) => one.left > 0);
  const body = [
    ...top,
    ...card.sections.flatMap((section) => sections.get(section)?.blocks ?? []),
    // Shorter than what was reckoned with, where nothing was cut.
    ...footOf(card, as, { whole, cut }),
  ];
  return { body: as === 'card' ? { blocks: body } : viewOf(body), text: fallback(card), whole };
}

/** Whether all that must be there fits beside the rest of the card. */
function mustFits(card: Card, as: Surface): boolean {
  const must = card.sections.filter((one) => one.must).flatMap(wholeOf);
  const rest = card.sections.filter((one) => !one.must).flatMap(wholeOf);
  const room = less(roomOf(as), [...headOf(card), ...footOf(card, as, { whole: true, cut: true }), ...must]);
  return (
    room.bytes >= Math.min(bytesOf(rest), contextBytes[as]) &&
    room.blocks >= Math.min(rest.length, contextBlocks)
  );
}

/** Room goes to what must be whole first; where that is not to be had, it gets half, so that the rest can be judged by. */
function sectionsIn(
  card: Card,
  room: Room,
  { whole, rowsMax }: { readonly whole: boolean; readonly rowsMax: number },
): ReadonlyMap<Section, Packed> {
  const found = new Map<Section, Packed>();
  let left = room;
  for (const section of card.sections.toSorted((one, other) => rankOf(one) - rankOf(other))) {
    const mine =
      section.must && !whole
        ? { blocks: Math.floor(left.blocks / 2), bytes: Math.floor(left.bytes / 2) }
        : left;
    const one = packed(section, mine, rowsMax);
    found.set(section, one);
    left = less(left, one.blocks);
  }
  return found;
}

/** Headline; where it stands; whether it can be undone, and the consequence. */
function headOf({ headline, environment, state, reversible, consequence, untilMs }: Card): readonly Block[] {
  const title = environment === null ? headline : say`${headline} · ${environment}`;
  const until = untilMs === null ? [] : [text(say` · until ${clock(untilMs)}`)];
  const [first, ...rest] = consequence === null ? [] : pieces(consequence);
  return [
    ...titleOf(title),
    richText(
      bold(state.title),
      ...until,
      newline,
      (reversible.tone === 'plain' ? text : bold)(say`${reversible.text}.`),
      ...(first === undefined ? [] : [text(say` ${first}`)]),
    ),
    ...rest.map((piece) => richText(text(piece))),
  ];
}

/** Whether Slack reads `&lt;` in a header is not documented, so a headline with such characters stands in rich text. */
const titleOf = (title: Shown): readonly Block[] =>
  title.length <= headerCharsMax && title.trim() !== '' && !/[&<>]/.test(title)
    ? [{ type: 'header', text: plain(title) }]
    : pieces(title).map((piece) => richText(bold(piece)));

/** What one can do, and why not where one cannot. */
function footOf(
  card: Card,
  as: Surface,
  { whole, cut }: { readonly whole: boolean; readonly cut: boolean },
): readonly Block[] {
  const { buttons } = card;
  const web = webButton('Open in the web inbox', card.url);
  if (buttons === null) return actions(web);
  const { approve, approveNot, approveAsks, deny, stop, open } = buttons;
  const said = approve === null ? approveNot : whole ? (approveAsks ?? null) : tooLarge(card, as);
  // A view cannot be opened larger than it is.
  const full =
    open === null || as === 'view' || (whole && !cut) ? null : button('open', 'Review in full', open);
  return [
    ...(said === null ? [] : pieces(said).map((piece) => richText(italic(piece)))),
    ...actions(
      // Where approving goes on is where one would look for it.
      whole ? null : full,
      approve === null || !whole
        ? null
        : approveAsks === undefined
          ? button('approve', 'Approve', approve, 'primary')
          : button('approveWhy', 'Approve…', approve, 'primary'),
      deny === null ? null : button('deny', 'Deny…', deny, 'danger'),
      stop === null ? null : button('stop', 'Stop the agent…', stop),
      whole ? full : null,
      web,
    ),
  ];
}

/** Where the whole can be read, and decided on. */
const tooLarge = (card: Card, as: Surface): Shown =>
  as === 'card' && card.buttons?.open != null && card.whole && mustFits(card, 'view')
    ? line('Not all of it fits this message, so it cannot be approved here. Review it in full.')
    : line('Not all of it fits here, so it cannot be approved here. The web inbox shows the whole.');

const viewOf = (blocks: readonly Block[]): ModalView => ({
  type: 'modal',
  callback_id: callbackIds.view,
  title: plain('Review'),
  close: plain('Close'),
  blocks,
});
