/** The jobs of one flush, being decided one after another inside its transaction: rows, notices and sealed entries. */
import type { Command, Idempotency } from '../core/command.ts';
import type { Directory } from '../core/directory.ts';
import { seal, type EntryDraft } from '../core/entry.ts';
import type { ActionId } from '../core/ids.ts';
import type { Loaded, Needs, Step } from '../core/loaded.ts';
import { needsOf, step } from '../core/steps/step.ts';
import { letsRun, nothingRuns } from '../core/lets-run.ts';
import { err, ok } from '../core/result.ts';
import type { Random } from '../ports/random.ts';
import { LockedCases } from './case-locks.ts';
import { writeCase } from './case-writes.ts';
import { integer } from './columns.ts';
import { Counts } from './counts.ts';
import type { Driver, Told } from './driver.ts';
import { EntryRows } from './entry-rows.ts';
import { gateJob } from './gate-rows.ts';
import { recall, remember } from './idempotency.ts';
import { isGateJob, isLogJob, type Job, type Outcome } from './job.ts';
import { logJob } from './log-jobs.ts';
import { notify, noticeJob } from './notice-rows.ts';
import { type HeadRow } from './head-rows.ts';
import { writeRow } from './world-rows.ts';
import { Loading, type World } from './loading.ts';

/** The steps that decide; an argument, so that a test can hand in one that throws. */
export interface Decide {
  readonly needsOf: (command: Command) => Needs;
  readonly step: (command: Command, loaded: Loaded) => Step;
}

export interface WriterParts {
  readonly driver: Driver;
  readonly random: Random;
  /** Who is told of approvals: each notice is written once for each. */
  readonly channels: readonly string[];
  /** The gate that writes: whose the executions are that it starts. Null: no gate does. */
  readonly gate: string | null;
  readonly decide?: Decide;
  /** Told whenever a flush is tried again. */
  readonly again?: () => void;
}

const decides: Decide = { needsOf, step };
export const decideOf = ({ decide = decides }: WriterParts): Decide => decide;

/** Where a batch begins. */
export interface Start {
  readonly log: HeadRow;
  readonly clockMs: number;
  /** Those that were locked before the head row. */
  readonly cases?: LockedCases;
}

/** Bytes of randomness in an entry's salt. */
const saltBytes = 32;

/** Jobs of one flush as they are being decided: what a rolled back savepoint must undo is in `log`, `changed` and `world`. */
export class Batch {
  readonly #parts: WriterParts;
  /** Numbers of the actions that this batch has stored. */
  readonly #ords = new Map<ActionId, number>();
  readonly #cases: LockedCases;
  readonly #entries: EntryRows;
  readonly #counts: Counts;
  readonly #loading: Loading;
  nowMs: number;
  /** As the machine says: it may be behind. */
  clockMs: number;
  log: HeadRow;
  /** Read when it is first needed, unless the writer knows it still. */
  world: World | undefined;
  changed = new Set<ActionId>();
  /** Of these, what somebody may wait for at another gate. */
  readonly #held = new Set<ActionId>();
  everything = false;
  /** A rolled back savepoint leaves it set: whoever looks then finds nothing. */
  notices = false;
  wrote = false;
  /** Rows were erased. A rolled back savepoint leaves it set: cleaning up once too often harms nothing. */
  erased = false;

