/** The loop of one place that the log is shipped to (shipping.ts): reads from its cursor, sends, moves the cursor, backs off. */
import { aboutNothing, type Sealed } from '../core/entry.ts';
import { maskText } from '../core/secrets.ts';
import { rfc3339 } from '../core/time.ts';
import { utf8Length } from '../core/sha256.ts';
import type { Random } from '../ports/random.ts';
import type { Shipped, ShipFailure } from '../ports/shipper.ts';
import type { Lease } from './lease.ts';
import type { Parts } from './parts.ts';
import type { Place } from './shipping.ts';

export type ShippingParts = Pick<Parts, 'store' | 'clock' | 'random' | 'board'>;

/** Entries of one batch, and bytes of what they say, unless one alone is larger. */
export const batchMax = 100;
export const batchBytesMax = 512 * 1024;
/** How long a place may take for a batch. */
const sendMs = 30_000;
/** The first pause after a failure; each further one is twice as long, up to the last. */
const pauseMinMs = 500;
const pauseMaxMs = 5 * 60_000;
/** A fault of the store: our own, and no reason to leave the place alone for long. */
const faultPauseMs = 1000;
/** How long stopping waits for a batch that is under way: it is sent again when the gate starts. */
const stopMs = 3000;
/** It does not fail, and is behind. */
const catchingUp = 'it has not answered yet, or takes less than there is';

/** Where a place stands: the next index, and the chain's head before it as it was shipped; null: not known since the start. */
interface Standing {
  next: number;
  head: string | null;
}

export class ShippingLoop {
  readonly #parts: ShippingParts;
  readonly #place: Place;
  readonly #lateMs: number;
  readonly #startedAtMs: number;
  readonly #lease: Lease;
  readonly #ending = new AbortController();
  #stopped = false;
  #at: Standing | undefined;
  #running: Promise<void> | undefined;
  #wokenMeanwhile = false;
  #failures = 0;
  #restUntilMs = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Whether the log says that it is late; undefined: not looked up yet. */
  #saidLate: boolean | undefined;
  #judging = false;
  #detail: string | null = null;
  /** It failed before the gate started: it has been behind for longer than we run. */
  #failedBefore = false;

  /** @param lease of the place: who does not hold it ships nothing. */
  constructor(
    parts: ShippingParts,
    place: Place,
    { lateMs, lease }: { readonly lateMs: number; readonly lease: Lease },
  ) {
    this.#lease = lease;
    this.#parts = parts;
    this.#place = place;
    this.#lateMs = lateMs;
    this.#startedAtMs = parts.clock.nowMs();
  }

