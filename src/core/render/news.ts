/** What is new: the first time, or how earlier ones ended; today's count; that an earlier run's outcome is unknown. */
import type { Case, State } from '../case.ts';
import { ago, counted, grouped, listed, say, short, type Shown } from './shown.ts';

/** Earlier actions of the same agent with the same operation, as the store counts them. */
export interface Earlier {
  readonly total: number;
  /** How they ended, by state. */
  readonly byState: Readonly<Record<string, number>>;
  /** Of these, since midnight UTC. */
  readonly sinceMidnight: number;
  readonly last: { readonly atMs: number; readonly state: string } | null;
}

export interface News {
  /** `first`: it has no history; `bad`: an earlier one was refused, or nobody knows how it ended. */
  readonly tone: 'first' | 'plain' | 'bad';
  readonly text: Shown;
}

/** In the order that they are told. */
const order: readonly State[] = [
  'succeeded',
  'failed',
  'unknown',
  'denied',
  'expired',
  'cancelled',
  'pending',
  'ready',
  'started',
];

/** A state as people say it of a past action; states of a later version as they are. */
export function stateWords(state: string): string {
  switch (state) {
    case 'ready':
      return 'approved, not run';
    case 'pending':
      return 'waiting';
    case 'started':
      return 'running';
    case 'unknown':
      return 'ended unknown';
    default:
      return short(state, 20);
  }
}

export function newsOf(held: Case, earlier: Earlier | null, nowMs: number): readonly News[] {
  const { agent, operation } = held.asked.action;
  const after = held.approval?.afterUnknown ?? null;
  const unknown: readonly News[] =
    after === null
      ? []
      : [
          {
            tone: 'bad',
            text: say`The same action ran before, as ${after}, and nobody knows how that ended. Approving this may do it twice.`,
          },
        ];
  if (earlier === null)
    return [...unknown, { tone: 'plain', text: say`Earlier actions of ${agent} could not be read.` }];
  if (earlier.total === 0)
    return [
      ...unknown,
      { tone: 'first', text: say`First time: ${agent} has never asked for ${operation} before.` },
    ];
  return [...unknown, ...history(earlier, operation, nowMs)];
}

function history(earlier: Earlier, operation: string, nowMs: number): readonly News[] {
  const states = [
    ...order.filter((one) => Object.hasOwn(earlier.byState, one)),
    ...Object.keys(earlier.byState).filter((one) => !order.some((known) => known === one)),
  ];
  const ends = states.flatMap((state) => {
    const count = earlier.byState[state] ?? 0;
    return count === 0 ? [] : [`${grouped(count)} ${stateWords(state)}`];
  });
  const refused = (earlier.byState['denied'] ?? 0) > 0 || (earlier.byState['unknown'] ?? 0) > 0;
  const asked: News = {
    tone: refused ? 'bad' : 'plain',
    text: say`Asked for ${operation} ${counted(earlier.total, 'time')} before: ${listed(ends)}.`,
  };
  const last: readonly News[] =
    earlier.last === null
      ? []
      : [
          {
            tone: 'plain',
            text: say`The last was ${ago(earlier.last.atMs, nowMs)}: ${stateWords(earlier.last.state)}.`,
          },
        ];
  const today: News = {
    tone: 'plain',
    text:
      earlier.sinceMidnight === 0
        ? say`None of them today.`
        : say`${grouped(earlier.sinceMidnight)} of them today (since 00:00 UTC).`,
  };
  return [asked, ...last, today];
}
