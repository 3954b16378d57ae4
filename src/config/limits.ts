/** Limits of a configuration: numbers and times with their defaults, and what start-up says of those that hold little. */
import { limitDefaults, type Limits } from '../app/parts.ts';
import { unsafeKeptMs } from '../core/stops.ts';
import { duration, isoDurationMs } from '../core/time.ts';
import type { ConfigDocument, Problem } from './document.ts';
import type { Written } from './written.ts';

export function limitsOf(written: Written): Limits {
  const limits = written.limits ?? {};
  const { replay, hold, holdProgress, cooldown, unsafeWindow } = limits;
  const ms = (text: string | undefined, byDefault: number): number =>
    (text === undefined ? undefined : isoDurationMs(text)) ?? byDefault;
  return {
    ...limitDefaults,
    coolOffMs: ms(limits.coolOff, limitDefaults.coolOffMs),
    replayMs: ms(replay, limitDefaults.replayMs),
    holdMs: ms(hold, limitDefaults.holdMs),
    holdProgressMs: ms(holdProgress, limitDefaults.holdProgressMs),
    cooldownMs: ms(cooldown, limitDefaults.cooldownMs),
    unsafeWindowMs: ms(unsafeWindow, limitDefaults.unsafeWindowMs),
    unsafeMax: limits.unsafe ?? limitDefaults.unsafeMax,
    pendingPerAgent: limits.pendingPerAgent ?? limitDefaults.pendingPerAgent,
    inbox: limits.inbox ?? limitDefaults.inbox,
    creationsPerMinute: limits.creationsPerMinute ?? limitDefaults.creationsPerMinute,
  };
}

/** Durations of nothing, and those that reach further back than unsafe denials are kept. */
export function limitProblems(written: Written, document: ConfigDocument): readonly Problem[] {
  const problems: Problem[] = [];
  for (const [key, value] of Object.entries(written.limits ?? {})) {
    if (typeof value !== 'string') continue;
    const ms = isoDurationMs(value);
    if (ms === undefined)
      problems.push(document.problem(['limits', key], `limits.${key} must be longer than nothing.`));
    else if ((key === 'cooldown' || key === 'unsafeWindow') && ms > unsafeKeptMs)
      problems.push(document.problem(['limits', key], `limits.${key} is at most ${duration(unsafeKeptMs)}.`));
  }
  return problems;
}

/** So many times looser than the default is worth a word at every start. */
const farTimes = 10;

/** What holds agents back by default and hardly does here. */
export function limitWarnings(limits: Limits): readonly string[] {
  const counts = [
    ['pendingPerAgent', limits.pendingPerAgent, limitDefaults.pendingPerAgent],
    ['inbox', limits.inbox, limitDefaults.inbox],
    ['creationsPerMinute', limits.creationsPerMinute, limitDefaults.creationsPerMinute],
    ['unsafe', limits.unsafeMax, limitDefaults.unsafeMax],
  ] as const;
  const times = [
    ['cooldown', limits.cooldownMs, limitDefaults.cooldownMs],
    ['unsafeWindow', limits.unsafeWindowMs, limitDefaults.unsafeWindowMs],
  ] as const;
  return [
    ...counts
      .filter(([, is, byDefault]) => is > byDefault * farTimes)
      .map(([key, is, byDefault]) => `limits.${key} is ${is}, far above its default of ${byDefault}.`),
    ...times
      .filter(([, is, byDefault]) => is * farTimes < byDefault)
      .map(
        ([key, is, byDefault]) =>
          `limits.${key} is ${duration(is)}, far below its default of ${duration(byDefault)}.`,
      ),
  ];
}
