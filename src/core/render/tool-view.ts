/**
 * A pinned tool for an operator's eyes: what was accepted, what its server says now, and the difference line by line. A
 * description is where a hostile server hides its orders, so every hidden character is shown, and what is too large to be
 * shown whole is said to be, and cannot be accepted from a page.
 */
import { canonicalize } from '../canonical.ts';
import type { Sha256Hex } from '../ids.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { operationOf } from '../action.ts';
import type { PinnedTool } from '../tool.ts';
import { diffLines } from './diff.ts';
import { exactLimits, tokensOf, writeJson, type Line, type Token, type Written } from './json-lines.ts';
import { notesOn, type Note } from './notes.ts';
import { counted, line, lines, say, shortDigest, type Shown } from './shown.ts';
import type { Tone } from './standing.ts';

/** A line of the difference; where a line was changed into another, `changed` is the part that differs. */
export interface DiffLine {
  readonly kind: 'same' | 'gone' | 'new' | 'skipped';
  readonly before: readonly Token[];
  readonly changed: readonly Token[];
  readonly after: readonly Token[];
}

export interface ToolView {
  readonly server: string;
  readonly tool: string;
  readonly operation: Shown;
  readonly title: Shown;
  readonly tone: Tone;
  /** One sentence on what its state means for agents. */
  readonly text: Shown;
  /** Of what was accepted; null where nothing was yet. */
  readonly hash: Shown | null;
  /** What an operator would accept; null where there is nothing to accept. */
  readonly offered: { readonly hash: Sha256Hex; readonly short: Shown } | null;
  readonly atMs: number;
  /** The accepted definition, else the one that waits. */
  readonly definition: readonly Line[];
  /** What a careful reader would want to be told about what its server says now. */
  readonly notes: readonly Note[];
  /** Null where nothing differs, nothing was accepted before, or the texts are too long to compare. */
  readonly diff: readonly DiffLine[] | null;
  /** Everything that would be accepted can be seen. */
  readonly whole: boolean;
}

export function toolView(tool: PinnedTool): ToolView {
  const now = tool.seen ?? tool.definition;
  const accepted = tool.definition === null ? null : written(tool.definition);
  const said = now === null ? null : written(now);
  const offered = tool.status === 'enabled' ? null : (tool.seenHash ?? tool.hash);
  const differs = accepted !== null && tool.seen !== null && said !== null;
  return {
    server: tool.server,
    tool: tool.tool,
    operation: line(operationOf(tool.server, tool.tool)),
    ...stateWords(tool),
    hash: tool.hash === null ? null : shortDigest(tool.hash),
    offered: offered === null ? null : { hash: offered, short: shortDigest(offered) },
    atMs: tool.atMs,
    definition: (accepted ?? said)?.lines ?? [],
    // Nothing is masked here: a definition is what agents are shown.
    notes: now === null ? [] : notesOn(now).filter((note) => note.kind !== 'masked'),
    diff: differs ? diffOf(accepted, said) : null,
    whole: said?.whole ?? true,
  };
}

/** Sorted by key, so that the order in which a server wrote its fields is no difference: the hash does not see it either. */
const written = (definition: JsonObject): Written =>
  // RFC 8785 is JSON, and sorts the keys of objects.
  writeJson(JSON.parse(canonicalize(definition)) as JsonValue, exactLimits);

export function stateWords(tool: PinnedTool): Pick<ToolView, 'title' | 'tone' | 'text'> {
  switch (tool.status) {
    case 'enabled':
      return { title: line('enabled'), tone: 'good', text: line('Agents can use it as it was accepted.') };
    case 'waiting':
      return {
        title: line('waits'),
        tone: 'waiting',
        text: line('It is new, and agents cannot use it until an operator accepts it.'),
      };
    case 'disabled':
      return {
        title: line(tool.seenHash === null || tool.seenHash === tool.hash ? 'disabled' : 'changed'),
        tone: 'bad',
        text: line(
          'Its server says something else of it than what was accepted, so agents cannot use it until an operator accepts that.',
        ),
      };
  }
}

function diffOf(accepted: Written, said: Written): readonly DiffLine[] | null {
  if (!accepted.whole || !said.whole) return null;
  const rows = diffLines(accepted.lines.map(textOf), said.lines.map(textOf));
  if (rows === null) return null;
  return rows.map((row, index) => {
    if (row.kind === 'skipped')
      return {
        kind: row.kind,
        before: [],
        changed: tokens(say`${counted(Number(row.text), 'line')} unchanged`),
        after: [],
      };
    // A line that goes, with the one that comes in its place: what of it differs.
    const other = row.kind === 'gone' ? rows[index + 1] : row.kind === 'new' ? rows[index - 1] : undefined;
    const paired =
      (row.kind === 'gone' && other?.kind === 'new') || (row.kind === 'new' && other?.kind === 'gone');
    if (!paired) return { kind: row.kind, before: tokens(row.text), changed: [], after: [] };
    const { start, end } = sameEnds(row.text, other.text);
    return {
      kind: row.kind,
      before: tokens(row.text.slice(0, start)),
      changed: tokens(row.text.slice(start, row.text.length - end)),
      after: tokens(row.text.slice(row.text.length - end)),
    };
  });
}

const textOf = (one: Line): string => '  '.repeat(one.depth) + one.tokens.map((token) => token.text).join('');

/** The text was written by `writeJson`, so it is shown already; its marks are set apart again. */
const tokens = (text: string): readonly Token[] =>
  tokensOf(lines(text).join(' ').replaceAll('\t', '  '), 'text');

/** How much two texts share at their start and at their end. Never inside a mark of ours, nor inside a character. */
function sameEnds(one: string, other: string): { readonly start: number; readonly end: number } {
  const most = Math.min(one.length, other.length);
  let start = 0;
  while (start < most && one[start] === other[start]) start += 1;
  let end = 0;
  while (end < most - start && one.at(-1 - end) === other.at(-1 - end)) end += 1;
  const cutsMark = (at: number): boolean => {
    const open = one.lastIndexOf('⟨', at - 1);
    return (open >= 0 && one.indexOf('⟩', open) >= at) || /[\uDC00-\uDFFF]/.test(one[at] ?? '');
  };
  while (start > 0 && cutsMark(start)) start -= 1;
  while (end > 0 && cutsMark(one.length - end)) end -= 1;
  return { start, end };
}
