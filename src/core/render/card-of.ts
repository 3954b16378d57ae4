/**
 * From what a person sees of a held action to the card that chats lay out: the same facts, in the order of design §7, none
 * added. A message stays where it was posted, so times are dates here, and what moves says as of when it is told.
 *
 * Promises: pure; every text is `Shown` and {@link settled}; every line of the exact action is in the section `exact`, every
 * line of the agent's reason in `reason`; without the whole action there is no button to approve.
 */
import type { State } from '../case.ts';
import type { Buttons, Card, Part, Section } from './card.ts';
import { looksParts, specialSection } from './card-special.ts';
import { standingParts } from './card-standing.ts';
import { numbered, settled, settledLines } from './card-text.ts';
import type { ForWhom, Presentation, Why } from './present.ts';
import { clock, counted, line, listed, say, type Shown } from './shown.ts';

/** @param more.buttons null once nothing can be done with it any more. */
export function cardOf(
  shown: Presentation,
  more: { readonly url: string; readonly buttons: Buttons | null },
): Card {
  const { headline, standing, exact } = shown;
  return {
    headline: settled(headline.what),
    environment: headline.environment === null ? null : settled(headline.environment),
    state: { title: standing.title, tone: standing.tone },
    reversible: nothingRan(standing.state) ? neverRun : reversibleWords(shown.reversible),
    consequence: shown.consequence === null || nothingRan(standing.state) ? null : settled(shown.consequence),
    sections: sectionsOf(shown),
    untilMs: standing.untilMs,
    shortDigest: exact.shortDigest,
    url: more.url,
    whole: shown.shownWhole,
    buttons: more.buttons === null ? null : allowed(more.buttons, shown),
  };
}

/** RULE shown-whole, again where the card is made: whoever asks for a button gets none on what nobody can read whole. */
function allowed(buttons: Buttons, { shownWhole, exact }: Presentation): Buttons {
  if (shownWhole || buttons.approve === null) return buttons;
  return {
    ...buttons,
    approve: null,
    approveNot: line(
      exact.hidden === true
        ? 'It cannot be approved from here: what it holds is not for everybody who reads here.'
        : 'It cannot be approved: it is larger than a person can be shown and read.',
    ),
  };
}

/** Of what never ran, nothing is there to be undone, and nothing followed from it. */
const nothingRan = (state: State): boolean =>
  state === 'denied' || state === 'expired' || state === 'cancelled';
const neverRun: Card['reversible'] = { text: line('Nothing ran'), tone: 'plain' };

function reversibleWords(reversible: boolean | null): Card['reversible'] {
  if (reversible === null) return { text: line('Not known whether it can be undone'), tone: 'unknown' };
  return reversible
    ? { text: line('Can be undone'), tone: 'plain' }
    : { text: line('Cannot be undone'), tone: 'bad' };
}

/** In the order of design §7; of what waits for nobody any more, what became of it comes first. */
function sectionsOf(shown: Presentation): readonly Section[] {
  const asOf = say`as of ${clock(shown.nowMs)}`;
  const { special } = shown;
  const standing = section('standing', 'Approval', standingParts(shown), { mark: asOf });
  const waits = shown.standing.state === 'pending';
  const sections: readonly (Section | null)[] = [
    waits ? null : standing,
    section('undetermined', 'What the gate could not determine', undeterminedParts(shown), { must: true }),
    section('why', 'Why people are asked', whyParts(shown.why)),
    section('whom', 'For whom', whomParts(shown)),
    section('news', 'What is new', newsParts(shown), { mark: asOf }),
    special === null ? null : section('special', ...specialSection(special)),
    section('exact', 'The exact action', exactParts(shown), { must: true }),
    section('looks', 'What the gate read', looksParts(shown), { mark: line('informative, not bound') }),
    // What the gate asks has no agent whose words it were.
    shown.forWhom.gates !== undefined && shown.agentsReason === null
      ? null
      : section('reason', 'The agent’s reason', reasonParts(shown), {
          mark: line('unverified'),
          must: true,
        }),
    waits ? standing : null,
  ];
  return sections.filter((one) => one !== null);
}

/** Null where there is nothing to say. */
function section(
  id: Section['id'],
  title: string,
  parts: readonly Part[],
  { mark = null, must = false }: Partial<Pick<Section, 'mark' | 'must'>> = {},
): Section | null {
  const told = parts.filter((part) => !isEmpty(part)).map(settledPart);
  return told.length === 0 ? null : { id, title: line(title), mark, must, parts: told };
}

