/**
 * Where a case stands, in words: what happens without an answer and when, who decided, how the run ended. Times are those of the
 * clock: a message and a page stay, and what was "just now" would soon be false on them.
 */
import {
  stateOf,
  type ApprovalStatus,
  approvalStatusOf,
  type By,
  type Case,
  type Channel,
  type Execution,
  type State,
} from '../case.ts';
import { nameOf } from '../conflict.ts';
import type { Directory } from '../directory.ts';
import { maskText } from '../secrets.ts';
import { duration } from '../time.ts';
import { clockNear, line, lines, say, type Shown } from './shown.ts';

export type Tone = 'waiting' | 'good' | 'bad' | 'over' | 'unknown';

export interface Standing {
  readonly state: State;
  readonly status: ApprovalStatus;
  readonly tone: Tone;
  /** "Waiting for approval". */
  readonly title: Shown;
  /** What happened, or what happens without an answer and when. */
  readonly text: Shown;
  /** What somebody said with it: a reason, an outcome's detail; no line where nothing was said. */
  readonly said: readonly Shown[];
  /** When it expires by itself; null where it no longer does. */
  readonly untilMs: number | null;
}

export function standingOf(held: Case, directory: Directory, nowMs: number): Standing {
  const state = stateOf(held, nowMs);
  return { state, status: approvalStatusOf(held, nowMs), ...words(held, state, directory, nowMs) };
}

type Words = Omit<Standing, 'state' | 'status'>;

function words(held: Case, state: State, directory: Directory, nowMs: number): Words {
  const none = { said: [], untilMs: null };
  switch (state) {
    case 'pending': {
      const untilMs = held.approval?.expiresAtMs ?? nowMs;
      return {
        ...none,
        tone: 'waiting',
        title: line('Waiting for approval'),
        text: say`Without enough approvals it expires at ${clockNear(untilMs, nowMs)} and nothing runs.`,
        untilMs,
      };
    }
    case 'ready': {
      const untilMs = held.grant?.expiresAtMs ?? nowMs;
      return {
        ...none,
        tone: 'good',
        title: line('Approved, not run yet'),
        text: say`It runs once, when ${held.asked.action.agent} waits or asks again. Not run by ${clockNear(untilMs, nowMs)}, it expires.`,
        untilMs,
      };
    }
    case 'denied':
    case 'expired':
    case 'cancelled':
      return { ...none, ...endingWords(held, state, directory, nowMs) };
    case 'started':
    case 'succeeded':
    case 'failed':
    case 'unknown':
      return { ...none, ...runWords(held, nowMs) };
  }
}

function endingWords(
  held: Case,
  state: 'denied' | 'expired' | 'cancelled',
  directory: Directory,
  nowMs: number,
): Omit<Words, 'untilMs'> {
  const ending = held.ending;
  const when = ending === null ? '' : ` at ${clockNear(ending.atMs, nowMs)}`;
  const said = ending?.reason == null ? [] : lines(maskText(ending.reason));
  switch (state) {
    case 'denied':
      return {
        tone: 'bad',
        title: line('Denied'),
        text: say`Denied by ${byWords(ending?.by, directory)}${when}. Nothing ran.`,
        said,
      };
    case 'expired':
      return {
        tone: 'over',
        title: line('Expired'),
        text:
          held.grant === null
            ? say`Nobody decided by ${clockNear(held.approval?.expiresAtMs ?? nowMs, nowMs)}. Nothing ran.`
            : say`It was approved, and not run by ${clockNear(held.grant.expiresAtMs, nowMs)}. Nothing ran.`,
        said: [],
      };
    case 'cancelled':
      return {
        tone: 'over',
        title: line('Withdrawn'),
        text: say`Withdrawn by ${byWords(ending?.by, directory)}${when}. Nothing ran.`,
        said,
      };
  }
}

function runWords(held: Case, nowMs: number): Omit<Words, 'untilMs'> {
  const run = held.execution;
  if (run === null) return { tone: 'unknown', title: line('Running'), text: line(''), said: [] };
  const said = run.detail === null ? [] : lines(maskText(run.detail));
  const took = run.endedAtMs === null ? '' : ` in ${lasted(run.endedAtMs - run.startedAtMs)}`;
  const end = run.endedAtMs === null ? '' : ` at ${clockNear(run.endedAtMs, nowMs)}`;
  switch (run.status) {
    case 'started':
      return {
        tone: 'waiting',
        title: line('Running'),
        text: say`Started at ${clockNear(run.startedAtMs, nowMs)}. It can no longer be stopped here.`,
        said: [],
      };
    case 'succeeded':
      return {
        tone: 'good',
        title: line('Ran once, succeeded'),
        text: say`Succeeded${took}${end}. ${witness(run)}`,
        said,
      };
    case 'failed':
      return {
        tone: 'bad',
        title: line('Ran once, failed'),
        text: say`Failed${took}${end}. ${witness(run)}`,
        said,
      };
    case 'unknown':
      return {
        tone: 'unknown',
        title: line('Outcome unknown'),
        text: say`It started at ${clockNear(run.startedAtMs, nowMs)} and nobody knows how it ended. It is not run again by itself; an operator may settle it.`,
        said,
      };
  }
}

const lasted = (ms: number): string => (ms < 1000 ? `${Math.max(0, ms)} ms` : duration(ms));

/** Who says how it ended. */
function witness(run: Execution): string {
  switch (run.outcomeBy) {
    case 'gate':
      return 'The gate ran it and saw the outcome.';
    case 'agent':
      return 'The agent ran it and reported the outcome; the gate did not see it.';
    case 'person':
      return 'A person settled the outcome.';
    case null:
      return '';
  }
}

/** Who did it, by name: "Rosa Diaz", "the agent crm-bot", "the gate". */
export function byWords(by: By | undefined, directory: Directory): Shown {
  if (by === undefined) return line('the gate');
  switch (by.kind) {
    case 'gate':
      return line('the gate');
    case 'agent':
      return say`the agent ${by.id}`;
    case 'person':
      return line(nameOf(directory, by.id));
    case 'operator':
      return line('an operator at the command line');
  }
}

/** "in the web inbox". */
export function channelWords(channel: Channel): string {
  switch (channel) {
    case 'web':
      return 'in the web inbox';
    case 'cli':
      return 'from a terminal';
    case 'api':
      return 'through the API';
    case 'slack':
      return 'in Slack';
    case 'teams':
      return 'in Teams';
  }
}