  constructor(
    parts: WriterParts,
    directories: Map<number, Directory>,
    { log, clockMs, cases = new LockedCases(parts.driver) }: Start,
  ) {
    this.#parts = parts;
    this.#cases = cases;
    this.#entries = new EntryRows(parts.driver);
    this.#counts = new Counts(parts.driver);
    const known = { cases, entries: this.#entries, counts: this.#counts };
    this.#loading = new Loading(parts, directories, known);
    this.log = log;
    // Time never runs backwards in the log, whatever the clock does.
    this.nowMs = Math.max(clockMs, log.atMs);
    this.clockMs = clockMs;
  }

  /** Goes on at a later time. */
  later(clockMs: number): void {
    this.nowMs = Math.max(clockMs, this.nowMs);
    this.clockMs = clockMs;
  }

  /** Back to what was before a savepoint that was rolled back. */
  forget(before: Pick<Batch, 'log' | 'everything' | 'wrote' | 'changed'>): void {
    Object.assign(this, before);
    this.world = undefined;
    this.#ords.clear();
    this.#cases.forget();
    this.#entries.forget();
    this.#counts.forget();
  }

  /** Sends what is kept back, and waits for what was sent: before a savepoint ends, and before COMMIT. */
  async end(): Promise<void> {
    await this.#entries.write();
    await this.#counts.write();
    await this.#parts.driver.settle?.();
  }

  /** What other processes are to be told; null: nothing that anybody waits for. */
  get told(): Told | null {
    const { everything, notices } = this;
    if (!everything && !notices && this.#held.size === 0) return null;
    return { changed: everything ? 'everything' : [...this.#held], notices };
  }

  async job(job: Job): Promise<Outcome> {
    if (job.kind === 'change') {
      const outcome = await this.#change(job.command, job.idempotency);
      return job.brief === true && outcome.ok ? ok({ kind: 'done' }) : outcome;
    }
    this.wrote = true;
    await this.#entries.write();
    // Every gate has to hear of it at once, this one too.
    if (job.kind === 'setDamage') {
      this.everything = true;
      this.world = undefined;
    }
    if (isGateJob(job)) return gateJob(this.#parts.driver, job, this.clockMs);
    return isLogJob(job)
      ? logJob(this.#parts.driver, job, this)
      : noticeJob(this.#parts.driver, job, this.nowMs);
  }

  async #change(command: Command, idempotency: Idempotency | null): Promise<Outcome> {
    const { driver } = this.#parts;
    const before = idempotency === null ? undefined : await recall(driver, idempotency);
    if (before !== undefined) return before;
    const altered = letsRun(command) ? (await this.#worldNow()).damage : null;
    // Told to all gates in one commit: whoever decides after it lets nothing run.
    if (altered !== null) return err({ kind: 'fault', detail: nothingRuns(altered) });
    const decide = decideOf(this.#parts);
    const result = decide.step(command, await this.#load(decide.needsOf(command)));
    await this.apply(result);
    if (result.answer.ok && idempotency !== null) {
      await remember(driver, idempotency, result.answer.value, this.nowMs);
      this.wrote = true;
    }
    return result.answer;
  }

  /** Writes a step's rows, entries and notices. A no writes its entries alone. */
  async apply(result: Step): Promise<void> {
    const { driver } = this.#parts;
    const ord = this.log.size;
    for (const write of result.answer.ok ? result.writes : []) {
      this.wrote = true;
      if (write.row === 'case') {
        const { id } = write.next.asked;
        if (write.before === null) {
          this.#ords.set(id, ord);
          this.#cases.made(id);
        }
        await this.#cases.toWrite(id);
        const of = write.before === null ? ord : ((await this.#ordOf(id)) ?? -1);
        const { gate } = this.#parts;
        await writeCase(driver, write, { ord: of, nowMs: this.nowMs, gate }, this.#counts);
        this.changed.add(id);
        if (write.next.approval !== null) this.#held.add(id);
        continue;
      }
      if (write.row === 'recent') {
        this.#counts.addRecent(write.operation, write.agent, write.atMs, write.amount);
        continue;
      }
      if (write.row === 'erased') {
        this.erased = true;
        for (const { asked } of write.cases) {
          await this.#cases.toWrite(asked.id);
          this.changed.add(asked.id);
        }
        await this.#entries.write();
      }
      // Words that were erased are kept in no gate's memory of the world.
      if ((await writeRow(driver, write, this.nowMs)) || write.row === 'erased') {
        this.everything = true;
        this.world = undefined;
      }
    }
    if (result.answer.ok) {
      await notify(this.#parts, result.notices, { ord, nowMs: this.nowMs });
      this.notices ||= result.notices.length > 0;
    }
    await this.record(result.entries);
  }

  async record(entries: readonly EntryDraft[]): Promise<void> {
    for (const draft of entries) {
      const { size, head } = this.log;
      const salt = Buffer.from(this.#parts.random.bytes(saltBytes)).toString('hex');
      const sealed = seal(draft, { index: size, atMs: this.nowMs, salt, head });
      const { action } = draft.about;
      const ord = action === null ? null : await this.#ordOf(action);
      await this.#entries.add([
        size,
        this.nowMs,
        draft.type,
        ord,
        // About an action that was never stored, or is not yet.
        ord === null ? action : null,
        sealed.statement,
        sealed.pae,
        sealed.head,
      ]);
      this.log = { ...this.log, size: size + 1, head: sealed.head, atMs: this.nowMs };
      if (action !== null) this.changed.add(action);
      this.wrote = true;
    }
  }

  async #ordOf(action: ActionId): Promise<number | null> {
    const known = this.#ords.get(action) ?? this.#cases.ordOf(action);
    if (known !== undefined) return known;
    const [row] = await this.#parts.driver.query('SELECT ord FROM actions WHERE id = $1', [action]);
    if (row === undefined) return null;
    const ord = integer(row, 'ord');
    this.#ords.set(action, ord);
    return ord;
  }

  async #load(needs: Needs): Promise<Loaded> {
    const { nowMs, clockMs, log } = this;
    return this.#loading.load(needs, await this.#worldNow(), { nowMs, clockMs, size: log.size });
  }

  async #worldNow(): Promise<World> {
    return (this.world ??= await this.#loading.world(this.nowMs));
  }
}
