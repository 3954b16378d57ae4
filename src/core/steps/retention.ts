/**
 * Erasing payloads, and holds against it. What is erased and the entry that says so are one step, written together or not at all:
 * the entry names exactly the indexes whose statements are blank from then on.
 */
import { isOperator } from '../directory.ts';
import type { EraseCommand, HoldCommand, ReleaseCommand } from '../command-log.ts';
import { aboutNothing, type EntryDraft } from '../entry.ts';
import { countOf, rangesOf, type Range } from '../erased.ts';
import { erasedCase, erasedGlass } from '../erased-case.ts';
import { erasableIn, hasOtherOperator, isDueForErasure, isHeld, refusesErasure } from '../erasure.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { Loaded, Step } from '../loaded.ts';
import { refuse, type Refusal } from '../refusal.ts';
import { ok } from '../result.ts';
import {
  entriesRangeMax,
  holdsMax,
  type Erasable,
  type ErasureScope,
  type Erasing,
  type Hold,
} from '../retention.ts';
import { data, nothing, refused } from './common.ts';

/** Erases what the command names: of an action or a range all or nothing, of the retention's piece what is due. */
export function erase(command: EraseCommand, loaded: Loaded): Step {
  const { erasing } = loaded;
  if (erasing === undefined) throw new TypeError('an erasure is decided on what it would erase');
  const { by, scope } = command;
  const no = by.kind === 'person' ? refusesPerson(command, erasing, loaded) : refusesGate(scope);
  if (no !== undefined) return refused(no);
  return erased(command, unitsOf(scope, erasing), loaded);
}

/** What of a piece is erased now. What a person asked for was judged before. */
function unitsOf(scope: ErasureScope, erasing: Erasing): readonly Erasable[] {
  switch (scope.kind) {
    case 'action':
    case 'entries':
      return erasing.units;
    case 'before':
      return erasing.units.filter((one) => isDueForErasure(one, scope.index, erasing));
    case 'restored':
      return erasing.units.filter((one) => !isHeld(one, erasing));
  }
}

/** What a restore left to be erased still; what is held now waits behind the rest. */
const laterOf = (units: readonly Erasable[], { later = [], units: all }: Erasing): readonly Range[] => [
  ...later,
  ...rangesOf(all.filter((one) => !units.includes(one)).flatMap(erasableIn)),
];

const refusesGate = ({ kind }: ErasureScope): Refusal | undefined =>
  kind === 'before' || kind === 'restored'
    ? undefined
    : refuse('not_permitted', 'The gate erases nothing but what is too old, or was erased before.');

function refusesPerson(
  { by, scope, reason }: EraseCommand,
  erasing: Erasing,
  loaded: Loaded,
): Refusal | undefined {
  if (by.kind !== 'person' || !isOperator(loaded.directory, by.id))
    return refuse('not_permitted', 'Only operators erase.');
  if (scope.kind === 'before' || scope.kind === 'restored')
    return refuse('not_permitted', 'What is too old is erased by the gate itself: log.retention.payloads.');
  if (reason.trim() === '')
    return refuse('reason_required', 'Say why it is erased; the log keeps the reason for ever.');
  if (scope.kind === 'entries' && (scope.from > scope.to || scope.to - scope.from >= entriesRangeMax))
    return refuse(
      'input_invalid',
      `A range of entries has a beginning, an end and at most ${entriesRangeMax}.`,
    );
  if (erasing.units.length === 0 && scope.kind === 'action')
    return refuse('not_found', 'There is no such action.');
  for (const one of erasing.units) {
    const no = refusesErasure(one, by.id, erasing, loaded);
    if (no !== undefined) return no;
  }
  return undefined;
}

