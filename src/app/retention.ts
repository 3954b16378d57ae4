/**
 * Erasing and holding, from the outside: each ends in commands of the store, which decide (core/steps/retention.ts). And the
 * retention that is configured: what is too old is erased by itself, piece by piece, each piece with an entry of its own.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Idempotency } from '../core/command.ts';
import { countOf, rangesFrom, type Range } from '../core/erased.ts';
import { isAuditor, isOperator, type Directory } from '../core/directory.ts';
import { holdIdOf, type ActionId, type HoldId, type PersonId } from '../core/ids.ts';
import { refuse, type Refusal } from '../core/refusal.ts';
import { err, ok, type Result } from '../core/result.ts';
import { erasureTextCharsMax, type AskedErasure, type Hold } from '../core/retention.ts';
import { casesMax } from '../ports/overview.ts';
import { filterOf, wantedFrom } from './log-wanted.ts';
import { heldAlways, type Leased } from './lease.ts';
import type { Parts } from './parts.ts';
import { refusalOf } from './review.ts';

const bounded = (text: string): string => text.trim().slice(0, erasureTextCharsMax).toWellFormed();

export interface Erased {
  readonly count: number;
  readonly indexes: readonly Range[];
}

/** Pieces of one action; an action with more entries than they hold is erased by asking again. */
const piecesMax = 100;

/** Erases for a person. Again: there is nothing left, which is no refusal. */
export async function erasePayloads(
  { store }: Parts,
  by: PersonId,
  said: {
    readonly scope: AskedErasure;
    readonly reason: string;
    readonly basis: string | null;
    readonly idempotency?: Idempotency | undefined;
  },
): Promise<Result<Erased, Refusal>> {
  const basis = said.basis === null || said.basis.trim() === '' ? null : bounded(said.basis);
  const command = {
    kind: 'erase',
    by: { kind: 'person', id: by },
    scope: said.scope,
    reason: bounded(said.reason),
    basis,
  } as const;
  const found: Range[] = [];
  for (let piece = 0; piece < piecesMax; piece += 1) {
    const result = await store.change(command, piece === 0 ? said.idempotency : undefined);
    if (!result.ok) return err(refusalOf(result.error));
    if (result.value.kind !== 'erased') throw new TypeError('erase answers what was erased');
    found.push(...result.value.indexes);
    if (result.value.next === null) break;
  }
  const { ranges } = rangesFrom(found);
  return ok({ count: countOf(ranges), indexes: ranges });
}

/** Refused where it names a person whom nothing names: a hold that covers nothing, by a slip of the hand, keeps nothing. */
export async function placeHold(
  { store, random }: Parts,
  by: PersonId,
  said: {
    readonly action: ActionId | null;
    readonly person: PersonId | null;
    readonly reason: string;
    readonly idempotency?: Idempotency | undefined;
  },
): Promise<Result<Hold, Refusal>> {
  const { action, person } = said;
  // Whoever may not place any learns nothing of whom the log names.
  if (person !== null && isOperator(await store.directory(), by) && !(await isNamed(store, person)))
    return err(
      refuse(
        'not_found',
        `Nobody has the id ${person}, and nothing in the log names it. Look at its spelling.`,
      ),
    );
  const hold = { id: holdIdOf(random.bytes(16)), action, person, reason: bounded(said.reason) };
  return holdIn(await store.change({ kind: 'hold', by, hold }, said.idempotency));
}

const anything = filterOf(wantedFrom(() => null));
const searchLimit = 1000;

/** Whether anything is, or may be, about such a person: where a search stops before it has looked at all, it may. */
async function isNamed(store: Parts['store'], person: PersonId): Promise<boolean> {
  if ((await store.directory()).people.some(({ id }) => id === person)) return true;
  const written = JSON.stringify(person);
  const search = { ...anything, before: null, limit: searchLimit };
  const named = await store.searchLog({ ...search, person });
  if (named.more || named.entries.some(({ statement }) => statement.includes(written))) return true;
  // By what was asked alone, such as a client's number.
  const held = await store.searchLog({ ...search, text: person });
  if (held.more) return true;
  const actions = [...new Set(held.entries.flatMap(({ entry }) => entry.about.action ?? []))];
  if (actions.length > casesMax) return true;
  return (await store.casesOf(actions)).some(({ asked }) => asked.canonical.includes(written));
}

/** Released already: nothing more changes. */
export async function releaseHold(
  { store }: Parts,
  by: PersonId,
  hold: HoldId,
  said: { readonly reason: string; readonly idempotency?: Idempotency | undefined },
): Promise<Result<Hold, Refusal>> {
  const reason = bounded(said.reason);
  return holdIn(await store.change({ kind: 'release', by, hold, reason }, said.idempotency));
}

