/**
 * Proposes what the files say, at start and after each change: the configuration's people and servers, and the policies.
 * Promise: whatever goes wrong with the files ends as a denial of everything with its reason, never as a crash and never as a
 * set that nobody wrote; and it is over as soon as the files are mended.
 */
import { relative } from 'node:path';
import { observedOf, observedText } from '../app/observed.ts';
import type { Found, Proposed, World } from '../app/world.ts';
import { wholeDirectory } from '../app/acceptance.ts';
import type { Result } from '../core/result.ts';
import { readSettings, type Settings } from '../config.ts';
import type { PolicyProblem } from '../ports/policy.ts';
import type { Proposal } from '../ports/settings.ts';
import type { Digest } from '../core/ids.ts';
import type { Store } from '../ports/store.ts';
import { problemText, type Problem } from './document.ts';
import { readPolicies } from './policies.ts';
import { watchFiles } from './watch.ts';
import { whoAcceptsText } from './who-accepts.ts';

/** Reads the configuration anew. */
export type Reload = () => Promise<Result<Settings, readonly Problem[]>>;

export interface ProposeParts {
  readonly settings: Settings;
  readonly world: World;
  readonly store: Store;
  /** Lines for the operator. */
  readonly say: (line: string) => void;
  readonly reload?: Reload;
}

export interface Proposals {
  /** What the newest valid configuration proposes. */
  readonly proposal: Proposal;
  /** Ends the watch; resolves when no proposal is under way. */
  stop(): Promise<void>;
}

/** After a fault of the store, so that what could not be recorded is in force soon after it can. */
const tryAgainMs = 1000;
/** How often it is looked whether another process accepted something (`config accept`). */
const lookAgainMs = 2000;
/** Changes that are told one by one. */
const toldMax = 10;

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
    stop: async () => {
      keeper.stop();
      clearInterval(looking);
      await watch.stop();
      await keeper.idle();
    },
  };
}

/** Of people and of policies, as accepted. */
type Contents = readonly [directory: Digest | undefined, policies: Digest | undefined];

class Keeper {
  readonly #parts: ProposeParts;
  settings: Settings;
  /** Why the configuration on disk is not usable; null where it is. */
  #configReason: string | null = null;
  #said = '';
  #saidRestart = '';
  #saidWaiting = '';
  #saidWho: string | null = null;
  #saidObserved: string | null;
  #broken = false;
  /** What the store had accepted after the proposal before; null before the first. */
  #accepted: Contents | null = null;
  #again: NodeJS.Timeout | undefined;
  #stopped = false;
  #turn: Promise<void> = Promise.resolve();

  constructor(parts: ProposeParts) {
    this.#parts = parts;
    this.settings = parts.settings;
    // Said by start-up, with the other warnings.
    this.#saidObserved = observedText(observedOf(parts.settings.proposal));
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
    return this.#inTurn(() => this.#propose());
  }

  /** What was read at start. */
  propose(): Promise<void> {
    return this.#inTurn(() => this.#propose({ known: true }));
  }

  /** Proposes again where something was accepted besides: by people, or at the machine. */
  look(): Promise<void> {
    return this.#inTurn(async () => {
      if (await this.#parts.world.isBehind().catch(() => false)) return this.#propose();
      // Put in force by the last approval of it, which nobody at this terminal gave.
      const { left } = this.#parts.world.config();
      if (left.length > 0 || this.#saidWaiting === '') return;
      await this.#sayAccepted(false);
      this.#sayObserved();
      this.#sayWaiting();
      await this.#sayWho();
    });
  }

