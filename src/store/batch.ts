/** The jobs of one flush, being decided one after another inside its transaction: rows, notices and sealed entries. */
import type { Case } from '../core/case.ts';
import type { Command, Idempotency } from '../core/command.ts';
import { changeConflictMs } from '../core/conflict.ts';
import type { Delegation } from '../core/delegation.ts';
import type { Change, Directory } from '../core/directory.ts';
import { seal, type EntryDraft } from '../core/entry.ts';
import type { Glass } from '../core/glass.ts';
import type { ActionId } from '../core/ids.ts';
import type { Loaded, LinkRow, Needs, Step } from '../core/loaded.ts';
import { needsOf, step } from '../core/steps/step.ts';
import { ok } from '../core/result.ts';
import { unsafeKeptMs, type Stop, type Unsafe } from '../core/stops.ts';
import type { Versions } from '../core/verdict.ts';
import type { Random } from '../ports/random.ts';
import { readNewestChange } from './accepted-rows.ts';
import { readCrowd, readRecent, readStops, readUnsafe, selectUsed } from './bounds-rows.ts';
import { LockedCases } from './case-locks.ts';
import { caseBy, casesOf } from './case-rows.ts';
import { writeCase } from './case-writes.ts';
import { readNeededChat } from './chat-rows.ts';
import { integer } from './columns.ts';
import { readDelegations } from './delegation-rows.ts';
import type { Driver, Told } from './driver.ts';
import { EntryRows } from './entry-rows.ts';
import { readErasing } from './erase-rows.ts';
import { readGlasses } from './glass-rows.ts';
import { readGranted } from './granted-rows.ts';
import { readHolds } from './hold-rows.ts';
import { recall, remember } from './idempotency.ts';
import { isLogJob, type Job, type Outcome } from './job.ts';
import { logJob } from './log-jobs.ts';
import { readLogKeys } from './log-rows.ts';
import { notify, noticeJob } from './notice-rows.ts';
import { readNeededBegun, readNeededPasskeys } from './passkey-rows.ts';
import { readMergedDirectory, readNeededPeople } from './people-rows.ts';
import { readTokens } from './token-rows.ts';
import { type HeadRow } from './head-rows.ts';
import {
  changeOf,
  linkOf,
  readVersions,
  selectChanges,
  selectLink,
  selectToolsOf,
  toolOf,
  writeRow,
} from './world-rows.ts';

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
}

const decides: Decide = { needsOf, step };
export const decideOf = ({ decide = decides }: WriterParts): Decide => decide;

/** What every step may read, whatever it decides. */
export interface World {
  readonly versions: Versions;
  readonly directory: Directory;
  readonly changes: readonly Change[];
  readonly stops: readonly Stop[];
  readonly glasses: readonly Glass[];
  readonly unsafe: readonly Unsafe[];
  /** Some may be over by now; whether one holds is asked with a time. */
  readonly delegations: readonly Delegation[];
}

/** Bytes of randomness in an entry's salt. */
const saltBytes = 32;

/** Jobs of one flush as they are being decided: what a rolled back savepoint must undo is in `log`, `changed` and `world`. */
export class Batch {
  readonly #parts: WriterParts;
  readonly #directories: Map<number, Directory>;
  /** Numbers of the actions that this batch has stored. */
  readonly #ords = new Map<ActionId, number>();
  readonly #cases: LockedCases;
  readonly #entries: EntryRows;
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

  /** @param cases those that were locked before the head row. */
  constructor(
    parts: WriterParts,
    directories: Map<number, Directory>,
    log: HeadRow,
    clockMs: number,
    cases: LockedCases = new LockedCases(parts.driver),
  ) {
    this.#parts = parts;
    this.#directories = directories;
    this.#cases = cases;
    this.#entries = new EntryRows(parts.driver);
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
  }

