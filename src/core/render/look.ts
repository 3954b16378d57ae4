/**
 * What the gate read upstream so that people can judge: the preview, the state before. Shown with tool and time,
 * informative and not bound; a list of flat objects as a table, a text beside the input's as a diff, the rest as JSON.
 */
import type { Seen } from '../case.ts';
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import { maskText } from '../secrets.ts';
import { diffLines } from './diff.ts';
import { writeJson, type Line } from './json-lines.ts';
import { answerOf, brief, briefUnder, inputOf, objectsIn, pick, type Titled } from './read.ts';
import { counted, line, lines, say, short, type Shown } from './shown.ts';

export type LookBody =
  | { readonly as: 'failed'; readonly detail: Shown }
  | { readonly as: 'json'; readonly lines: readonly Line[]; readonly whole: boolean }
  | {
      readonly as: 'table';
      readonly title: Shown;
      readonly columns: readonly Shown[];
      readonly rows: readonly (readonly Shown[])[];
      readonly more: number;
    }
  | {
      readonly as: 'diff';
      readonly rows: readonly { readonly kind: 'same' | 'gone' | 'new' | 'skipped'; readonly text: Shown }[];
    };

export interface LookView {
  readonly which: 'before' | 'preview';
  readonly tool: Shown;
  readonly atMs: number;
  readonly bodies: readonly LookBody[];
}

const lookLimits = { charsMax: 16_384, linesMax: 200 };
const tableRowsMax = 12;
const tableColumnsMax = 6;
const diffRowsMax = 400;

/** The state before, then the preview; what was not asked for is absent. */
export function looksOf(asked: Titled): readonly LookView[] {
  return [
    ...(asked.before === null ? [] : [lookView('before', asked.before, inputOf(asked))]),
    ...(asked.preview === null ? [] : [lookView('preview', asked.preview, inputOf(asked))]),
  ];
}

function lookView(which: LookView['which'], seen: Seen, input: JsonObject): LookView {
  return {
    which,
    tool: short(seen.tool, 120),
    atMs: seen.atMs,
    bodies: seen.answer.ok
      ? bodiesOf(which, seen, input)
      : [{ as: 'failed', detail: short(maskText(seen.answer.detail), 300) }],
  };
}

function bodiesOf(which: LookView['which'], seen: Seen, input: JsonObject): readonly LookBody[] {
  const answer = answerOf(seen) ?? null;
  const diff = which === 'before' ? diffOf(answer, input) : undefined;
  if (diff !== undefined) return [diff];
  if (isJsonObject(answer)) {
    const tables = Object.entries(answer).flatMap(([key, value]) => tableOf(key, value) ?? []);
    const rest = Object.fromEntries(
      Object.entries(answer).filter(([key, value]) => tableOf(key, value) === undefined),
    );
    return [...(Object.keys(rest).length === 0 ? [] : [jsonBody(rest)]), ...tables];
  }
  const table = tableOf('', answer);
  return [table ?? jsonBody(answer)];
}

function jsonBody(value: JsonValue): LookBody {
  const written = writeJson(value, lookLimits);
  return { as: 'json', lines: written.lines, whole: written.whole };
}

/** A table of a list whose items are objects; undefined for all else. */
function tableOf(key: string, value: JsonValue): LookBody | undefined {
  if (!isJsonArray(value) || value.length === 0) return undefined;
  const rows = objectsIn(value);
  if (rows.length !== value.length) return undefined;
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].slice(0, tableColumnsMax);
  return {
    as: 'table',
    title: say`${key === '' ? 'answer' : short(key, 60)}: ${counted(rows.length, 'row')}`,
    columns: columns.map((one) => short(one, 40)),
    rows: rows.slice(0, tableRowsMax).map((row) => columns.map((column) => cell(column, row[column]))),
    more: Math.max(0, rows.length - tableRowsMax),
  };
}

function cell(column: string, value: JsonValue | undefined): Shown {
  if (value === undefined || value === null) return line('–');
  const names = isJsonArray(value) ? objectsIn(value).map((one) => one['name']) : [];
  const named = names.length > 0 && names.every((one) => typeof one === 'string');
  return named ? brief(names.join(', '), 80) : briefUnder(column, value, 80);
}

/** A file's text before against the text that the input would write; undefined where the two are not there. */
function diffOf(answer: JsonValue, input: JsonObject): LookBody | undefined {
  const before = textOf(answer);
  const after = pick(input, ['content', 'contents', 'text', 'body', 'data'])?.value;
  if (before === undefined || typeof after !== 'string') return undefined;
  const rows = diffLines(before.split('\n'), after.split('\n'));
  if (rows === null || rows.length > diffRowsMax) return undefined;
  return { as: 'diff', rows: rows.map((row) => ({ kind: row.kind, text: lines(row.text)[0] ?? line('') })) };
}

function textOf(answer: JsonValue): string | undefined {
  if (typeof answer === 'string') return answer;
  const only =
    isJsonObject(answer) && Object.keys(answer).length === 1
      ? pick(answer, ['content', 'text'])?.value
      : undefined;
  return typeof only === 'string' ? only : undefined;
}
