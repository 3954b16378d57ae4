/** What the API says of observing: all of it to people, nothing to agents. */
import type { Case } from '../../core/case.ts';
import type { Principal } from '../../core/directory.ts';

/**
 * An observed action, and one under break-glass, passed whatever its verdict says. Its agent is shown one that was allowed: who
 * learns that it is only watched, or what would have been held, knows when to go on and what to keep below.
 */
export const passedObserved = ({ asked, grant }: Case, by: Principal): boolean =>
  by.kind === 'agent' && (asked.mode === 'observe' || asked.glass !== undefined) && grant !== null;

/** Of an observed action, for people: what its verdict was, which held nothing. */
function wouldBeView({ asked }: Case): object {
  const { verdict } = asked;
  switch (verdict.effect) {
    case 'allow':
      return { verdict: 'allow' };
    case 'deny':
      return { verdict: 'deny', code: verdict.code };
    case 'review':
      return {
        verdict: 'review',
        requirements: verdict.requirements.map(({ id, title, approvers, quorum }) => ({
          id,
          title,
          approvers,
          quorum,
        })),
      };
  }
}

/** The mode of an action, with what an observed one would have been; nothing for agents. */
export const modeView = (held: Case, by: Principal): object => {
  if (by.kind === 'agent') return {};
  const { mode, glass } = held.asked;
  if (glass !== undefined) return { mode, glass, wouldBe: wouldBeView(held) };
  return mode === 'observe' ? { mode, wouldBe: wouldBeView(held) } : { mode };
};

/** What an agent is told of an action that was allowed (policy/judge.ts says the same). */
export const permitted = 'Permitted.';
