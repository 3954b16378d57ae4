/** `shutdown:` of a configuration: how long a gate that was told to stop is still there. */
import { duration, isoDurationMs } from '../core/time.ts';
import type { ConfigDocument, Problem } from './document.ts';
import type { Written } from './written.ts';

export interface ShutdownSettings {
  /** How long it serves everything on, and only says that it is not ready any more. */
  readonly drainMs: number;
  /** How long after that it waits for what runs. */
  readonly graceMs: number;
}

/** Behind a load balancer there is somebody to take over; an embedded store has one gate, and waiting would help nobody. */
const drainDefaultMs = { sqlite: 0, postgres: 5000 } as const;
const graceDefaultMs = 30_000;
/** An orchestrator's own patience is seldom longer. */
const drainMostMs = 5 * 60_000;
const graceMostMs = 60 * 60_000;

/** Zero is a wish here. */
const msOf = (text: string | undefined, byDefault: number): number =>
  text === undefined ? byDefault : (isoDurationMs(text) ?? 0);

export function shutdownOf({ shutdown, database }: Written): ShutdownSettings {
  return {
    drainMs: msOf(shutdown?.drain, database === undefined ? drainDefaultMs.sqlite : drainDefaultMs.postgres),
    graceMs: msOf(shutdown?.grace, graceDefaultMs),
  };
}

export function shutdownProblems({ shutdown }: Written, document: ConfigDocument): readonly Problem[] {
  const most = { drain: drainMostMs, grace: graceMostMs } as const;
  return (['drain', 'grace'] as const).flatMap((key) =>
    msOf(shutdown?.[key], 0) > most[key]
      ? [document.problem(['shutdown', key], `shutdown.${key} is at most ${duration(most[key])}.`)]
      : [],
  );
}
