/**
 * Jobs and their outcomes as JSON texts, for the way to the writer's thread and back: parsing one takes half the time of a
 * structured clone. What the other side has already is left out.
 */
import type { Action } from '../core/action.ts';
import type { Asked } from '../core/case.ts';
import type { Flushed, Job, Outcome } from './job.ts';

/** An action travels as its canonical text alone, and is parsed from it: what is judged is what the digest covers. */
export function encodeJobs(jobs: readonly Job[]): string {
  return JSON.stringify(
    jobs.map((job) => {
      if (job.kind !== 'change' || job.command.kind !== 'ask') return job;
      return { ...job, command: { ...job.command, asked: { ...job.command.asked, action: null } } };
    }),
  );
}

export function decodeJobs(text: string): readonly Job[] {
  // `encodeJobs` made the text from Jobs; the loop puts back what it left out.
  const jobs = JSON.parse(text) as Job[];
  return jobs.map((job) => {
    if (job.kind !== 'change' || job.command.kind !== 'ask') return job;
    const { asked } = job.command;
    return {
      ...job,
      command: { ...job.command, asked: { ...asked, action: JSON.parse(asked.canonical) as Action } },
    };
  });
}

/** What the job asked, where its outcome is the case that it made. */
const askedOf = (job: Job | undefined): Asked | undefined =>
  job?.kind === 'change' && job.command.kind === 'ask' ? job.command.asked : undefined;

/** A new case goes back without the half that its asker holds. */
export function encodeFlushed(jobs: readonly Job[], flushed: Flushed): string {
  const outcomes = flushed.outcomes.map((outcome, at) => {
    if (!outcome.ok || outcome.value.kind !== 'case') return outcome;
    const held = outcome.value.case;
    if (held.asked !== askedOf(jobs[at])) return outcome;
    return { ...outcome, value: { ...outcome.value, case: { ...held, asked: null } } };
  });
  return JSON.stringify({ ...flushed, outcomes });
}

export function decodeFlushed(jobs: readonly Job[], text: string): Flushed {
  // `encodeFlushed` made the text from a Flushed; the loop puts back what it left out.
  const flushed = JSON.parse(text) as Flushed;
  const outcomes = flushed.outcomes.map((outcome, at): Outcome => {
    const asked = askedOf(jobs[at]);
    if (!outcome.ok || outcome.value.kind !== 'case' || asked === undefined) return outcome;
    const held = outcome.value.case;
    return { ...outcome, value: { ...outcome.value, case: { ...held, asked: held.asked ?? asked } } };
  });
  return { ...flushed, outcomes };
}
