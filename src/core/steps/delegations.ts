/** Out of office: somebody who is away names who stands in, for themself only; either of the two, or an administrator, ends it. */
import type { DelegateCommand, EndDelegationCommand } from '../command-gate.ts';
import { delegationAheadMs, delegationMaxMs, delegationsMax, type Delegation } from '../delegation.ts';
import { isAdmin, personIn } from '../directory.ts';
import { aboutNothing, type EntryDraft } from '../entry.ts';
import type { PersonId } from '../ids.ts';
import type { Loaded, Step, Write } from '../loaded.ts';
import { noteOf } from '../note.ts';
import { ok } from '../result.ts';
import { refuse, type Refusal } from '../refusal.ts';
import { rfc3339 } from '../time.ts';
import { data, refused } from './common.ts';

const entry = (type: `delegation.${'made' | 'ended'}`, by: PersonId, fields: object): EntryDraft => ({
  type,
  by: { kind: 'person', id: by },
  about: aboutNothing,
  subject: null,
  data: data(fields),
});

const told = ({ id, from, to, fromMs, untilMs }: Delegation): object => ({
  delegation: id,
  from,
  to,
  begins: rfc3339(fromMs),
  until: rfc3339(untilMs),
});

/** Both of the two read it on their own page: nobody stands in, or is stood in for, unseen. */
const notes = (
  kind: `delegation.${'made' | 'ended'}`,
  delegation: Delegation,
  by: PersonId,
  atMs: number,
): readonly Write[] =>
  [delegation.from, delegation.to].map((person) => ({
    row: 'note',
    note: noteOf({ person, kind, body: data({ ...told(delegation), by }), atMs }),
  }));

export function delegate(command: DelegateCommand, loaded: Loaded): Step {
  const { nowMs } = loaded;
  // A beginning that is over is now: nobody stands in for the past.
  const fromMs = Math.max(command.fromMs ?? nowMs, nowMs);
  const { by, to, untilMs, id } = command;
  const refusal = refusesPerson(command, loaded) ?? refusesTime({ fromMs, untilMs }, by.id, loaded);
  if (refusal !== undefined) return refused(refusal);
  const delegation: Delegation = { id, from: by.id, to, atMs: nowMs, fromMs, untilMs, endedAtMs: null };
  return {
    answer: ok({ kind: 'delegation', delegation }),
    writes: [{ row: 'delegation', delegation }, ...notes('delegation.made', delegation, by.id, nowMs)],
    entries: [entry('delegation.made', by.id, told(delegation))],
    notices: [],
  };
}

function refusesPerson({ by, to }: DelegateCommand, { directory, nowMs }: Loaded): Refusal | undefined {
  if (personIn(directory, by.id) === undefined)
    return refuse('not_permitted', 'Only a person of the directory may name who stands in for them.');
  // Whoever takes over a session could else have somebody approve at once with what does not count yet.
  if (by.way !== undefined && nowMs < by.way.countsFromMs)
    return refuse(
      'not_permitted',
      `The account that you signed in with is new, and may name who stands in for you from ${rfc3339(by.way.countsFromMs)}; another person may confirm it before.`,
      { countsFrom: rfc3339(by.way.countsFromMs) },
    );
  if (to === by.id) return refuse('input_invalid', 'Nobody stands in for themself.', { pointer: '/to' });
  return personIn(directory, to) === undefined
    ? refuse('not_found', 'There is no such person who could stand in for you.', { pointer: '/to' })
    : undefined;
}

function refusesTime(
  { fromMs, untilMs }: Pick<Delegation, 'fromMs' | 'untilMs'>,
  from: PersonId,
  { delegations, nowMs }: Loaded,
): Refusal | undefined {
  const wrong = (detail: string, pointer: string): Refusal => refuse('input_invalid', detail, { pointer });
  if (untilMs <= fromMs) return wrong('It must end after it begins.', '/until');
  if (untilMs - fromMs > delegationMaxMs)
    return wrong('Somebody stands in for at most 30 days; arrange it anew after that.', '/until');
  if (fromMs - nowMs > delegationAheadMs) return wrong('It may begin at most 90 days from now.', '/from');
  const mine = (delegations ?? []).filter(
    (one) => one.from === from && one.endedAtMs === null && nowMs < one.untilMs,
  );
  // One stand-in at a time: an absence is one voice, not several.
  const other = mine.find((one) => one.fromMs < untilMs && fromMs < one.untilMs);
  if (other !== undefined)
    return wrong(
      `Somebody stands in for you already from ${rfc3339(other.fromMs)} until ${rfc3339(other.untilMs)}; end that first.`,
      '/from',
    );
  return mine.length >= delegationsMax
    ? refuse('quota', `You have arranged ${mine.length} absences; end one of them first.`, {
        limit: delegationsMax,
      })
    : undefined;
}

export function endDelegation(command: EndDelegationCommand, loaded: Loaded): Step {
  const { by, id } = command;
  const found = (loaded.delegations ?? []).find((one) => one.id === id && one.endedAtMs === null);
  if (found === undefined || loaded.nowMs >= found.untilMs || !mayEnd(found, by, loaded))
    return refused(refuse('not_found', 'There is no such delegation that you could end.'));
  const delegation: Delegation = { ...found, endedAtMs: loaded.nowMs };
  return {
    answer: ok({ kind: 'delegation', delegation }),
    writes: [{ row: 'delegation', delegation }, ...notes('delegation.ended', delegation, by, loaded.nowMs)],
    entries: [entry('delegation.ended', by, told(delegation))],
    notices: [],
  };
}

/** Ending takes rights away, so more people may: both of them, and those who accept changes of who may do what. */
const mayEnd = ({ from, to }: Delegation, by: PersonId, { directory }: Loaded): boolean =>
  personIn(directory, by) !== undefined && (from === by || to === by || isAdmin(directory, by));
