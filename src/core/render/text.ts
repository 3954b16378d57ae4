/**
 * A presentation for terminals: the same facts in the same order as the page, wrapped to a width. Every text in it is
 * `Shown`, so nothing that an agent wrote can move the cursor, change colours or start a line of its own: lines of the
 * input stand behind a gutter.
 */
import { ago, clock, listed } from './shown.ts';
import type { Line } from './json-lines.ts';
import type { ForWhom, Presentation } from './present.ts';
import { specialRows } from './text-special.ts';

export interface TextOptions {
  readonly color: boolean;
  /** Columns; at least 40. */
  readonly width: number;
}

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';
/** SGR of ECMA-48: the only escapes that are printed, and only by `paint`. */
const sgr: Readonly<Record<Style, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 };

const widthMin = 40;

/** The whole presentation; ends with a line break. */
export function presentText(shown: Presentation, options: TextOptions): string {
  const page = new Sheet(options);
  top(page, shown);
  why(page, shown);
  exact(page, shown);
  below(page, shown);
  return page.text();
}

/** Collects lines. */
export class Sheet {
  private readonly out: string[] = [];
  private readonly color: boolean;
  private readonly width: number;

  constructor(options: TextOptions) {
    this.color = options.color;
    this.width = Math.max(widthMin, options.width);
  }

  paint(style: Style, text: string): string {
    return this.color ? `\u001b[${sgr[style]}m${text}\u001b[0m` : text;
  }

  blank(): void {
    this.out.push('');
  }

  heading(text: string): void {
    this.out.push('', this.paint('bold', text));
  }

  /** Text wrapped at words; what does not fit the first line hangs further in, so that it cannot pass for a line of ours. */
  say(text: string, indent = 2, style?: Style): void {
    for (const [index, row] of wrap(text, this.width - indent - 4).entries()) {
      this.out.push(
        ' '.repeat(index === 0 ? indent : indent + 4) + (style === undefined ? row : this.paint(style, row)),
      );
    }
  }

  /** Somebody else's words: each line behind a bar. */
  quote(text: string, indent = 2): void {
    for (const row of wrap(text, this.width - indent - 2)) this.out.push(`${' '.repeat(indent)}| ${row}`);
  }

  item(text: string, style?: Style): void {
    const [first = '', ...rest] = wrap(text, this.width - 4);
    for (const row of [`  - ${first}`, ...rest.map((one) => `    ${one}`)])
      this.out.push(style === undefined ? row : this.paint(style, row));
  }

  /** "  label    value", the values under each other. */
  pair(label: string, value: string): void {
    const [first = '', ...rest] = wrap(value, this.width - 20);
    this.out.push(
      `  ${this.paint('dim', label.padEnd(16))}  ${first}`,
      ...rest.map((one) => ' '.repeat(20) + one),
    );
  }

  code(rows: readonly Line[]): void {
    const digits = String(rows.length).length;
    for (const [index, row] of rows.entries()) {
      const text = `${'  '.repeat(row.depth)}${row.block ? '| ' : ''}${row.tokens.map((token) => token.text).join('')}`;
      const parts = cut(text, this.width - digits - 5);
      for (const [at, part] of parts.entries()) {
        const number = at === 0 ? String(index + 1).padStart(digits) : ' '.repeat(digits);
        this.out.push(`  ${this.paint('dim', `${number} ${at === 0 ? '│' : '┆'}`)} ${part}`);
      }
    }
  }

  text(): string {
    return `${this.out.join('\n')}\n`;
  }
}

/** Words up to a width; a longer word is cut, never dropped. */
function wrap(text: string, width: number): readonly string[] {
  const rows: string[] = [];
  let row = '';
  for (const word of text.split(' ')) {
    if (row !== '' && row.length + 1 + word.length > width) {
      rows.push(row);
      row = '';
    }
    const [first = '', ...rest] = cut(row === '' ? word : `${row} ${word}`, width);
    row = first;
    for (const part of rest) {
      rows.push(row);
      row = part;
    }
  }
  return [...rows, row];
}

function cut(text: string, width: number): readonly string[] {
  if (text.length <= width) return [text];
  const points = Array.from(text);
  return Array.from({ length: Math.ceil(points.length / width) }, (_, index) =>
    points.slice(index * width, (index + 1) * width).join(''),
  );
}

