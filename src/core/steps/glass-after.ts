/** What comes after break-glass was opened: ending it, its time being over, and the review that closes it. */
import type { EndGlassCommand, GlassDueCommand, ReviewGlassCommand } from '../command-gate.ts';
import type { Principal } from '../directory.ts';
import { glassReviewers, mayEndGlass, mayReadGlass, type Glass, type GlassId } from '../glass.ts';
import type { PersonId } from '../ids.ts';
import type { Loaded, Step } from '../loaded.ts';
import { ok } from '../result.ts';
import { refuse, type Refusal } from '../refusal.ts';
import { rfc3339 } from '../time.ts';
import { byOf, done, refused } from './common.ts';
import { endingOf, glassEntry as entry, notAPerson, refusedGlass } from './glass-ends.ts';
import { mayStopAgent } from './stops.ts';

const noSuch = refuse('not_found', 'There is no such break-glass that is open or waits for its review.');

const found = (loaded: Loaded, id: GlassId): Glass | undefined => loaded.glasses.find((one) => one.id === id);

/** Anybody who may stop the agent ends it, and whoever asked or could have approved it. Again: nothing more changes. */
export function endGlass(command: EndGlassCommand, loaded: Loaded): Step {
  const { by, reason } = command;
  const { directory, nowMs } = loaded;
  const glass = found(loaded, command.glass);
  if (by.kind !== 'person') return refusedGlass(notAPerson(by), by, { what: 'end', glass: command.glass });
  if (glass === undefined || !mayReadGlass(glass, by.id, directory)) return refused(noSuch);
  if (!mayEndGlass(glass, by.id, directory) && !mayStopAgent(glass.agent, by.id, { directory, case: null }))
    return refusedGlass(
      refuse(
        'not_permitted',
        'Who may stop the agent ends its break-glass, and who asked for it or opens such.',
      ),
      by,
      { what: 'end', glass: glass.id },
    );
  if (glass.ended !== null) return done;
  return {
    answer: ok({ kind: 'done' }),
    ...endingOf(glass, { atMs: nowMs, why: 'person', by: byOf(by), reason }),
  };
}

/** Its time is over: what it lifted is over already, this says so. */
export function glassDue(command: GlassDueCommand, loaded: Loaded): Step {
  const glass = found(loaded, command.glass);
  if (glass === undefined || glass.ended !== null || loaded.nowMs < glass.untilMs) return done;
  const by = { kind: 'gate' } as const;
  return {
    answer: ok({ kind: 'done' }),
    ...endingOf(glass, { atMs: glass.untilMs, why: 'time', by, reason: null }),
  };
}

/** Somebody who had no part in it says in words what was found; then the next one is possible. */
export function reviewGlass(command: ReviewGlassCommand, loaded: Loaded): Step {
  const { by, finding } = command;
  const { directory, nowMs } = loaded;
  const glass = found(loaded, command.glass);
  const what = { what: 'review', glass: command.glass } as const;
  if (by.kind !== 'person') return refusedGlass(notAPerson(by), by, what);
  if (glass === undefined || !mayReadGlass(glass, by.id, directory)) return refused(noSuch);
  const refusal = refusesReviewing(glass, by, command, loaded);
  if (refusal !== undefined) return refusedGlass(refusal, by, what);
  const { standing } = glassReviewers(glass, directory);
  // Its time may be over before any timer said so.
  const time = { atMs: glass.untilMs, why: 'time', by: { kind: 'gate' }, reason: null } as const;
  const over = glass.ended === null ? endingOf(glass, time) : null;
  const ended = glass.ended ?? time;
  const review = { by: by.id, standing, finding, atMs: nowMs };
  const { id, agent, operation, approval } = glass;
  return {
    answer: ok({ kind: 'done' }),
    writes: [{ row: 'glass', glass: { ...glass, ended, review } }],
    entries: [
      ...(over?.entries ?? []),
      entry('glass.reviewed', byOf(by), { glass: id, agent, operation, standing, finding }),
    ],
    notices: [...(over?.notices ?? []), { kind: 'glass.reviewed', approval, callback: false }],
  };
}

function refusesReviewing(
  glass: Glass,
  by: Principal & { readonly kind: 'person' },
  { finding }: ReviewGlassCommand,
  { directory, nowMs }: Loaded,
): Refusal | undefined {
  if (glass.ended === null && nowMs < glass.untilMs)
    return refuse('approval_pending', 'It is still open: end it, or wait until its time is over.');
  if (by.way !== undefined && nowMs < by.way.countsFromMs)
    return refuse(
      'not_an_approver',
      `The account that you signed in with is new, and counts from ${rfc3339(by.way.countsFromMs)}.`,
    );
  const { standing, people } = glassReviewers(glass, directory);
  if (!people.includes(by.id))
    return standing === 'independent' && tiedTo(glass, by.id)
      ? refuse(
          'no_self_approval',
          'You asked for this break-glass, approved it, or own its agent; somebody else must review it.',
          { person: by.id },
        )
      : refuse('not_an_approver', 'You are not one of those who review this break-glass.');
  return finding.trim() === '' ? refuse('reason_required', 'Say in words what you found.') : undefined;
}

const tiedTo = ({ asker, approvers, owners }: Glass, person: PersonId): boolean =>
  asker === person || approvers.includes(person) || owners.includes(person);
