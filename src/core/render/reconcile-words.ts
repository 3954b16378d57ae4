/** Comparisons with what targets recorded, in plain words: for pages, the command line and evidence. */
import type { Compared, GateOnly, Reconciliation, Source, TargetOnly, TargetOnlyWhy } from '../reconcile.ts';
import { maskText } from '../secrets.ts';
import { counted, line, say, short, type Shown } from './shown.ts';

/** What recorded it. */
export function sourceWords(source: Source): string {
  switch (source) {
    case 'pgaudit':
      return 'PostgreSQL (pgaudit)';
    case 'cloudtrail':
      return 'AWS CloudTrail';
    case 'csv':
      return 'A table (CSV)';
    case 'json':
      return 'Rows sent to the gate';
  }
}

/** Why a row is the target's alone, as a sentence. */
export function whyWords(why: TargetOnlyWhy): string {
  switch (why) {
    case 'unreadable':
      return 'It could not be read, or has no time that can be read.';
    case 'no_id':
      return 'It names no execution: it did not come through the gate.';
    case 'unknown_id':
      return 'It names an id that the gate never gave.';
    case 'not_run':
      return 'It names an action that never ran.';
    case 'other_target':
      return 'It names an execution at another target.';
    case 'before_it_ran':
      return 'It names an execution, and happened before that began: before its grant was used.';
    case 'after_it_ran':
      return 'It names an execution, and happened after that had ended.';
    case 'used_again':
      return 'It names an execution whose id was used here already, more often than one execution does.';
  }
}

/** What came of it, in one sentence. */
export function comparedWords({ rows, matched, targetOnly, gateOnly, executions }: Compared): Shown {
  if (rows === 0 && gateOnly.count === 0) return line('Nothing was recorded there, and nothing ran.');
  const there =
    targetOnly.count === 0
      ? 'nothing happened there outside the gate'
      : `${counted(targetOnly.count, 'row')} happened there outside the gate`;
  const left =
    gateOnly.count === 0 ? 'every execution left a row' : `${counted(gateOnly.count, 'execution')} left none`;
  const here = executions === 0 ? 'no execution began in that time' : left;
  return say`${matched} of ${counted(rows, 'row')} matched; ${there}; ${here}.`;
}

/** What was compared: the source, and the targets by name. */
export const titleWords = ({ source, targets }: Pick<Reconciliation, 'source' | 'targets'>): Shown =>
  say`${sourceWords(source)}${targets.length === 0 ? '' : `: ${targets.join(', ')}`}`;

/** Text of the target or of whoever wrote there: escaped, masked, cut. */
export const whatWords = ({ what }: Pick<TargetOnly, 'what'>): Shown =>
  short(maskText(what).replaceAll('\n', ' '), 160);

/** How an execution without a row stands. */
export function gateOnlyWords({ status }: Pick<GateOnly, 'status'>): string {
  switch (status) {
    case 'started':
      return 'It has not ended yet.';
    case 'succeeded':
      return 'It succeeded, and the target has no row of it.';
    case 'failed':
      return 'It failed: it may never have reached the target.';
    case 'unknown':
      return 'Nobody knows how it ended; the target has no row of it.';
  }
}
