/** What the set-up commands found, one line each. */
import { visibleLine } from '../core/visible.ts';
import type { Io } from './io.ts';

/** One thing that was looked at. */
export interface Finding {
  /** `unknown`: it cannot be told from here. */
  readonly kind: 'good' | 'warning' | 'bad' | 'unknown';
  readonly text: string;
}

/** Prints them; answers the exit code: 1 where something does not work. */
export function sayFindings(findings: readonly Finding[], io: Io): number {
  const { good, wait, bad, soft } = io.paint;
  const marks = {
    good: good('ok     '),
    warning: wait('warning'),
    bad: bad('wrong  '),
    unknown: soft('?      '),
  };
  for (const { kind, text } of findings) io.out(`${marks[kind]}  ${visibleLine(text)}`);
  return findings.some(({ kind }) => kind === 'bad') ? 1 : 0;
}
