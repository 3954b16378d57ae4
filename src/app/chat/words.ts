/** What is said to whoever pressed something, to them alone: what was done, or why not and where to go instead. */
import type { Case } from '../../core/case.ts';
import type { ClickVerb } from '../../core/chat.ts';
import type { ApprovalId } from '../../core/ids.ts';
import { titles, type Code, type Refusal } from '../../core/refusal.ts';
import { needsOf, type Now } from '../../core/render/people.ts';
import { farWords } from '../../core/render/chat-words.ts';
import { line, say, type Shown } from '../../core/render/shown.ts';
import { standingOf } from '../../core/render/standing.ts';
import type { Word } from '../../ports/chat.ts';
import { approvalUrl } from '../notices.ts';

type Refused = Extract<Word, { readonly kind: 'refused' }>;

export const refusedWord = (refusal: Refusal, link: Refused['link'] = null): Refused => ({
  kind: 'refused',
  code: refusal.code,
  text: line(refusal.detail),
  link,
});

/** What the web can do and a chat cannot, or shows better. */
const betterOnTheWeb: ReadonlySet<Code> = new Set<Code>([
  'step_up_required',
  'shown_incomplete',
  'wrong_channel',
  'reason_required',
  'approval_closed',
  'already_reviewed',
  'digest_mismatch',
  'audit_unavailable',
]);

/** Why a review, or a stop, of this approval was refused. */
export const refusedReview = (refusal: Refusal, origin: string, approval: ApprovalId): Refused =>
  refusedWord(
    refusal,
    betterOnTheWeb.has(refusal.code)
      ? { text: line('Open it on the web'), url: approvalUrl(origin, approval) }
      : null,
  );

/** The same, of a press that was refused before: only its code was kept. */
export function refusedBefore(outcome: string, origin: string, approval: ApprovalId | undefined): Refused {
  const code = Object.hasOwn(titles, outcome) ? (outcome as Code) : null; // a key of the table is a code
  const text = code === null ? 'This was refused before.' : `This was refused before: ${titles[code]}.`;
  return {
    kind: 'refused',
    code: outcome,
    text: line(text),
    link:
      approval === undefined
        ? null
        : { text: line('Open it on the web'), url: approvalUrl(origin, approval) },
  };
}

/** What was done, with where it stands now. */
export function doneWord(verb: ClickVerb, held: Case, now: Now): Word {
  return { kind: 'done', text: doneText(verb, held, now) };
}

function doneText(verb: ClickVerb, held: Case, now: Now): Shown {
  switch (verb) {
    case 'approve': {
      const { state, title, said } = standingOf(held, now.directory, now.nowMs);
      const far = farWords(needsOf(held, now));
      if (state === 'pending') return say`You approved it: ${far}.`;
      // Approving was what brought it out that it may not run: today's policies say something else.
      if (state === 'denied') return say`You approved it, and it is denied all the same. ${said.join(' ')}`;
      return say`You approved it: ${far}. ${title}.`;
    }
    case 'deny':
      return line('You denied it.');
    case 'stop':
      return say`${held.asked.action.agent} is stopped.`;
  }
}
