/**
 * The operator's terminal: one line when people are asked, one when it is decided. Promises: what an agent wrote cannot move
 * the cursor, change colours or forge a second line (core/visible); nothing of the input is shown.
 */
import { approvalStatusOf, stateOf, type ApprovalStatus, type ExecutionStatus } from '../core/case.ts';
import { escalatedTo } from '../core/escalation.ts';
import type { GlassEnd } from '../core/glass.ts';
import type { PersonId } from '../core/ids.ts';
import { err, ok } from '../core/result.ts';
import { duration, rfc3339 } from '../core/time.ts';
import { visibleLine } from '../core/visible.ts';
import type { Channel, Told } from '../ports/channel.ts';
import type { Say } from '../ports/say.ts';

export interface Terminal {
  /** Writes one line; its end is added. */
  readonly write: Say;
  /** Whether escape sequences for colours may be used. */
  readonly colours: boolean;
}

/** Longest headline; a terminal is no page. */
const headlineCharsMax = 200;

const words: Readonly<Record<ApprovalStatus, string>> = {
  pending: 'Pending',
  approved: 'Approved',
  denied: 'Denied',
  expired: 'Expired',
  cancelled: 'Cancelled',
};

const ranWords: Readonly<Record<ExecutionStatus, string>> = {
  started: 'Running',
  succeeded: 'Ran and succeeded',
  failed: 'Ran and failed',
  unknown: 'Ran, and nobody knows how it ended',
};

const timeLeftMs = ({ case: held, nowMs }: Told): number => (held.approval?.expiresAtMs ?? nowMs) - nowMs;

/** The channel `terminal`. */
export function createTerminal(terminal: Terminal): Channel {
  return {
    name: 'terminal',
    deliver: (told) => {
      try {
        const line = lineOf(told, terminal.colours);
        const { asked, approval, execution } = told.case;
        if (line !== undefined)
          terminal.write(line, {
            event: 'approval.told',
            action: asked.id,
            ...(approval === null ? {} : { approval: approval.id }),
            ...(execution === null ? {} : { execution: execution.id }),
          });
        return Promise.resolve(ok([{ to: 'terminal', ref: null }]));
      } catch (error) {
        return Promise.resolve(
          err({ detail: error instanceof Error ? error.message : String(error), retryable: true }),
        );
      }
    },
  };
}

/** What is written for a notice; undefined where it has been overtaken by what came after. */
export function lineOf(told: Told, colours: boolean): string | undefined {
  const bold = (text: string): string => (colours ? `\u001B[1m${text}\u001B[22m` : text);
  const headline = cut(visibleLine(told.headline));
  // Whoever restarts the gate is not asked about what is over.
  const waits = stateOf(told.case, told.nowMs) === 'pending';
  switch (told.kind) {
    case 'approval.opened':
      return waits ? `${bold('Approval needed:')} ${headline} — ${told.url}` : undefined;
    case 'approval.escalated':
      return waits
        ? `${bold('Still waiting, and escalated:')} ${headline}, to ${cut(visibleLine(escalatedTo(told.case, told.nowMs).join(', ')))} — ${told.url}`
        : undefined;
    case 'approval.reviewed':
      return waits ? `${bold('Approved by one, and still waiting:')} ${headline} — ${told.url}` : undefined;
    case 'approval.reminded':
      return waits
        ? `${bold('Still waiting:')} ${headline}, ${duration(timeLeftMs(told))} left — ${told.url}`
        : undefined;
    case 'execution.ended':
      return `${bold(`${ranWords[told.case.execution?.status ?? 'unknown']}:`)} ${headline}`;
    case 'glass.opened':
    case 'glass.closed':
    case 'glass.reviewed':
      return `${bold('BREAK-GLASS')} ${glassLine(told)} — ${told.url}`;
    case 'approval.closed':
      return `${bold(`${words[approvalStatusOf(told.case, told.nowMs)]}:`)} ${headline}`;
  }
}

/** Who opened what for how long, or how it ended; an agent wrote nothing of it. */
function glassLine({ glass, kind, headline }: Told): string {
  if (glass === undefined) return `${kind}: ${cut(visibleLine(headline))}`;
  const { now, names } = glass;
  const name = (id: PersonId): string => visibleLine(names.get(id) ?? id);
  const what = visibleLine(`${now.operation} of ${now.agent}`);
  const ended = now.ended === null ? '' : glassEndWords[now.ended.why];
  if (kind === 'glass.reviewed')
    return `reviewed: ${what}, by ${now.review === null ? 'somebody' : name(now.review.by)}`;
  if (kind === 'glass.closed') return `over: ${what}, ${ended}; somebody else must review it`;
  return `open: ${what} passes without people until ${rfc3339(now.untilMs)}, asked by ${name(now.asker)}, approved by ${now.approvers.map(name).join(' and ')}: ${cut(visibleLine(now.reason))}`;
}

const glassEndWords: Readonly<Record<GlassEnd, string>> = {
  time: 'its time is over',
  person: 'somebody ended it',
  stopped: 'the agent was stopped',
  restored: 'the store was restored',
};

const cut = (text: string): string =>
  text.length > headlineCharsMax ? `${text.slice(0, headlineCharsMax - 1)}…` : text;
