/**
 * A YAML text with the places of its values. Promises: strict reading (YAML 1.2 core schema, one document, unique keys, no
 * custom tags, few aliases), plain JSON out, and every problem has a line and a column.
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type Node,
  type Pair,
} from 'yaml';
import { checkJson } from '../core/check-json.ts';
import type { JsonValue } from '../core/json.ts';
import { err, ok, type Result } from '../core/result.ts';

/** Something wrong with a file, where a person can find it. Lines and columns count from 1. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** One or two sentences; holds no secret. */
  readonly message: string;
}

/** `FILE:LINE:COLUMN: message`, as compilers say it. */
export const problemText = (problem: Problem): string =>
  `${problem.file}:${problem.line}:${problem.column}: ${problem.message}`;

/** Keys and indexes from the root. */
export type Path = readonly (string | number)[];

export interface ConfigDocument {
  readonly value: JsonValue;
  /** A problem at the value of a path, or at its key; of a path that does not exist, at the last part that does. */
  problem(path: Path, message: string, at?: 'value' | 'key'): Problem;
}

/** Larger files are refused unread. */
export const configBytesMax = 1_048_576;
/** How often the parser may follow aliases, counted as it counts: a few anchors are fine, a "billion laughs" is not. */
const aliasesMax = 100;

/** Reads a text; `file` is only its name in problems. */
export function readDocument(text: string, file: string): Result<ConfigDocument, readonly Problem[]> {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    uniqueKeys: true,
    lineCounter: lines,
    prettyErrors: false,
  });
  const problemAt = (offset: number, message: string): Problem => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col), message };
  };
  // A warning is a tag that nobody knows; its value would be taken for something else.
  const wrong = [...document.errors, ...document.warnings];
  if (wrong.length > 0) return err(wrong.map((one) => problemAt(one.pos[0], sentence(one.message))));
  const problem: ConfigDocument['problem'] = (path, message, at = 'value') =>
    problemAt(offsetOf(document, path, at), message);
  try {
    const checked = checkJson(document.toJS({ maxAliasCount: aliasesMax }) ?? {}, {
      bytesMax: configBytesMax,
    });
    if (checked.ok) return ok({ value: checked.value, problem });
    const path = checked.error.path
      .split('/')
      .slice(1)
      .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
    return err([problem(path, sentence(checked.error.detail))]);
  } catch (error) {
    // The parser's own guard against alias bombs is an exception.
    return err([problemAt(0, sentence(error instanceof Error ? error.message : 'cannot be read'))]);
  }
}

const sentence = (text: string): string => text.trim().replace(/\.?$/, '.');

function offsetOf(document: Document.Parsed, path: Path, at: 'value' | 'key'): number {
  let here: Node | null | undefined = document.contents;
  let offset = here?.range?.[0] ?? 0;
  for (const [index, step] of path.entries()) {
    const inside: Node | undefined | null = isAlias(here) ? here.resolve(document) : here;
    const last = index === path.length - 1;
    if (isMap(inside)) {
      // The parser makes nodes of keys and values; a missing value is null.
      const pair = inside.items.find((one) => isScalar(one.key) && String(one.key.value) === String(step)) as
        Pair<Node, Node | null> | undefined;
      if (pair === undefined) return offset;
      here = pair.value;
      offset = (last && at === 'key' ? undefined : nonEmpty(here)) ?? pair.key.range?.[0] ?? offset;
    } else if (isSeq(inside)) {
      // As above: parsed items are nodes.
      here = inside.items[Number(step)] as Node | undefined;
      offset = here?.range?.[0] ?? offset;
    } else return offset;
  }
  return offset;
}

/** Where a value is written; an empty value has no place of its own. */
const nonEmpty = (node: Node | null | undefined): number | undefined =>
  node?.range == null || node.range[0] === node.range[1] ? undefined : node.range[0];
