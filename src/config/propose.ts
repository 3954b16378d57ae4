/**
 * Proposes what the files say, at start and after each change: the configuration's people and servers, and the policies.
 * Promise: whatever goes wrong with the files ends as a denial of everything with its reason, never as a crash and never as a
 * set that nobody wrote; and it is over as soon as the files are mended.
 */
import { relative } from 'node:path';
import { observedOf, observedText } from '../app/observed.ts';
import type { Proposed, World } from '../app/world.ts';
import type { Result } from '../core/result.ts';
import { readSettings, type Settings } from '../config.ts';
import type { PolicyProblem } from '../ports/policy.ts';
import type { Proposal } from '../ports/settings.ts';
import type { Versions } from '../core/verdict.ts';
import type { Store } from '../ports/store.ts';
import { problemText, type Problem } from './document.ts';
import { readPolicies } from './policies.ts';
import { watchFiles } from './watch.ts';

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
  return {
    get proposal() {
      return keeper.settings.proposal;
    },
    stop: async () => {
      keeper.stop();
      await watch.stop();
      await keeper.idle();
    },
  };
}

class Keeper {
  readonly #parts: ProposeParts;
  settings: Settings;
  /** Why the configuration on disk is not usable; null where it is. */
  #configReason: string | null = null;
  #said = '';
  #saidRestart = '';
  #saidObserved: string | null;
  #broken = false;
  /** What the store had accepted after the proposal before; null before the first. */
  #accepted: Versions | null = null;
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
    return this.#inTurn(async () => {
      const reload = this.#parts.reload ?? (() => readSettings(this.settings.file));
      const read = await reload();
      if (read.ok) {
        this.#configReason = null;
        this.#sayRestart(read.value);
        this.settings = { ...this.settings, policies: read.value.policies, proposal: read.value.proposal };
        this.#sayObserved();
      } else {
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
      await this.#propose();
    });
  }

  propose(): Promise<void> {
    return this.#inTurn(() => this.#propose());
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(() => (this.#stopped ? undefined : work()));
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #propose(): Promise<void> {
    const { world, store } = this.#parts;
    clearTimeout(this.#again);
    const policies: Proposed =
      this.#configReason === null
        ? await readPolicies(this.settings.policies)
        : { kind: 'unusable', reason: this.#configReason };
    const problems = await world
      .propose(this.settings.proposal, policies)
      .catch((error: unknown): readonly PolicyProblem[] => [
        {
          file: '',
          line: 0,
          severity: 'error',
          message: error instanceof Error ? error.message : String(error),
        },
      ]);
    const mended = this.#broken;
    if (this.#configReason === null) this.#sayProblems(problems);
    await this.#sayAccepted(mended);
    // A fault of the store is not mended by a change of the files: only trying again tells.
    const faulted =
      !store.health().writable ||
      (policies.kind === 'texts' && problems.some((one) => one.file === '' && one.severity === 'error'));
    if (faulted && !this.#stopped) this.#again = setTimeout(() => void this.propose(), tryAgainMs).unref();
  }

  /** Nobody finds out by chance that something is no longer held. */
  #sayObserved(): void {
    const text = observedText(observedOf(this.settings.proposal));
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
    const [before, now] = [this.#accepted, await this.#parts.store.versions().catch(() => null)];
    this.#accepted = now ?? before;
    if (before === null || now === null || this.#broken) return;
    if (now.directory !== before.directory)
      this.#parts.say('The changed people, groups and agents are in force.');
    if (now.policySet !== before.policySet && !mended) this.#parts.say('The changed policies are in force.');
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
    const changed = fixed.filter((key) => JSON.stringify(next[key]) !== JSON.stringify(before[key]));
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