function holdIn(result: Awaited<ReturnType<Parts['store']['change']>>): Result<Hold, Refusal> {
  if (!result.ok) return err(refusalOf(result.error));
  if (result.value.kind !== 'hold') throw new TypeError('a hold is answered');
  return ok(result.value.hold);
}

/** Who reads what is kept how long, what is held and what was erased: operators and auditors. */
export const mayReadRetention = (directory: Directory, person: PersonId): boolean =>
  isOperator(directory, person) || isAuditor(directory, person);

export async function listHolds({ store }: Parts, by: PersonId): Promise<Result<readonly Hold[], Refusal>> {
  return mayReadRetention(await store.directory(), by)
    ? ok(await store.holds())
    : err(refuse('not_permitted', 'Only operators and auditors read what is held.'));
}

/** How often it looks for what has become too old. */
const everyMs = 3_600_000;
/** The first time after the start. */
const firstMs = 5_000;
/** After a fault, so that a full disk is not hammered, and while something waits for the tree. */
const againMs = 60_000;
/** Between two pieces, so that actions do not wait for it. */
const pauseMs = 50;

export interface Retention {
  stop(): Promise<void>;
}

/**
 * Erases by itself, from now on, what is older than `payloadsMs` (null: nothing is too old), never what is held, open, or not in the
 * tree yet; and what a restore brought back that had been erased before.
 */
export function keepRetention(
  parts: Pick<Parts, 'store' | 'clock'>,
  { payloadsMs, leased = heldAlways }: { readonly payloadsMs: number | null; readonly leased?: Leased },
): Retention {
  const stopped = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const arm = (ms: number): void => {
    clearTimeout(timer);
    if (stopped.signal.aborted) return;
    timer = setTimeout(() => void round(), ms).unref();
  };
  let runs = false;
  const round = async (): Promise<void> => {
    if (runs) return;
    // Another gate does it.
    if (!lease.holds()) return arm(againMs);
    runs = true;
    const again = await eraseRestored(parts.store).catch(() => false);
    const whole =
      payloadsMs === null || (await eraseOld(parts, payloadsMs, stopped.signal).catch(() => false));
    runs = false;
    arm(again && whole ? everyMs : againMs);
  };
  // Everything may have changed, as after a restore.
  const stopWatching = parts.store.onChange((changed) => {
    if (changed.length > 0) return;
    parts.store.erasesLater().then(
      (later) => (later ? arm(firstMs) : undefined),
      () => undefined, // the next round shows it
    );
  });
  const lease = leased('retention', () => arm(firstMs));
  arm(firstMs);
  return {
    stop: () => {
      stopped.abort();
      stopWatching();
      clearTimeout(timer);
      return lease.stop();
    },
  };
}

/** Erases again what a restore brought back, as far as it is in the tree; false where some of it is not yet. */
export async function eraseRestored(store: Parts['store']): Promise<boolean> {
  while (await store.erasesLater()) {
    const result = await store.change({
      kind: 'erase',
      by: { kind: 'gate' },
      scope: { kind: 'restored' },
      reason: 'They were erased before the store was restored from a backup that holds them.',
      basis: null,
    });
    if (!result.ok || result.value.kind !== 'erased') return false;
    // What is held since waits for its release.
    if (result.value.next === null || result.value.count === 0) return !(await store.erasesLater());
  }
  return true;
}

/** One round; false where the store could not be written. A crash in it leaves what was erased, each piece with its entry. */
export async function eraseOld(
  { store, clock }: Pick<Parts, 'store' | 'clock'>,
  payloadsMs: number,
  ends?: AbortSignal,
): Promise<boolean> {
  const index = await store.indexAt(clock.nowMs() - payloadsMs);
  const reason = `Older than ${daysIn(payloadsMs)}: log.retention.payloads.`;
  for (let from: number | null = 0; from !== null && from < index;) {
    if (ends?.aborted === true) return true;
    const next = await store.nextPayload(from, index);
    from = next.index;
    if (!next.found) continue;
    const result = await store.change({
      kind: 'erase',
      by: { kind: 'gate' },
      scope: { kind: 'before', index, from },
      reason,
      basis: null,
    });
    if (!result.ok) return false;
    from = result.value.kind === 'erased' ? result.value.next : null;
    await sleep(pauseMs);
  }
  return true;
}

const dayMs = 24 * 3_600_000;
const daysIn = (ms: number): string => {
  const days = Math.round(ms / dayMs);
  return `${days} day${days === 1 ? '' : 's'}`;
};
