/**
 * What is left of a case once its payloads are erased. Promise: nothing of what the agent said, an upstream answered, people wrote
 * or the gate made of any of it; nor what a guess could be tested against without a salt. Who asked for what operation, who
 * decided, when, and how it ended stay, so that lists, counts and rules go on; the digest stays, which nobody can compute any more.
 */
import type { Action } from './action.ts';
import { canonicalAction } from './action.ts';
import type { Asked, Case, Review } from './case.ts';
import type { Glass } from './glass.ts';
import type { Verdict } from './verdict.ts';

/** Stands where something was erased. */
const erasedWords = '⟨erased⟩';

const orErased = (text: string | null): string | null => (text === null ? null : erasedWords);

/** @param at index of the entry `payloads.erased` that says so. */
export function erasedCase(held: Case, at: number): Case {
  const { execution, ending } = held;
  return {
    ...held,
    asked: erasedAsked(held.asked, at),
    reviews: held.reviews.map(erasedReview),
    ending: ending === null ? null : { ...ending, reason: orErased(ending.reason) },
    execution: execution === null ? null : { ...execution, detail: orErased(execution.detail), result: null },
  };
}

/** By name, each field that stays: what a later version adds is erased until somebody says otherwise. */
function erasedAsked(asked: Asked, at: number): Asked {
  const { id, digest, subject, mode, profile, atMs, verdict } = asked;
  const action = erasedAction(asked);
  return {
    id,
    digest,
    subject,
    mode,
    profile,
    atMs,
    ...(asked.glass === undefined ? {} : { glass: asked.glass }),
    veiled: true,
    erased: at,
    action,
    canonical: canonicalAction(action),
    // Both are HMACs of what was asked under a key that lies beside them, without a salt.
    joinKey: '',
    likeKey: '',
    callback: null,
    amount: null,
    run: null,
    verdict: erasedVerdict(verdict),
    preview: null,
    before: null,
  };
}

function erasedAction({ action, digest }: Asked): Action {
  const { v, agent, startedBy, delegation, operation, resource, target, enforcement } = action;
  return {
    v,
    agent,
    startedBy,
    delegation,
    operation,
    target,
    enforcement,
    session: orErased(action.session),
    // A server is named by the operation already; of any other resource the name is the input's.
    resource: resource.type === 'Server' ? resource : { ...resource, id: erasedWords },
    input: { [erasedWords]: digest },
    reason: orErased(action.reason),
    salt: '',
  };
}

/** Which policies had a part stays; their clauses with values do not. */
const erasedVerdict = (verdict: Verdict): Verdict => ({
  ...verdict,
  recent: null,
  toldAgent: erasedWords,
  explanation: { text: erasedWords, policies: verdict.explanation.policies, clauses: [], wouldAllow: [] },
});

/** What somebody was shown has no salt, and how they proved themself names their accounts. */
const erasedReview = (review: Review): Review => ({
  ...review,
  reason: orErased(review.reason),
  shown: null,
  via: null,
  proof: null,
});

/** Who asked, who approved, who reviewed and when stay. */
export const erasedGlass = (glass: Glass): Glass => ({
  ...glass,
  reason: erasedWords,
  ended: glass.ended === null ? null : { ...glass.ended, reason: orErased(glass.ended.reason) },
  review: glass.review === null ? null : { ...glass.review, finding: erasedWords },
});
