/**
 * Hears what other gates commit. A hint (postgres-hint.ts) wakes at once; the net under it is a look at the head of the log each
 * second: of what it has grown by, and no hint told, the held actions are read and exactly these are woken.
 *
 * Promise: what a commit changes is announced, hint or no hint, within a second of the database answering.
 */
import { asActionId, type ActionId } from '../core/ids.ts';
import { integer, integerOrNull, text } from './columns.ts';
import type { Queries, Row } from './driver.ts';
import type { Hint } from './postgres-hint.ts';
import type { Sample } from './postgres-clock.ts';

export const watchLimits = {
  lookMs: 1_000,
  /** Entries that one look reads; beyond, everybody is woken. */
  entriesMax: 50_000,
  /** Actions that one look wakes by name. */
  actionsMax: 1_000,
} as const;

export interface WatchOptions {
  readonly reads: Queries;
  /** The store that watches. */
  readonly self: string;
  /** SQL of the database's time, or NULL. */
  readonly nowMs: string;
  /** Empty: anything may have changed, and anybody may have left notices. */
  readonly announce: (changed: readonly ActionId[]) => void;
  readonly announceNotices: () => void;
  readonly measured: (sample: Sample) => void;
  /** Told when a look found what no hint had told, although hints come. */
  readonly missed?: () => void;
}

const selectChanged = `SELECT DISTINCT a.id FROM entries e JOIN actions a ON a.ord = e.action_ord
  WHERE e.idx >= $1 AND e.idx < $2 AND a.approval_id IS NOT NULL LIMIT $3`;

export class Watch {
  readonly #options: WatchOptions;
  /** Entries whose changes were announced, and how often the world had changed by then; −1: nothing was read yet. */
  #size = -1;
  /** What the database said last: a hint may say more than is true. */
  #seen = -1;
  #world = -1;
  /** Whether hints of every commit come since `#size`: a hint then says that nothing before it is left to be told. */
  #listening = false;
  /** Whether a hint has told of a world that no look has seen yet. */
  #toldAll = false;
  #looking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** From now on, each second. Rejects where the first look fails. */
  async start(): Promise<void> {
    await this.#look();
    this.#timer = setInterval(() => void this.look(), watchLimits.lookMs).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  /** Hints come, or come no more. What was missed until now is looked for. */
  async listening(on: boolean): Promise<void> {
    this.#listening = false;
    // What only hints told of is looked at again: nobody knows whether all of them came, nor who sent them.
    this.#size = Math.min(this.#size, this.#seen);
    if (!on) return;
    // A look that began before this one may have seen less.
    await this.#looking;
    this.#listening = await this.look();
  }

  heard(hint: Hint): void {
    const { announce, announceNotices, self } = this.#options;
    if (this.#listening && this.#size >= 0) this.#size = Math.max(this.#size, hint.size);
    if (hint.changed === 'everything') this.#toldAll = true;
    if (hint.from === self) return;
    if (hint.changed === 'everything') announce([]);
    else {
      if (hint.changed.length > 0) announce(hint.changed);
      if (hint.notices) announceNotices();
    }
  }

  /** Whether it could be looked. Not twice at a time: the second is the first. */
  async look(): Promise<boolean> {
    const looking = (this.#looking ??= this.#look().finally(() => (this.#looking = undefined)));
    return looking.then(
      () => true,
      // What is wrong with the database shows where somebody can be told.
      () => false,
    );
  }

  async #look(): Promise<void> {
    const { reads, nowMs, measured } = this.#options;
    const sentMs = performance.now();
    const [row] = await reads.query(`SELECT size, world, ${nowMs} AS now_ms FROM log_head WHERE one = 1`);
    const gotMs = performance.now();
    if (row === undefined) return;
    const databaseMs = integerOrNull(row, 'now_ms');
    if (databaseMs !== null) measured({ sentMs, gotMs, databaseMs });
    await this.#catchUp(row);
  }

  async #catchUp(row: Row): Promise<void> {
    const { announce, announceNotices, missed } = this.#options;
    const [size, world] = [integer(row, 'size'), integer(row, 'world')];
    const from = this.#size;
    const first = from < 0;
    const moved = world !== this.#world;
    this.#seen = size;
    if (this.#listening && moved && !this.#toldAll) missed?.();
    if (moved) this.#toldAll = false;
    if (first || moved || size < from || size - from > watchLimits.entriesMax) {
      this.#size = size;
      this.#world = world;
      if (!first) announce([]);
      return;
    }
    if (size === from) return;
    const changed = await this.#changed(from, size);
    this.#size = Math.max(this.#size, size);
    if (this.#listening && changed.length > 0) missed?.();
    if (changed.length > watchLimits.actionsMax) announce([]);
    else if (changed.length > 0) {
      announce(changed);
      announceNotices();
    }
  }

  async #changed(from: number, to: number): Promise<readonly ActionId[]> {
    const rows = await this.#options.reads.query(selectChanged, [from, to, watchLimits.actionsMax + 1]);
    return rows.map((row) => asActionId(text(row, 'id')));
  }
}
