/**
 * Proposes what the files say, at start and after each change: the configuration's people and servers, and the policies.
 * Promise: whatever goes wrong with the files ends as a denial of everything with its reason, never as a crash and never as a
 * set that nobody wrote; and it is over as soon as the files are mended.
 */
import type { Why } from '../app/proposing.ts';
import type { Found, Proposed } from '../app/world-held.ts';
import type { Result } from '../core/result.ts';
import { readSettings, type Settings } from '../config.ts';
import type { Routing } from '../ports/channel.ts';
import type { PolicyProblem } from '../ports/policy.ts';
import type { Proposal } from '../ports/settings.ts';
import { problemText, type Problem } from './document.ts';
import { readPolicies } from './policies.ts';
import { Words, type WordsParts } from './propose-words.ts';
import { fingerprint, watchFiles } from './watch.ts';

/** Reads the configuration anew. */
export type Reload = () => Promise<Result<Settings, readonly Problem[]>>;

export interface ProposeParts extends WordsParts {
  readonly reload?: Reload;
}

export interface Proposals {
  /** What the newest valid configuration proposes. */
  readonly proposal: Proposal;
  /** Where people are reached, as the newest valid configuration says; on channels too that are there only after a restart. */
  routing(): Routing;
  /** Ends the watch; resolves when no proposal is under way. */
  stop(): Promise<void>;
}

/** After a fault of the store, so that what could not be recorded is in force soon after it can. */
const tryAgainMs = 1000;
/** How often it is looked whether another process accepted something (`config accept`). */
const lookAgainMs = 2000;

/** Proposes once, and again after each change; resolves when the first proposal is in force or refused. */
export async function keepProposals(parts: ProposeParts): Promise<Proposals> {
  const keeper = new Keeper(parts);
  const { file, stamp } = parts.settings;
  // Before the first reading, so that nothing that changes during it is missed.
  const watch = await watchFiles(
    () => keeper.watched(),
    () => keeper.changed(),
    new Map(stamp === null ? [] : [[file, stamp]]),
  );
  await keeper.propose();
  const looking = setInterval(() => void keeper.look(), lookAgainMs).unref();
  return {
    get proposal() {
      return keeper.settings.proposal;
    },
    routing: () => keeper.settings.channels.routing,
    stop: async () => {
      keeper.stop();
      clearInterval(looking);
      await watch.stop();
      await keeper.idle();
    },
  };
}

/** For how long files must not have changed when they are read, and how long that is waited for. */
const settledMs = 50;
const settledMsMax = 2000;

class Keeper {
  readonly #parts: ProposeParts;
  settings: Settings;
  /** Why the configuration on disk is not usable; null where it is. */
  #configReason: string | null = null;
  readonly #words: Words;
  #again: NodeJS.Timeout | undefined;
  #stopped = false;
  #turn: Promise<void> = Promise.resolve();

  constructor(parts: ProposeParts) {
    this.#parts = parts;
    this.settings = parts.settings;
    this.#words = new Words(parts);
  }

  watched(): { readonly files: readonly string[]; readonly folders: readonly string[] } {
    return { files: [this.settings.file], folders: [this.settings.policies] };
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#again);
  }

  idle(): Promise<void> {
    return this.#turn;
  }

  /** Something on disk has changed: which of the files does not matter. */
  changed(): Promise<void> {
    return this.#inTurn(() => this.#propose('changed'));
  }

  /** What was read at start. */
  propose(): Promise<void> {
    return this.#inTurn(() => this.#propose('start', { known: true }));
  }

  /** Proposes again where something was accepted besides: by people, or at the machine. */
  look(): Promise<void> {
    return this.#inTurn(async () => {
      if (await this.#parts.world.isBehind().catch(() => false)) return this.#propose('look');
      await this.#words.looked();
    });
  }

  /** Reads the configuration anew; one that cannot be used changes nothing but why everything is denied. */
  async #reload(): Promise<void> {
    const reload = this.#parts.reload ?? (() => readSettings(this.settings.file));
    const read = await reload();
    if (read.ok) {
      this.#configReason = null;
      this.#words.restart(read.value);
      this.#words.policies = read.value.policies;
      const { policies, proposal, channels } = read.value;
      const { routing } = channels;
      this.#words.routed(this.settings.channels.routing, routing);
      this.settings = {
        ...this.settings,
        policies,
        proposal,
        channels: { ...this.settings.channels, routing },
      };
      return;
    }
    const [first] = read.error;
    this.#configReason = first === undefined ? 'The configuration cannot be read.' : problemText(first);
    this.#words.unusable(read.error);
  }

  /**
   * What the files say once nobody is writing them: half of a file could be valid, and would take everybody out at once whom it does
   * not name yet. Whoever never stops writing is not waited for.
   */
  async #readSettled(): Promise<Found> {
    const end = performance.now() + settledMsMax;
    for (;;) {
      const before = await fingerprint(this.watched());
      await new Promise((resolve) => setTimeout(resolve, settledMs));
      const late = performance.now() >= end;
      if (!late && before !== (await fingerprint(this.watched()))) continue;
      await this.#reload();
      const found = await this.#read();
      if (late || before === (await fingerprint(this.watched()))) return found;
    }
  }

  async #read(): Promise<Found> {
    const policies: Proposed =
      this.#configReason === null
        ? await readPolicies(this.settings.policies)
        : { kind: 'unusable', reason: this.#configReason };
    return { proposal: this.settings.proposal, policies };
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(() => (this.#stopped ? undefined : work()));
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #propose(why: Why, { known = false } = {}): Promise<void> {
    const { world, store } = this.#parts;
    clearTimeout(this.#again);
    let first = known;
    const seen: { kind: Proposed['kind'] } = { kind: 'unusable' };
    const read = async (): Promise<Found> => {
      const found = await (first ? this.#read() : this.#readSettled());
      first = false;
      seen.kind = found.policies.kind;
      return found;
    };
    const problems = await world.take(read, why).catch((error: unknown): readonly PolicyProblem[] => [
      {
        file: '',
        line: 0,
        severity: 'error',
        message: error instanceof Error ? error.message : String(error),
      },
    ]);
    await this.#words.proposed(this.#configReason === null ? problems : null);
    // A fault of the store is not mended by a change of the files: only trying again tells.
    const faulted =
      !store.health().writable ||
      world.config().unasked ||
      (seen.kind === 'texts' && problems.some((one) => one.file === '' && one.severity === 'error'));
    if (faulted && !this.#stopped)
      this.#again = setTimeout(() => void this.#inTurn(() => this.#propose(why)), tryAgainMs).unref();
  }
}
