/**
 * What a mail says, as pure functions: what happened, the headline, where to look. Promises: nothing of the input is in it, and
 * nothing that decides; what is over is never told as open; what an agent wrote is one visible line that mail programs make no
 * link of, so that every link of a mail is the gate's own.
 */
import { approvalStatusOf, stateOf, type ApprovalStatus } from '../core/case.ts';
import { escalatedTo } from '../core/escalation.ts';
import type { PersonId } from '../core/ids.ts';
import { channelName } from '../core/render/channels.ts';
import { clock, line, listed, say, short, type Shown } from '../core/render/shown.ts';
import { duration } from '../core/time.ts';
import type { Told } from '../ports/channel.ts';

export interface Mail {
  /** One line. */
  readonly subject: Shown;
  /** Plain text, its lines ended by \n. */
  readonly text: string;
}

/** Characters of a headline in a subject, and in the text. */
const subjectCharsMax = 150;
const headlineCharsMax = 500;

const statusWords: Readonly<Record<ApprovalStatus, string>> = {
  pending: 'Waiting',
  approved: 'Approved',
  denied: 'Denied',
  expired: 'Expired',
  cancelled: 'Withdrawn',
};

/** Null where nobody is written to: it has been overtaken, or it is nothing to interrupt somebody for. */
export function mailOf(told: Told): Mail | null {
  const what = whatOf(told);
  if (what === null) return null;
  return {
    subject: say`${what}: ${short(told.headline, subjectCharsMax)}`,
    text: textOf(told, what),
  };
}

/** What happened, in a few words of our own. */
function whatOf(told: Told): string | null {
  const waits = stateOf(told.case, told.nowMs) === 'pending';
  switch (told.kind) {
    case 'approval.opened':
      return waits ? 'Approval needed' : null;
    case 'approval.escalated':
      return waits ? 'Approval still needed, and escalated' : null;
    case 'approval.reminded':
      return waits ? `Approval still needed, ${duration(leftMs(told))} left` : null;
    case 'approval.closed':
      return statusWords[approvalStatusOf(told.case, told.nowMs)];
    case 'approval.reviewed':
    case 'execution.ended':
      // The page behind the first mail's link says so; another mail would only be noise.
      return null;
    case 'glass.opened':
      return 'BREAK-GLASS is open';
    case 'glass.closed':
      return 'BREAK-GLASS is over and must be reviewed';
    case 'glass.reviewed':
      return 'BREAK-GLASS was reviewed';
  }
}

const leftMs = ({ case: held, nowMs }: Told): number => (held.approval?.expiresAtMs ?? nowMs) - nowMs;

function textOf(told: Told, what: string): string {
  const headline = short(told.headline, headlineCharsMax);
  const facts = told.glass === undefined ? approvalFacts(told) : glassFacts(told.glass);
  // Wherever somebody else's words could stand: what the facts say of themselves holds no dots between letters.
  const body = [headline, '', ...facts.map(([name, value]) => say`${name}: ${value}`)].map(unlinked);
  const marked = body.some((row) => /\[[.:]\]/.test(row));
  return [
    what,
    '',
    ...body,
    '',
    invites(told),
    // Ours, and the only link.
    line(told.url),
    '',
    ...(told.insteadOf === null
      ? []
      : [say`You get this mail because ${channelName(told.insteadOf)} could not be reached.`, '']),
    '-- ',
    'This mail only tells; nothing in it decides, and answers to it are not read.',
    ...(marked ? ['[.] and [:] are a dot and a colon, so that no words of others become links.'] : []),
    '',
  ].join('\n');
}

/** What the link is for. */
function invites({ kind, glass }: Told): string {
  if (glass !== undefined) return 'Look at it, end it and review it there:';
  return kind === 'approval.closed' ? 'What became of it:' : 'Look at it, and decide there:';
}

type Fact = readonly [name: string, value: string];

function approvalFacts(told: Told): readonly Fact[] {
  const { asked, approval } = told.case;
  const groups = told.kind === 'approval.escalated' ? escalatedTo(told.case, told.nowMs) : groupsOf(told);
  return [
    ['Agent', asked.action.agent],
    ['Operation', short(asked.action.operation, 200)],
    ...(groups.length === 0 ? [] : [['For', listed(groups)] as const]),
    ...(approval === null || told.kind === 'approval.closed'
      ? []
      : [['Expires', clock(approval.expiresAtMs)] as const]),
  ];
}

const groupsOf = ({ to }: Told): readonly string[] => [...new Set(to.map(({ group }) => group))];

function glassFacts({ now, names }: NonNullable<Told['glass']>): readonly Fact[] {
  const name = (id: PersonId): string => names.get(id) ?? id;
  return [
    ['Agent', now.agent],
    ['Operation', short(now.operation, 200)],
    ['Passes without people until', clock(now.untilMs)],
    ['Asked by', name(now.asker)],
    ['Approved by', listed(now.approvers.map(name))],
    ['Why', short(now.reason, headlineCharsMax)],
    ...(now.review === null ? [] : [['Reviewed by', name(now.review.by)] as const]),
  ];
}

/**
 * The text so that mail programs see no address in it: they make links of names with dots, schemes and addresses of mail, whoever
 * wrote them. Still readable.
 */
export const unlinked = (text: string): string =>
  text.replace(/:(?=\/\/)/g, '[:]').replace(/(?<=\S)[.\u3002\uFF0E\uFF61](?=[\p{L}\p{N}])/gu, dotted);

/** Between digits a dot is a number's. */
const dotted = (dot: string, at: number, whole: string): string =>
  /\d/.test(whole[at - 1] ?? '') && /\d/.test(whole[at + 1] ?? '') ? dot : `[${dot}]`;
