/** What a step reads, in the transaction that it decides in: each thing that a command needs, and the world that all are judged in. */
import type { Case } from '../core/case.ts';
import { changeConflictMs } from '../core/conflict.ts';
import type { Delegation } from '../core/delegation.ts';
import type { Change, Directory } from '../core/directory.ts';
import type { Glass } from '../core/glass.ts';
import type { Loaded, LinkRow, Needs } from '../core/loaded.ts';
import { unsafeKeptMs, type Stop, type Unsafe } from '../core/stops.ts';
import type { Versions } from '../core/verdict.ts';
import { readNewestChange } from './accepted-rows.ts';
import { readCrowd, readRecent, readStops, readUnsafe, selectUsed } from './bounds-rows.ts';
import type { LockedCases } from './case-locks.ts';
import { caseBy, casesOf } from './case-rows.ts';
import { readNeededChat } from './chat-rows.ts';
import type { Counts } from './counts.ts';
import { readDelegations } from './delegation-rows.ts';
import type { Driver } from './driver.ts';
import type { EntryRows } from './entry-rows.ts';
import { readErasing } from './erase-rows.ts';
import { readDamage, readRunner } from './gate-rows.ts';
import { readGlasses } from './glass-rows.ts';
import { readGranted } from './granted-rows.ts';
import { readHolds } from './hold-rows.ts';
import { readLogKeys } from './log-rows.ts';
import { readNeededBegun, readNeededPasskeys } from './passkey-rows.ts';
import { readMergedDirectory, readNeededPeople } from './people-rows.ts';
import { readTokens } from './token-rows.ts';
import {
  changeOf,
  linkOf,
  readVersions,
  selectChanges,
  selectLink,
  selectToolsOf,
  toolOf,
} from './world-rows.ts';

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
  /** What some gate found altered in the log; null: nothing. */
  readonly damage: string | null;
}

/** When a job is decided, and which entry comes next. */
interface At {
  readonly nowMs: number;
  readonly clockMs: number;
  readonly size: number;
}

/** What the transaction keeps back or has read already. */
export interface Known {
  readonly cases: LockedCases;
  readonly entries: EntryRows;
  readonly counts: Counts;
}

/** It may have been read a while ago: what has become too old since is left out. */
function worldAt(world: World, nowMs: number): World {
  const { changes, unsafe } = world;
  if (changes.length === 0 && unsafe.length === 0) return world;
  return {
    ...world,
    changes: changes.filter((one) => one.atMs > nowMs - changeConflictMs),
    unsafe: unsafe.filter((one) => one.atMs > nowMs - unsafeKeptMs),
  };
}

export class Loading {
  readonly #parts: { readonly driver: Driver; readonly gate: string | null };
  readonly #directories: Map<number, Directory>;
  readonly #cases: LockedCases;
  readonly #entries: EntryRows;
  readonly #counts: Counts;

  /** @param directories the parsed directory by its version, kept by the writer: one at most. */
  constructor(
    parts: { readonly driver: Driver; readonly gate: string | null },
    directories: Map<number, Directory>,
    { cases, entries, counts }: Known,
  ) {
    this.#parts = parts;
    this.#directories = directories;
    this.#cases = cases;
    this.#entries = entries;
    this.#counts = counts;
  }

  /** @param world as it was read, in this transaction or in one since which it stands. */
  async load(needs: Needs, world: World, at: At): Promise<Loaded> {
    const { driver } = this.#parts;
    const { nowMs } = at;
    // What is read below may be in entries of this very flush.
    if (needs.granted === true || needs.erasing !== undefined) await this.#entries.write();
    const loaded = {
      case: null,
      tools: [],
      link: null,
      used: false,
      recent: [],
      change: needs.change === true ? await readNewestChange(driver) : null,
      crowd: await this.#crowd(needs, nowMs),
      tokens: await readTokens(driver, needs.tokens),
      ...(await readNeededChat(driver, needs)),
      ...(needs.logKeys === true ? { logKeys: await readLogKeys(driver) } : {}),
      ...(needs.holds === true ? { holds: await readHolds(driver, nowMs) } : {}),
      ...(needs.erasing === undefined ? {} : { erasing: await readErasing(driver, needs.erasing, nowMs) }),
      begun: await readNeededBegun(driver, needs.begun),
      ...(await readNeededPeople(driver, needs, { directory: world.directory, nowMs })),
      passkeys: await readNeededPasskeys(driver, needs.passkeys),
      ...worldAt(world, nowMs),
      nowMs,
      nextIndex: at.size,
    };
    switch (needs.rows) {
      case 'nothing':
        return { ...loaded, recent: await this.#recent(needs, null, nowMs) };
      case 'case': {
        const locked = needs.by === 'joinKey' ? undefined : this.#cases.read(needs.id);
        const held = locked ?? casesOf(await driver.query(caseBy[needs.by], [needs.id]))[0] ?? null;
        const granted = needs.granted === true && held !== null ? await readGranted(driver, held) : null;
        const runner = needs.runner === true ? await this.#runner(needs.id, at.clockMs) : undefined;
        return { ...loaded, case: held, granted, ...runner, recent: await this.#recent(needs, held, nowMs) };
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

  async #runner(execution: string, clockMs: number): Promise<Pick<Loaded, 'runner'>> {
    const { driver, gate: self } = this.#parts;
    const alone = driver.dialect.kind === 'sqlite';
    const runner = await readRunner(driver, { execution, self, alone }, clockMs);
    return runner === undefined ? {} : { runner };
  }

  async #crowd({ crowd }: Needs, nowMs: number): Promise<Loaded['crowd']> {
    if (crowd === undefined) return null;
    return readCrowd(this.#parts.driver, crowd, nowMs, (names) => this.#counts.waiting(names));
  }

  async #recent({ recent }: Needs, held: Case | null, nowMs: number): Promise<Loaded['recent']> {
    if (recent === undefined) return [];
    const operation = recent === 'of case' ? held?.asked.action.operation : recent.operation;
    if (operation === undefined) return [];
    // With what this very flush has granted.
    await this.#counts.write();
    return readRecent(this.#parts.driver, operation, nowMs);
  }

  /** Reads it as it is now. */
  async world(nowMs: number): Promise<World> {
    const { driver } = this.#parts;
    const versions = await readVersions(driver);
    const known = this.#directories.get(versions.directory);
    const directory = known ?? (await readMergedDirectory(driver)).directory;
    if (known === undefined) {
      this.#directories.clear();
      this.#directories.set(versions.directory, directory);
    }
    const changes = (await driver.query(selectChanges, [nowMs - changeConflictMs])).map(changeOf);
    const [stops, unsafe] = [await readStops(driver), await readUnsafe(driver, nowMs)];
    const delegations = await readDelegations(driver, nowMs);
    const glasses = await readGlasses(driver);
    const damage = await readDamage(driver);
    return { versions, directory, changes, stops, unsafe, delegations, glasses, damage };
  }
}