function isEmpty(part: Part): boolean {
  switch (part.as) {
    case 'pairs':
      return part.rows.length === 0;
    case 'items':
      return part.items.length === 0;
    case 'code':
    case 'quote':
      return part.lines.length === 0;
    case 'table':
      return part.rows.length === 0 && part.more === 0;
  }
}

/** Text of others is in all of them. Lines of code were settled where they were written, each with its number. */
function settledPart(part: Part): Part {
  switch (part.as) {
    case 'pairs':
      return {
        ...part,
        rows: part.rows.map((row) => ({ ...row, label: settled(row.label), value: settled(row.value) })),
      };
    case 'items':
      return { ...part, items: part.items.map((one) => ({ ...one, text: settled(one.text) })) };
    case 'code':
      return part;
    case 'quote':
      return { ...part, lines: settledLines(part.lines) };
    case 'table':
      return {
        ...part,
        columns: part.columns.map(settled),
        rows: part.rows.map((row) => row.map(settled)),
      };
  }
}

type Item = (Part & { readonly as: 'items' })['items'][number];
type Row = (Part & { readonly as: 'pairs' })['rows'][number];

const plain = (text: Shown): Item => ({ text, tone: 'plain' });
const items = (list: readonly Item[]): Part => ({ as: 'items', items: list });
const said = (label: string, value: string, claimed = false): Row => ({
  label: line(label),
  value: line(value),
  literal: false,
  claimed,
});

const undeterminedParts = (shown: Presentation): readonly Part[] => [
  items(shown.undetermined.map((one) => ({ text: say`${one.what}: ${one.why}`, tone: 'unknown' }))),
];

function whyParts(why: Why): readonly Part[] {
  const policies = why.policies.map((one) => plain(say`${one.title} (${one.id})`));
  const clauses = why.clauses.map(({ text, here, against }) => {
    const sides = here === null ? '' : `   (here ${here}${against === null ? '' : `, against ${against}`})`;
    return settled(say`${text}${sides}`);
  });
  return [
    items(policies.length === 0 ? [plain(why.text)] : policies),
    { as: 'code', lines: clauses },
    items(why.wouldAllow.map((one) => plain(say`It would be allowed without asking ${one}`))),
  ];
}

function whomParts({ forWhom, askedAtMs }: Presentation): readonly Part[] {
  const asked = said('asked', clock(askedAtMs));
  if (forWhom.gates !== undefined) return [items([plain(forWhom.gates)]), { as: 'pairs', rows: [asked] }];
  return [{ as: 'pairs', rows: [...agentsRows(forWhom), asked] }];
}

function agentsRows({ agent, owners, startedBy, delegation, session }: ForWhom): readonly Row[] {
  return [
    said('agent', agent),
    said('owned by', owners.length === 0 ? 'nobody known' : listed(owners)),
    ...(startedBy === null ? [] : [said('started by', startedBy)]),
    ...(delegation.length === 0 ? [] : [said('through', delegation.join(' > '))]),
    session === null ? said('session', 'none named') : said('session', session, true),
  ];
}

const newsParts = (shown: Presentation): readonly Part[] => [
  items(
    shown.news.map(({ text, tone }) => ({
      text,
      tone: tone === 'bad' ? 'bad' : tone === 'first' ? 'unknown' : 'plain',
    })),
  ),
];

function exactParts({ exact }: Presentation): readonly Part[] {
  const digest: Row = { label: line('digest'), value: exact.digest, literal: true, claimed: false };
  const notes = exact.notes.map((one): Item => ({
    // An argument's name is the agent's to choose: between quotes that it cannot close, it is no sentence of the gate.
    text: one.path === '' ? one.text : say`${JSON.stringify(one.path)} ${one.text}`,
    tone: 'unknown',
  }));
  const left: readonly Item[] = exact.whole
    ? []
    : [
        {
          text: line(
            exact.erased !== undefined
              ? 'What it held was erased.'
              : exact.hidden === true
                ? 'What it holds is for its approvers, the owners of the agent and auditors to see.'
                : 'The input is larger than can be shown: the rest of it is missing here.',
          ),
          tone: 'bad',
        },
      ];
  return [
    { as: 'pairs', rows: [...exact.fields, digest] },
    items(notes),
    { as: 'code', lines: numbered(exact.input) },
    items(left),
  ];
}

const reasonParts = ({ agentsReason }: Presentation): readonly Part[] =>
  agentsReason === null ? [items([plain(line('None given.'))])] : [{ as: 'quote', lines: agentsReason }];

/** "12 more lines": what a place that could not hold all of a section says of the rest. */
export const moreWords = (count: number, one: string): Shown =>
  say`… ${counted(count, `more ${one}`, `more ${one}s`)} in full view`;
