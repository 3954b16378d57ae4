/** One action in a list, in words: what the policies said of it, and whether anybody was asked at all. */
import type { Mode, State } from '../case.ts';
import type { Verdict } from '../verdict.ts';
import { line, listed, say, short, type Shown } from './shown.ts';
import type { Tone } from './standing.ts';

export interface GlanceWords {
  /** "allowed", "denied (forbidden)", "approved, ran", "observed". */
  readonly text: Shown;
  readonly tone: Tone | 'plain';
  /** Said of what was only observed, or passed under break-glass, always: nobody was asked, and what would have become of it. */
  readonly observed: Shown | null;
}

/** @param passing how it passed, where that was not its verdict: observed, or under break-glass. */
export function glanceWords(verdict: Verdict, state: State, passing: Mode | 'glass'): GlanceWords {
  if (passing === 'glass')
    return {
      text: line('under break-glass'),
      tone: 'bad',
      observed: say`under BREAK-GLASS: nobody was asked; ${wouldHave(verdict)}`,
    };
  if (passing === 'observe')
    return {
      text: line('observed'),
      tone: 'unknown',
      observed: say`observed: nobody was asked; ${wouldHave(verdict)}`,
    };
  return { ...enforced(verdict, state), observed: null };
}

/** "would have been denied (forbidden)". */
export function wouldHave(verdict: Verdict): Shown {
  switch (verdict.effect) {
    case 'allow':
      return line('would have been allowed');
    case 'review':
      return say`would have been held for ${short(listed([...new Set(verdict.requirements.map((one) => `${one.quorum} of ${one.approvers}`))]), 160)}`;
    case 'deny':
      return say`would have been denied (${verdict.code})`;
  }
}

function enforced(verdict: Verdict, state: State): { readonly text: Shown; readonly tone: Tone | 'plain' } {
  if (verdict.effect === 'deny') return { text: say`denied (${verdict.code})`, tone: 'bad' };
  const asked = verdict.effect === 'review';
  switch (state) {
    case 'pending':
      return { text: line('waits for people'), tone: 'waiting' };
    case 'ready':
      return { text: line(asked ? 'approved, not run yet' : 'allowed, not run yet'), tone: 'good' };
    case 'denied':
      return { text: line('denied by people'), tone: 'bad' };
    case 'expired':
      return { text: line('expired'), tone: 'over' };
    case 'cancelled':
      return { text: line('withdrawn'), tone: 'over' };
    case 'started':
      return { text: line(asked ? 'approved, running' : 'allowed, running'), tone: 'plain' };
    case 'succeeded':
      return { text: line(asked ? 'approved, ran' : 'allowed, ran'), tone: 'good' };
    case 'failed':
      return { text: line(asked ? 'approved, failed' : 'allowed, failed'), tone: 'bad' };
    case 'unknown':
      return { text: line('outcome unknown'), tone: 'unknown' };
  }
}
