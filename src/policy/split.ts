/**
 * Splits a policy file into its policies, by reading only what Cedar's lexer needs for that: strings, comments, brackets
 * and the semicolon that ends a policy. So each policy keeps its file and line, and none reaches Cedar's parser that is
 * larger or nested deeper than the limits: hostile text can leave that parser unusable.
 */
import { nestingMax } from './expression.ts';

/** UTF-8 bytes of one policy. */
export const policyBytesMax = 8 * 1024;

/** One policy's text, from its first annotation or keyword to its semicolon, which is not part of it. */
export interface PolicyText {
  readonly file: string;
  /** Of the first character, from 1. */
  readonly line: number;
  readonly text: string;
}

export interface SplitProblem {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

export interface Split {
  readonly policies: readonly PolicyText[];
  readonly problems: readonly SplitProblem[];
}

/** A comment, a string with its escapes, a bracket, a semicolon; all else is skipped. */
const token = /\/\/[^\n\r]*|"[^"\\]*(?:\\[\s\S][^"\\]*)*"|[()[\]{};]|"/g;

/** Every policy of a file, and what is wrong with those that Cedar shall not see. */
export function splitPolicies(file: string, text: string): Split {
  const policies: PolicyText[] = [];
  const problems: SplitProblem[] = [];
  const lines = linesOf(text);
  let start = 0;
  let depth = 0;
  let deepest = 0;
  const end = (at: number): void => {
    const whole = text.slice(start, at);
    const from = start + leading(whole);
    const policy = { file, line: lines(from), text: text.slice(from, at) };
    if (deepest > nestingMax) {
      problems.push({
        file,
        line: policy.line,
        message: `brackets nested more than ${nestingMax} deep: split the policy`,
      });
    } else if (Buffer.byteLength(policy.text) > policyBytesMax) {
      problems.push({
        file,
        line: policy.line,
        message: `a policy of more than ${policyBytesMax} bytes: split it`,
      });
    } else {
      policies.push(policy);
    }
  };
  for (const match of text.matchAll(token)) {
    const [found] = match;
    if (found === '(' || found === '[' || found === '{') {
      depth += 1;
      deepest = Math.max(deepest, depth);
    } else if (found === ')' || found === ']' || found === '}') {
      depth -= 1;
    } else if (found === '"') {
      problems.push({ file, line: lines(match.index), message: 'a string without an end' });
      return { policies, problems };
    } else if (found === ';') {
      end(match.index);
      start = match.index + 1;
      depth = 0;
      deepest = 0;
    }
  }
  const rest = text.slice(start);
  const from = start + leading(rest);
  if (from < text.length) {
    problems.push({ file, line: lines(from), message: 'a policy without a semicolon at its end' });
  }
  return { policies, problems };
}

/** Length of the white space and comments that a text begins with. */
function leading(text: string): number {
  return /^(?:\s|\/\/[^\n\r]*)*/.exec(text)?.[0].length ?? 0;
}

/** Tells the line of an offset, from 1; offsets must not go back. */
function linesOf(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}

/** The line, from 1, of an offset in UTF-8 bytes, which is how Cedar counts; an offset beyond the end is the last line. */
export function lineAtByte(text: string, bytes: number): number {
  return Buffer.from(text).subarray(0, bytes).toString('latin1').split('\n').length;
}