function erased(
  { by, scope, reason, basis }: EraseCommand,
  units: readonly Erasable[],
  { erasing, nextIndex }: Loaded,
): Step {
  const indexes = rangesOf(units.flatMap(erasableIn));
  const answer = ok({
    kind: 'erased',
    count: countOf(indexes),
    indexes,
    next: erasing?.next ?? null,
  } as const);
  const later =
    erasing?.later === undefined ? [] : [{ row: 'eraseLater', indexes: laterOf(units, erasing) } as const];
  if (indexes.length === 0) return { ...nothing, answer, writes: later };
  const told: EntryDraft = {
    type: 'payloads.erased',
    by,
    about: aboutNothing,
    subject: null,
    data: {
      scope: scopeData(scope),
      count: countOf(indexes),
      indexes: indexes.map(([from, to]): JsonValue => [from, to]),
      reason,
      basis,
    },
  };
  const gone = units.filter((one) => erasableIn(one).length > 0);
  return {
    ...nothing,
    answer,
    writes: [
      {
        row: 'erased',
        indexes,
        cases: gone.flatMap(({ held }) => (held === null ? [] : [erasedCase(held, nextIndex)])),
        glasses: gone.flatMap(({ held, glass }) =>
          glass !== null && glass.approval === held?.approval?.id ? [erasedGlass(glass)] : [],
        ),
      },
      ...later,
    ],
    entries: [told],
  };
}

const scopeData = (scope: ErasureScope): JsonObject => {
  switch (scope.kind) {
    case 'action':
    case 'entries':
      return { ...scope };
    case 'before':
      return { kind: 'before', index: scope.index };
    case 'restored':
      return { kind: 'restored' };
  }
};

/** Placed by an operator, whatever they had a part in: keeping harms no proof. */
export function hold({ by, hold: asked }: HoldCommand, loaded: Loaded): Step {
  if (!isOperator(loaded.directory, by))
    return refused(refuse('not_permitted', 'Only operators place holds.'));
  if (asked.reason.trim() === '')
    return refused(refuse('reason_required', 'Say what it is held for; the log keeps it.'));
  if (asked.action !== null && asked.person !== null)
    return refused(
      refuse('input_invalid', 'A hold is on an action, on a person, or on everything: place two.'),
    );
  if (asked.action !== null && loaded.case === null)
    return refused(refuse('not_found', 'There is no such action.'));
  const inForce = (loaded.holds ?? []).filter((one) => one.released === null);
  if (inForce.length >= holdsMax)
    return refused(refuse('quota', `${holdsMax} holds are in force already; hold everything instead.`));
  const placed: Hold = { ...asked, placedBy: by, placedAtMs: loaded.nowMs, released: null };
  const { id, action, person, reason } = placed;
  return {
    ...nothing,
    answer: ok({ kind: 'hold', hold: placed }),
    writes: [{ row: 'hold', hold: placed }],
    entries: [entryOfHold('hold.placed', by, { id, action, person, reason })],
  };
}

// RULE hold-takes-two
/**
 * Released by another operator than the one who placed it, so that nobody takes away alone what they were told to keep. Where there
 * is no other operator they do it themself, and the entry says so. Whoever released one erases nothing of it for a week (erasure.ts).
 */
export function release({ by, hold: id, reason }: ReleaseCommand, loaded: Loaded): Step {
  if (!isOperator(loaded.directory, by))
    return refused(refuse('not_permitted', 'Only operators release holds.'));
  const known = (loaded.holds ?? []).find((one) => one.id === id);
  if (known === undefined) return refused(refuse('not_found', 'There is no such hold in force.'));
  if (known.released !== null) return { ...nothing, answer: ok({ kind: 'hold', hold: known }) };
  if (reason.trim() === '')
    return refused(refuse('reason_required', 'Say why it is released; the log keeps it.'));
  const alone = known.placedBy === by;
  if (alone && hasOtherOperator(loaded.directory, by))
    return refused(
      refuse('not_permitted', 'A hold is released by another operator than the one who placed it.', {
        placedBy: by,
      }),
    );
  const released: Hold = { ...known, released: { atMs: loaded.nowMs, by, reason } };
  const { action, person, placedBy } = released;
  return {
    ...nothing,
    answer: ok({ kind: 'hold', hold: released }),
    writes: [{ row: 'hold', hold: released }],
    entries: [
      entryOfHold('hold.released', by, {
        id,
        action,
        person,
        reason,
        placedBy,
        ...(alone ? { alone: true } : {}),
      }),
    ],
  };
}

const entryOfHold = (
  type: 'hold.placed' | 'hold.released',
  by: HoldCommand['by'],
  fields: object,
): EntryDraft => ({
  type,
  by: { kind: 'person', id: by },
  about: aboutNothing,
  subject: null,
  data: data(fields),
});
