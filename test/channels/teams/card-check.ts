/**
 * Whether Teams would take a card, as far as that can be said without Teams: Microsoft's own reader of Adaptive Cards finds
 * nothing wrong with it, it holds only elements of version 1.5 that the gate uses, its text is in runs alone (which are literal),
 * its links are the gate's own, and its buttons carry an id and a tag.
 */
import { createRequire } from 'node:module';
import type * as Cards from 'adaptivecards';

// Its modules name each other as only bundlers find them; the file for browsers stands alone.
const { AdaptiveCard, SerializationContext, Versions } = createRequire(import.meta.url)(
  'adaptivecards/dist/adaptivecards.js',
) as typeof Cards;

// What is read here was written by what is tested.
// oxlint-disable-next-line typescript/no-explicit-any
type Loose = any;

/** Bytes of a card as JSON, in UTF-8 (issue 5). */
export const cardBytesMax = 25_000;

const fields: Readonly<Record<string, readonly string[]>> = {
  AdaptiveCard: ['type', '$schema', 'version', 'fallbackText', 'msteams', 'body', 'actions'],
  RichTextBlock: ['type', 'inlines', 'spacing'],
  TextRun: ['type', 'text', 'size', 'weight', 'color', 'fontType', 'isSubtle', 'italic'],
  Container: ['type', 'separator', 'style', 'items'],
  'Input.Text': ['type', 'id', 'label', 'isMultiline', 'maxLength'],
  'Input.Toggle': ['type', 'id', 'title', 'value', 'valueOn', 'valueOff', 'wrap'],
  'Action.Execute': ['type', 'title', 'verb', 'data', 'style'],
  'Action.OpenUrl': ['type', 'title', 'url'],
  'Action.ShowCard': ['type', 'title', 'card'],
};

/** Texts that are not in a run must be of these. */
const ours: readonly RegExp[] = [
  /^(?:Approve|Deny|Deny…|Stop|Stop the agent…|Open it|Open in the web inbox|Review in full)$/,
  /^Your reason: /,
  /^It was unsafe: /,
  /^(?:Somebody waits for an approval|A note of Countersign)\./,
];

/** Sentences; none: the card is fine. */
export function cardProblems(card: unknown): readonly string[] {
  const problems: string[] = [];
  const bytes = Buffer.byteLength(JSON.stringify(card));
  if (bytes > cardBytesMax) problems.push(`${bytes} bytes`);
  const context = new SerializationContext(Versions.v1_5);
  const read = new AdaptiveCard();
  read.parse(card, context);
  for (let at = 0; at < context.eventCount; at += 1) problems.push(context.getEventAt(at).message);
  problems.push(...read.validateProperties().validationEvents.map((one) => one.message));
  const inputs: string[] = [];
  walk(card, (element) => problems.push(...elementProblems(element, inputs)));
  return problems;
}

function walk(value: Loose, visit: (element: Loose) => void): void {
  if (Array.isArray(value)) for (const one of value) walk(one, visit);
  else if (typeof value === 'object' && value !== null) {
    if (value.type !== undefined) visit(value);
    for (const [key, inner] of Object.entries(value))
      if (key !== 'data' && key !== 'msteams') walk(inner, visit);
  }
}

function elementProblems(element: Loose, inputs: string[]): readonly string[] {
  const known = fields[String(element.type)];
  if (known === undefined) return [`an element ${String(element.type)}`];
  const problems = Object.keys(element)
    .filter((field) => !known.includes(field))
    .map((field) => `${element.type}.${field}`);
  for (const field of ['title', 'label', 'fallbackText'])
    if (element[field] !== undefined && !ours.some((one) => one.test(element[field])))
      problems.push(`text that is not the gate’s: ${element.type}.${field}`);
  if (element.type === 'TextRun' && (element.text === '' || /[\n\t]/.test(element.text)))
    problems.push('a run that is empty or has several lines');
  if (element.type === 'RichTextBlock' && element.inlines.length === 0) problems.push('a block without text');
  if (
    element.type === 'Action.OpenUrl' &&
    !/^http:\/\/localhost[:/]|^https:\/\/gate\.test\//.test(element.url)
  )
    problems.push(`a link to ${element.url}`);
  if (element.type === 'Action.Execute' && !isOurs(element)) problems.push(`data ${JSON.stringify(element)}`);
  if (String(element.type).startsWith('Input.')) {
    if (inputs.includes(element.id)) problems.push(`two inputs ${element.id}`);
    inputs.push(element.id);
  }
  return problems;
}

/** An id, a dot, a tag: nothing that says what the button means. */
const isOurs = ({ verb, data }: Loose): boolean =>
  ['approve', 'deny', 'stop'].includes(verb) &&
  Object.keys(data).join() === 'b' &&
  /^pst_[0-9a-zA-Z]+\.[0-9a-f]{32}$/.test(data.b);

/** All text of a card as a person reads it, block by block; pieces of a long text put together again, blanks as they were. */
export function readable(card: Loose): string {
  const rows: string[] = [];
  walk(card, (element) => {
    if (element.type === 'RichTextBlock')
      rows.push(
        element.inlines
          .map((one: Loose) => one.text)
          .join('')
          // Places to wrap at are the gate's own only after so many characters without one; any other would be somebody's.
          .replace(/([^ \u{200b}]{8})\u{200b}/gu, '$1')
          .replaceAll('\u{a0}', ' '),
      );
  });
  return rows.join('\n').replaceAll('\n┆ ', '');
}

/** Verbs of its buttons, and the titles of its links, in their order. */
export function buttonsIn(card: Loose): readonly string[] {
  const found: string[] = [];
  walk(card, (element) => {
    if (element.type === 'Action.Execute') found.push(element.verb);
    if (element.type === 'Action.OpenUrl') found.push(element.title);
  });
  return found;
}

/** A button's data as it comes back; undefined where the card has no such button. */
export function dataOf(card: Loose, verb: string): Loose {
  let data: Loose;
  walk(card, (element) => {
    if (element.type === 'Action.Execute' && element.verb === verb) data = element.data;
  });
  return data;
}
