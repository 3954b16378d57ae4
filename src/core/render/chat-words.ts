/**
 * Short sentences of the gate's own, said beside a card in a chat and to an agent's owners. Pure. Names are the only words of
 * others in them; what an agent or an upstream wrote is on the card and on the page.
 */
import { approvalStatusOf, type Case, type Review } from '../case.ts';
import { nameOf } from '../conflict.ts';
import type { Directory } from '../directory.ts';
import type { Glass, GlassEnd } from '../glass.ts';
import type { GroupId, PersonId } from '../ids.ts';
import { maskText } from '../secrets.ts';
import { duration } from '../time.ts';
import type { Need } from './people.ts';
import { clock, clockNear, line, listed, say, short, type Shown } from './shown.ts';
import { channelWords, standingOf } from './standing.ts';

/** Longest name of an operation or an agent in a sentence. */
const nameCharsMax = 120;
/** Longest reason of a person in a sentence. */
const reasonCharsMax = 300;

/** "Rosa Diaz approved in the web inbox. 1 of 2." @param needs as they are now; empty: nothing is said of them. */
export function approvedWords(review: Review, directory: Directory, needs: readonly Need[]): Shown {
  const absent =
    review.standingInFor === undefined ? '' : `, standing in for ${nameOf(directory, review.standingInFor)},`;
  const far = farWords(needs);
  const said = `${nameOf(directory, review.person)}${absent} approved ${channelWords(review.channel)}.`;
  return far === '' ? line(said) : say`${said} ${far}.`;
}

/** "Nobody has decided yet: oncall is asked too now." */
export const escalatedWords = (groups: readonly GroupId[]): Shown =>
  say`Not decided yet, so ${listed(groups)} ${groups.length === 1 ? 'is' : 'are'} asked too now.`;

/** "Still waiting: it expires at 16:00 UTC, in 2 h." */
export const remindedWords = (untilMs: number, nowMs: number): Shown =>
  say`Still waiting: it expires at ${clockNear(untilMs, nowMs)}, in ${duration(untilMs - nowMs)}.`;

/** What became of asking people, in one sentence. */
export function closedWords(held: Case, directory: Directory, nowMs: number): Shown {
  if (approvalStatusOf(held, nowMs) !== 'approved') return standingWords(held, directory, nowMs);
  const people = held.reviews
    .filter((review) => review.decision === 'approve')
    .map((review) => nameOf(directory, review.person));
  return people.length === 0
    ? line('Approved: it may run once.')
    : say`Approved by ${listed(people)}: it may run once.`;
}

/**
 * Where it stands, in the words of the card and none of them twice: "Ran once. Failed in 40 ms at 09:30 UTC. …" With why a person
 * ended it; what an agent says of that, or the gate of what it holds, is for whoever may read it.
 */
export function standingWords(held: Case, directory: Directory, nowMs: number): Shown {
  const { state, title, text, said } = standingOf(held, directory, nowMs);
  if (text === '') return say`${title}.`;
  switch (state) {
    case 'succeeded':
    case 'failed':
      return say`Ran once. ${text}`;
    case 'denied':
    case 'cancelled': {
      const by = held.ending?.by.kind;
      const reason = by === 'person' || by === 'operator' ? short(said.join(' '), reasonCharsMax) : '';
      return reason === '' ? line(text) : say`${text} Reason: ${reason}`;
    }
    case 'ready':
    case 'pending':
    case 'expired':
    case 'started':
    case 'unknown':
      return say`${title}. ${text}`;
  }
}

/**
 * "1 of 2", "1 of 2 from data-owners and 0 of 1 from security": how far it is. Requirements that ask the same group are one here,
 * that which asks for most, because one person's word counts for all of them.
 */
export function farWords(needs: readonly Need[]): string {
  const most = new Map<string, Need>();
  for (const one of needs) {
    const known = most.get(one.approvers);
    if (known === undefined || one.quorum > known.quorum) most.set(one.approvers, one);
  }
  const [only, ...more] = most.values();
  return only !== undefined && more.length === 0
    ? `${only.count} of ${only.quorum}`
    : listed([...most.values()].map((one) => `${one.count} of ${one.quorum} from ${one.approvers}`));
}

const endWords: Readonly<Record<GlassEnd, string>> = {
  time: 'its time is over',
  person: 'somebody ended it',
  stopped: 'the agent was stopped',
  restored: 'the store was restored',
};

/** What is told of break-glass, loudly: a headline, and what there is to know. */
export function glassWords(
  kind: 'glass.opened' | 'glass.closed' | 'glass.reviewed',
  glass: Glass,
  names: ReadonlyMap<PersonId, string>,
): { readonly headline: Shown; readonly lines: readonly Shown[] } {
  const name = (id: PersonId): string => names.get(id) ?? id;
  const what = say`${short(glass.operation, nameCharsMax)} of ${short(glass.agent, nameCharsMax)}`;
  switch (kind) {
    case 'glass.opened':
      return {
        headline: say`BREAK-GLASS is open: ${what}`,
        lines: [
          say`It passes without asking people until ${clock(glass.untilMs)}, where policies would hold it.`,
          say`Asked by ${name(glass.asker)}, approved by ${listed(glass.approvers.map(name))}.`,
          say`Their reason: ${short(maskText(glass.reason), reasonCharsMax)}`,
        ],
      };
    case 'glass.closed':
      return {
        headline: say`BREAK-GLASS is over: ${what}`,
        lines: [
          say`It ended because ${glass.ended === null ? endWords.time : endWords[glass.ended.why]}.`,
          line('Somebody who had no part in it must review it; until then there is no next one.'),
        ],
      };
    case 'glass.reviewed':
      return {
        headline: say`BREAK-GLASS was reviewed: ${what}`,
        lines: [say`Reviewed by ${glass.review === null ? 'somebody' : name(glass.review.by)}.`],
      };
  }
}