function top(page: Sheet, shown: Presentation): void {
  page.say(shown.headline.text, 0, 'bold');
  page.say(`${shown.standing.title}. ${shown.standing.text}`, 0);
  for (const one of shown.standing.said) page.quote(one, 4);
  page.blank();
  if (shown.reversible === false) page.say('This cannot be undone.', 0, 'red');
  if (shown.reversible === true) page.say('This can be undone.', 0);
  if (shown.consequence !== null) page.say(shown.consequence, 0);
  if (shown.undetermined.length === 0) return;
  page.heading('What the gate could not determine');
  for (const one of shown.undetermined) page.item(`${one.what}: ${one.why}`, 'yellow');
}

function why(page: Sheet, shown: Presentation): void {
  page.heading('Why people are asked');
  for (const one of shown.why.policies) page.item(`${one.title} (${one.id})`);
  if (shown.why.policies.length === 0) page.say(shown.why.text);
  for (const one of shown.why.clauses)
    page.say(
      `${one.text}${one.here === null ? '' : `   (here ${one.here}${one.against === null ? '' : `, against ${one.against}`})`}`,
    );
  for (const one of shown.why.wouldAllow) page.item(`it would be allowed without asking ${one}`);
  page.heading('For whom');
  const { forWhom } = shown;
  if (forWhom.gates === undefined) agentsPairs(page, forWhom);
  else page.say(forWhom.gates);
  page.pair('asked', `${clock(shown.askedAtMs)}, ${ago(shown.askedAtMs, shown.nowMs)}`);
  page.heading('What is new');
  for (const one of shown.news) page.item(one.text, one.tone === 'bad' ? 'yellow' : undefined);
}

function agentsPairs(page: Sheet, forWhom: ForWhom): void {
  page.pair('agent', forWhom.agent);
  page.pair('owned by', forWhom.owners.length === 0 ? 'nobody known' : listed(forWhom.owners));
  if (forWhom.startedBy !== null) page.pair('started by', forWhom.startedBy);
  if (forWhom.delegation.length > 0) page.pair('through', forWhom.delegation.join(' > '));
  page.pair('session', forWhom.session === null ? 'none named' : `${forWhom.session} (claimed by the agent)`);
}

function exact(page: Sheet, shown: Presentation): void {
  specialRows(page, shown);
  page.heading('The exact action');
  for (const one of shown.exact.fields) page.pair(one.label, one.value);
  page.pair('digest', shown.exact.digest);
  for (const one of shown.exact.notes)
    page.item(`${one.path === '' ? '' : `${one.path} `}${one.text}`, 'yellow');
  page.say('input');
  page.code(shown.exact.input);
  if (!shown.shownWhole)
    page.say('The input is larger than can be shown here. It cannot be approved from here.', 2, 'red');
  // What the gate asks has no agent whose words it were; who asked is in the sentence above.
  if (shown.forWhom.gates !== undefined && shown.agentsReason === null) return;
  page.heading('The agent’s reason (unverified)');
  if (shown.agentsReason === null) page.say('none given');
  for (const one of shown.agentsReason ?? []) page.quote(one);
}

function below(page: Sheet, shown: Presentation): void {
  page.heading('Approval');
  for (const one of shown.needs) {
    page.item(
      `${one.count} of ${one.quorum} from ${one.approvers}${one.escalated === null ? '' : `, escalated to ${one.escalated.group} at ${clock(one.escalated.atMs)}`}: ${one.title}`,
      one.met ? 'green' : undefined,
    );
  }
  for (const one of shown.reviews) {
    page.item(
      `${one.name} ${one.decision === 'approve' ? 'approved' : 'denied'} ${one.channel}, ${ago(one.atMs, shown.nowMs)}${one.unsafe ? ', as unsafe' : ''}`,
    );
    for (const reason of one.reason) page.quote(reason, 4);
  }
  page.pair('can approve', shown.canApprove.length === 0 ? 'nobody' : listed(shown.canApprove));
  for (const one of shown.cannotApprove) page.pair('cannot approve', `${one.name}: ${one.why}`);
  if (shown.standing.untilMs !== null) page.pair('until', clock(shown.standing.untilMs));
  page.pair('short digest', shown.exact.shortDigest);
  const no = shown.reader?.cannotApprove ?? null;
  if (no !== null) page.say(`${no.words} (${no.code})`, 2, 'yellow');
}
