/**
 * The operator's terminal: one line when people are asked, one when it is decided. Promises: what an agent wrote cannot move
 * the cursor, change colours or forge a second line (core/visible); nothing of the input is shown.
 */
import { approvalStatusOf, stateOf, type ApprovalStatus } from '../core/case.ts';
import { err, ok } from '../core/result.ts';
import { visibleLine } from '../core/visible.ts';
import type { Channel, Told } from '../ports/channel.ts';

export interface Terminal {
  /** Writes one line; its end is added. */
  readonly write: (line: string) => void;
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

/** The channel `terminal`. */
export function createTerminal(terminal: Terminal): Channel {
  return {
    name: 'terminal',
    deliver: (told) => {
      try {
        const line = lineOf(told, terminal.colours);
        if (line !== undefined) terminal.write(line);
        return Promise.resolve(ok(null));
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
  switch (told.kind) {
    case 'approval.opened':
      // Whoever restarts the gate is not asked about what is over.
      return stateOf(told.case, told.nowMs) === 'pending'
        ? `${bold('Approval needed:')} ${headline} — ${told.url}`
        : undefined;
    case 'approval.closed':
      return `${bold(`${words[approvalStatusOf(told.case, told.nowMs)]}:`)} ${headline}`;
  }
}

const cut = (text: string): string =>
  text.length > headlineCharsMax ? `${text.slice(0, headlineCharsMax - 1)}…` : text;