  get #name(): string {
    return this.#place.shipper.name;
  }

  /** Looks for something to ship, unless the place is being left alone. Never waits, never throws. */
  wake(): void {
    if (this.#stopped || !this.#lease.holds() || performance.now() < this.#restUntilMs) return;
    if (this.#running !== undefined) {
      this.#wokenMeanwhile = true;
      return;
    }
    this.#running = this.#rounds().finally(() => {
      this.#running = undefined;
    });
  }

  /** This gate ships to the place from now on: where it stands is what the one before it has left. */
  taken(): void {
    this.#at = undefined;
    this.#saidLate = undefined;
    this.#failedBefore = false;
    this.#restUntilMs = 0;
    this.wake();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    const running = this.#running ?? Promise.resolve();
    await within(stopMs, running);
    this.#ending.abort();
    await within(
      stopMs,
      running.then(() => this.#place.shipper.close()),
    );
  }

  async #rounds(): Promise<void> {
    do {
      this.#wokenMeanwhile = false;
      const pauseMs = await this.#round().catch(() => faultPauseMs);
      if (pauseMs !== null) {
        this.#rest(pauseMs);
        return;
      }
    } while (this.#wokenMeanwhile && !this.#stopped);
  }

  /** By the process's own clock: the system's may jump. */
  #rest(ms: number): void {
    if (this.#stopped) return;
    this.#restUntilMs = performance.now() + ms;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#restUntilMs = 0;
      this.wake();
    }, ms).unref();
  }

  /** Ships all that there is. Null: done; else how long to leave the place alone. Rejects where the store fails. */
  async #round(): Promise<number | null> {
    for (;;) {
      if (this.#stopped || !this.#lease.holds()) return null;
      const at = (this.#at ??= await this.#begin());
      const read = await this.#read(at);
      if (read === 'another log') {
        this.#at = undefined;
        continue;
      }
      if (read.length === 0) {
        await this.judge();
        return null;
      }
      const batch = bounded(await this.#place.format(read));
      const failure = await this.#send(batch);
      const arrived = failure === null ? batch.length : Math.min(failure.arrived ?? 0, batch.length);
      await this.#stands(at, read, arrived, failure?.detail ?? null);
      if (failure !== null) {
        await this.judge();
        return this.#pauseMs(failure);
      }
    }
  }

  /** A place that was never shipped to gets the whole log. */
  async #begin(): Promise<Standing> {
    const { store } = this.#parts;
    const known = (await store.cursors()).find((one) => one.name === this.#name);
    if (known === undefined) await store.setCursor({ name: this.#name, next: 0, detail: null });
    this.#failedBefore ||= known?.detail != null;
    return { next: known?.next ?? 0, head: null };
  }

  /** What comes next; and whether what was shipped last is what stands there still: a restore puts another log in its place. */
  async #read({ next, head }: Standing): Promise<readonly Sealed[] | 'another log'> {
    const { store } = this.#parts;
    if (head === null || next === 0) return store.entries(next - 1, batchMax);
    const [before, ...rest] = await store.entries(next - 2, batchMax + 1);
    return before?.head === head ? rest : 'another log';
  }

  async #send(batch: readonly Shipped[]): Promise<ShipFailure | null> {
    const signal = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(sendMs)]);
    const { shipper } = this.#place;
    const sent = await shipper.send(batch, signal).catch(
      // A bug of ours must not end the loop; what an exception says may be anything.
      (error: unknown) => ({ ok: false, error: { detail: `failed: ${nameOf(error)}` } }) as const,
    );
    return sent.ok ? null : { ...sent.error, detail: maskText(sent.error.detail) };
  }

  async #stands(
    at: Standing,
    read: readonly Sealed[],
    arrived: number,
    detail: string | null,
  ): Promise<void> {
    const { store, board, clock } = this.#parts;
    // Another ships by now, from where it was: what this one has sent last is there twice.
    if (!this.#lease.holds()) return;
    const last = read[arrived - 1];
    if (last !== undefined) {
      at.next = last.entry.index + 1;
      at.head = last.head;
    }
    if (detail === null) this.#failures = 0;
    if (!this.#ending.signal.aborted || detail === null) {
      // While it is late the cursor says something, so that whoever starts next knows.
      this.#detail = detail ?? (this.#saidLate === true ? catchingUp : null);
      board?.say({ kind: 'shipping', name: this.#name, ok: detail === null, detail, atMs: clock.nowMs() });
    }
    await store.setCursor({ name: this.#name, next: at.next, detail: this.#detail });
  }

  #pauseMs({ retryAfterMs = 0, arrived = 0 }: ShipFailure): number {
    this.#failures = arrived > 0 ? 1 : this.#failures + 1;
    const fullMs = Math.min(pauseMaxMs, pauseMinMs * 2 ** Math.min(this.#failures - 1, 20));
    return Math.max(retryAfterMs, jittered(fullMs, this.#parts.random));
  }

  /** Says in the log that it is late, or that it has caught up. Never rejects. */
  async judge(): Promise<void> {
    if (this.#judging || this.#stopped || !this.#lease.holds()) return;
    this.#judging = true;
    try {
      await this.#judge();
    } catch {
      // The store cannot be read or written now; it is judged again soon.
    } finally {
      this.#judging = false;
    }
  }

  async #judge(): Promise<void> {
    if (this.#at === undefined) return;
    const { store, clock } = this.#parts;
    const [oldest] = await store.rawEntries(this.#at.next, 1);
    this.#saidLate ??= this.#failedBefore && (await this.#wasLate());
    if (oldest === undefined) {
      if (!this.#saidLate) return;
      if (!(await this.#record('log.caught_up', {}))) return;
      this.#saidLate = false;
      await this.#keep(null);
      return;
    }
    // What was left over when the gate stopped is not late when it starts, unless the place failed then.
    const sinceMs = this.#failedBefore ? oldest.atMs : Math.max(oldest.atMs, this.#startedAtMs);
    if (this.#saidLate || clock.nowMs() - sinceMs <= this.#lateMs) return;
    const detail = this.#detail ?? catchingUp;
    const since = rfc3339(oldest.atMs);
    if (!(await this.#record('log.late', { since, detail }))) return;
    this.#saidLate = true;
    await this.#keep(detail);
  }

  async #keep(detail: string | null): Promise<void> {
    this.#detail = detail;
    if (this.#at !== undefined)
      await this.#parts.store.setCursor({ name: this.#name, next: this.#at.next, detail });
  }

  async #record(
    type: 'log.late' | 'log.caught_up',
    data: Readonly<Record<string, string>>,
  ): Promise<boolean> {
    const said = { what: 'shipping', name: this.#name, ...data };
    const entry = { type, by: { kind: 'gate' }, about: aboutNothing, subject: null, data: said } as const;
    return (await this.#parts.store.change({ kind: 'record', entries: [entry] }, undefined, 'soon')).ok;
  }

  /** What the log said last of this place before the gate started. */
  async #wasLate(): Promise<boolean> {
    const { store } = this.#parts;
    const newest = async (type: 'log.late' | 'log.caught_up'): Promise<number> => {
      const all = {
        agent: null,
        operation: null,
        person: null,
        resource: null,
        verdict: null,
        policy: null,
        fromMs: null,
        toMs: null,
        before: null,
      } as const;
      const { entries } = await store.searchLog({ ...all, type, text: this.#name, limit: 20 });
      const ours = entries.find(
        ({ entry }) => entry.data['what'] === 'shipping' && entry.data['name'] === this.#name,
      );
      return ours?.entry.index ?? -1;
    };
    return (await newest('log.late')) > (await newest('log.caught_up'));
  }
}

/** As many from the beginning as fit; the first in any case. */
function bounded(all: readonly Shipped[]): readonly Shipped[] {
  let bytes = 0;
  const end = all.findIndex(({ body }) => (bytes += utf8Length(JSON.stringify(body))) > batchBytesMax);
  return end < 0 ? all : all.slice(0, Math.max(1, end));
}

/** Between half of it and all of it, so that many gates do not come back at once. */
function jittered(ms: number, random: Random): number {
  const [byte = 0] = random.bytes(1);
  return ms / 2 + (ms / 2) * (byte / 255);
}

/** Whether it ends or not. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([work.catch(() => undefined), late]);
  clearTimeout(timer);
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'an unknown error');