  /** Sends what is kept back, and waits for what was sent: before a savepoint ends, and before COMMIT. */
  async end(): Promise<void> {
    await this.#entries.write();
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
    return isLogJob(job)
      ? logJob(this.#parts.driver, job, this)
      : noticeJob(this.#parts.driver, job, this.nowMs);
  }

  async #change(command: Command, idempotency: Idempotency | null): Promise<Outcome> {
    const { driver } = this.#parts;
    const before = idempotency === null ? undefined : await recall(driver, idempotency);
    if (before !== undefined) return before;
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
        await writeCase(driver, write, { ord, nowMs: this.nowMs, gate: this.#parts.gate });
        this.changed.add(id);
        if (write.next.approval !== null) this.#held.add(id);
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
      if (await writeRow(driver, write, this.nowMs)) {
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
    return row === undefined ? null : integer(row, 'ord');
  }

  async #load(needs: Needs): Promise<Loaded> {
    const { driver } = this.#parts;
    // What is read below may be in entries of this very flush.
    if (needs.granted === true || needs.erasing !== undefined) await this.#entries.write();
    this.world ??= await this.#readWorld();
    const loaded = {
      case: null,
      tools: [],
      link: null,
      used: false,
      recent: [],
      change: needs.change === true ? await readNewestChange(driver) : null,
      crowd: needs.crowd === undefined ? null : await readCrowd(driver, needs.crowd, this.nowMs),
      tokens: await readTokens(driver, needs.tokens),
      ...(await readNeededChat(driver, needs)),
      ...(needs.logKeys === true ? { logKeys: await readLogKeys(driver) } : {}),
      ...(needs.holds === true ? { holds: await readHolds(driver, this.nowMs) } : {}),
      ...(needs.erasing === undefined
        ? {}
        : { erasing: await readErasing(driver, needs.erasing, this.nowMs) }),
      begun: await readNeededBegun(driver, needs.begun),
      ...(await readNeededPeople(driver, needs, { directory: this.world.directory, nowMs: this.nowMs })),
      passkeys: await readNeededPasskeys(driver, needs.passkeys),
      ...this.#worldNow(this.world),
      nowMs: this.nowMs,
      nextIndex: this.log.size,
    };
    switch (needs.rows) {
      case 'nothing':
        return { ...loaded, recent: await this.#recent(needs, null) };
      case 'case': {
        const locked = needs.by === 'joinKey' ? undefined : this.#cases.read(needs.id);
        const held = locked ?? casesOf(await driver.query(caseBy[needs.by], [needs.id]))[0] ?? null;
        const granted = needs.granted === true && held !== null ? await readGranted(driver, held) : null;
        return { ...loaded, case: held, granted, recent: await this.#recent(needs, held) };
      }
      case 'used':
        return { ...loaded, used: (await driver.query(selectUsed, [needs.hash])).length > 0 };
      case 'tools':
        return { ...loaded, tools: (await driver.query(selectToolsOf, [needs.server])).map(toolOf) };
      case 'link': {
        const [row] = await driver.query(selectLink, [needs.hash]);
        const link: LinkRow | null = row === undefined ? null : linkOf(row);
        return { ...loaded, link };
      }
    }
  }

  async #recent({ recent }: Needs, held: Case | null): Promise<Loaded['recent']> {
    if (recent === undefined) return [];
    const operation = recent === 'of case' ? held?.asked.action.operation : recent.operation;
    return operation === undefined ? [] : readRecent(this.#parts.driver, operation, this.nowMs);
  }

  /** It may have been read a while ago: what has become too old since is left out. */
  #worldNow(world: World): World {
    const { changes, unsafe } = world;
    if (changes.length === 0 && unsafe.length === 0) return world;
    return {
      ...world,
      changes: changes.filter((one) => one.atMs > this.nowMs - changeConflictMs),
      unsafe: unsafe.filter((one) => one.atMs > this.nowMs - unsafeKeptMs),
    };
  }

  async #readWorld(): Promise<World> {
    const { driver } = this.#parts;
    const versions = await readVersions(driver);
    const known = this.#directories.get(versions.directory);
    const directory = known ?? (await readMergedDirectory(driver)).directory;
    if (known === undefined) {
      this.#directories.clear();
      this.#directories.set(versions.directory, directory);
    }
    const changes = (await driver.query(selectChanges, [this.nowMs - changeConflictMs])).map(changeOf);
    const [stops, unsafe] = [await readStops(driver), await readUnsafe(driver, this.nowMs)];
    const delegations = await readDelegations(driver, this.nowMs);
    const glasses = await readGlasses(driver);
    return { versions, directory, changes, stops, unsafe, delegations, glasses };
  }
}