  /** Reads the configuration anew; one that cannot be used changes nothing but why everything is denied. */
  async #reload(): Promise<void> {
    const reload = this.#parts.reload ?? (() => readSettings(this.settings.file));
    const read = await reload();
    if (read.ok) {
      this.#configReason = null;
      this.#sayRestart(read.value);
      this.settings = { ...this.settings, policies: read.value.policies, proposal: read.value.proposal };
      return;
    }
    const texts = read.error.map(problemText);
    this.#configReason = texts[0] ?? 'The configuration cannot be read.';
    this.#tell(
      [
        `The configuration is not usable, so everything${this.#butObserved()} is denied until it is mended:`,
        ...texts,
      ],
      true,
    );
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

  async #propose({ known = false } = {}): Promise<void> {
    const { world, store } = this.#parts;
    clearTimeout(this.#again);
    let first = known;
    const seen: { kind: Proposed['kind'] } = { kind: 'unusable' };
    const read = async (): Promise<Found> => {
      if (!first) await this.#reload();
      first = false;
      const found = await this.#read();
      seen.kind = found.policies.kind;
      return found;
    };
    const problems = await world.take(read).catch((error: unknown): readonly PolicyProblem[] => [
      {
        file: '',
        line: 0,
        severity: 'error',
        message: error instanceof Error ? error.message : String(error),
      },
    ]);
    const mended = this.#broken;
    this.#sayObserved();
    if (this.#configReason === null) this.#sayProblems(problems);
    await this.#sayAccepted(mended);
    this.#sayWaiting();
    await this.#sayWho();
    // A fault of the store is not mended by a change of the files: only trying again tells.
    const faulted =
      !store.health().writable ||
      world.config().unasked ||
      (seen.kind === 'texts' && problems.some((one) => one.file === '' && one.severity === 'error'));
    if (faulted && !this.#stopped) this.#again = setTimeout(() => void this.changed(), tryAgainMs).unref();
  }

  /** Nobody finds out by chance that something is no longer held. */
  #sayObserved(): void {
    const text = observedText(observedOf(this.#parts.world.inForce()));
    if (text === this.#saidObserved) return;
    this.#saidObserved = text;
    this.#parts.say(
      text === null
        ? 'Everything is enforced again; nothing is observed.'
        : `warning: mode: observe for ${text}: nothing is held or denied there, whatever the policies say; it is recorded.`,
    );
  }

  #sayProblems(problems: readonly PolicyProblem[]): void {
    // What may well be meant is told to whoever asks (policy check).
    const told = problems.filter((one) => one.severity !== 'info');
    const lines = told.map(
      (one) => `${one.severity === 'error' ? '' : 'warning: '}${this.#placeOf(one)}${one.message}`,
    );
    const broken = problems.some((one) => one.severity === 'error');
    this.#tell(
      broken
        ? [
            `The policies are not usable, so everything${this.#butObserved()} is denied until they are mended:`,
            ...lines,
          ]
        : lines,
      broken,
    );
  }

  /** Whoever saved a file learns that it counts. @param mended what is in force again was said already. */
  async #sayAccepted(mended: boolean): Promise<void> {
    const { store, say } = this.#parts;
    // By content: what is accepted as a whole gets a new version also where it stayed as it was.
    const digests = Promise.all([store.accepted('directory'), store.accepted('policies')]).then(
      ([directory, policies]): Contents => [directory?.digest, policies?.digest],
    );
    const [before, now] = [this.#accepted, await digests.catch(() => null)];
    this.#accepted = now ?? before;
    if (before === null || now === null || this.#broken) return;
    if (now[0] !== before[0]) say('The changed people, groups and agents are in force.');
    if (now[1] !== before[1] && !mended) say('The changed policies are in force.');
  }

  /** Whoever saved a file learns what of it does not count yet, and what to do. */
  #sayWaiting(): void {
    const { candidate, left, stuck } = this.#parts.world.config();
    const key = left.length === 0 ? '' : `${candidate ?? ''} ${stuck ?? ''}`;
    if (key === this.#saidWaiting) return;
    const before = this.#saidWaiting;
    this.#saidWaiting = key;
    if (key === '') {
      if (before !== '') this.#parts.say('What waited to be accepted does not wait any more.');
      return;
    }
    const say = this.#parts.say;
    say(`The files change who may do what. What tightens is in force; this is not yet:`);
    const waits = left.filter((one) => !one.tightens);
    for (const one of waits.slice(0, toldMax)) say(`  ${one.says}`);
    if (waits.length > toldMax) say(`  and ${waits.length - toldMax} more`);
    say(stuck ?? 'It waits in the inbox of those who accept changes; countersign config status shows it.');
  }

  /** Nobody finds out by needing it that nobody could accept a change. */
  async #sayWho(): Promise<void> {
    const { store, say } = this.#parts;
    const text = await Promise.all([store.directory(), wholeDirectory(store)])
      .then(([directory, whole]) => whoAcceptsText({ directory, whole, nowMs: Date.now() }))
      .catch(() => this.#saidWho);
    if (text !== null && text !== this.#saidWho) say(text);
    this.#saidWho = text;
  }

  /** What is observed passes even so. */
  #butObserved(): string {
    return this.#saidObserved === null ? '' : ' but what is observed';
  }

  /** `policies/crm.cedar:3: `, relative to the configuration's folder; nothing where the message has its own place. */
  #placeOf(problem: PolicyProblem): string {
    if (problem.file === '') return '';
    const folder = relative(`${this.settings.file}/..`, this.settings.policies);
    return `${folder === '' ? '' : `${folder}/`}${problem.file}:${problem.line}: `;
  }

  /** The same lines are said once, not at every try. */
  #tell(lines: readonly string[], broken: boolean): void {
    if (this.#broken && !broken) this.#parts.say('The policies are in force again.');
    this.#broken = broken;
    const text = lines.join('\n');
    if (text !== this.#said) for (const line of lines) this.#parts.say(line);
    this.#said = text;
  }

  /** What is read only at start. */
  #sayRestart(next: Settings): void {
    const before = this.#parts.settings;
    const fixed = ['listen', 'url', 'store', 'webhook', 'callbacks', 'timezone', 'limits'] as const;
    // The cool-off is a part of what is accepted, and in force with it.
    const text = (of: Settings, key: (typeof fixed)[number]): string =>
      JSON.stringify(key === 'limits' ? { ...of.limits, coolOffMs: 0 } : of[key]);
    const changed = fixed.filter((key) => text(next, key) !== text(before, key));
    // `--port` replaces the port that the file says.
    const told = changed.filter((key) => key !== 'listen' || next.listen.host !== before.listen.host);
    const names = told.map((key) => restartNames[key]).join(', ');
    if (names !== '' && names !== this.#saidRestart)
      this.#parts.say(`Changes of ${names} are in force after a restart.`);
    this.#saidRestart = names;
  }
}

const restartNames = {
  listen: 'listen',
  url: 'url',
  store: 'data or database',
  webhook: 'channels',
  callbacks: 'callbacks',
  timezone: 'timezone',
  limits: 'limits',
} as const;
