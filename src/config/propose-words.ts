/**
 * What an operator reads of proposals, one line at a time: what is in force, what is not and why, what waits and for whom. The
 * same thing is said once, and not at every look.
 */
import { relative } from 'node:path';
import { wholeDirectory } from '../app/acceptance.ts';
import { observedOf, observedText } from '../app/observed.ts';
import { noRouting } from '../app/routes.ts';
import type { World } from '../app/world.ts';
import type { Settings } from '../config.ts';
import type { Digest } from '../core/ids.ts';
import { rfc3339 } from '../core/time.ts';
import type { Routing } from '../ports/channel.ts';
import type { PolicyProblem } from '../ports/policy.ts';
import type { Store } from '../ports/store.ts';
import { sameRouting } from './channels.ts';
import { problemText, type Problem } from './document.ts';
import { whoAcceptsText } from './who-accepts.ts';

export interface WordsParts {
  /** As the gate was started. */
  readonly settings: Settings;
  readonly world: World;
  readonly store: Store;
  /** Lines for the operator. */
  readonly say: (line: string) => void;
}

/** Changes that are told one by one. */
const toldMax = 10;

/** Of people and of policies, as accepted. */
type Contents = readonly [directory: Digest | undefined, policies: Digest | undefined];

export class Words {
  readonly #parts: WordsParts;
  /** The folder of policies as it is configured now: places of problems start there. */
  policies: string;
  #said = '';
  #saidRestart = '';
  #saidWaiting = '';
  #saidOlder: number | null = null;
  #saidWho: string | null = null;
  #saidObserved: string | null;
  #broken = false;
  /** What the store had accepted after the proposal before; null before the first. */
  #accepted: Contents | null = null;

  constructor(parts: WordsParts) {
    this.#parts = parts;
    this.policies = parts.settings.policies;
    // Said by start-up, with the other warnings.
    this.#saidObserved = observedText(observedOf(parts.settings.proposal));
  }

  /** After a proposal. @param problems null: the configuration itself cannot be used, which is said already. */
  async proposed(problems: readonly PolicyProblem[] | null): Promise<void> {
    const mended = this.#broken;
    this.#sayObserved();
    if (problems !== null) this.#sayProblems(problems);
    await this.#sayStanding(mended);
  }

  /** Where nothing was proposed: what was put in force by the last approval of it, which nobody at this terminal gave. */
  async looked(): Promise<void> {
    if (this.#saidWaiting === '' || this.#parts.world.config().left.length > 0) return;
    this.#sayObserved();
    await this.#sayStanding(false);
  }

  /** Said once: files of a gate that was not deployed yet, or was started again. */
  #sayOlder(): void {
    const { olderSinceMs = null } = this.#parts.world.config();
    if (olderSinceMs === this.#saidOlder) return;
    const was = this.#saidOlder;
    this.#saidOlder = olderSinceMs;
    if (olderSinceMs !== null)
      this.#parts.say(
        `The files of this gate are older than those that were proposed on ${rfc3339(olderSinceMs)}: it serves with what is in force, and proposes nothing until they change.`,
      );
    else if (was !== null) this.#parts.say('The files of this gate are the newest again.');
  }

  async #sayStanding(mended: boolean): Promise<void> {
    this.#sayOlder();
    await this.#sayAccepted(mended);
    this.#sayWaiting();
    await this.#sayWho();
  }

  /** The configuration cannot be used. */
  unusable(problems: readonly Problem[]): void {
    this.#tell(
      [
        `The configuration is not usable, so everything${this.#butObserved()} is denied until it is mended:`,
        ...problems.map(problemText),
      ],
      true,
    );
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
    const folder = relative(`${this.#parts.settings.file}/..`, this.policies);
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

  /** Where groups are reached is in force as soon as it is read. */
  routed(before: Routing, now: Routing): void {
    if (!sameRouting(before, now)) this.#parts.say('Groups are reached where the file says now.');
  }

  /** What is read only at start. */
  restart(next: Settings): void {
    const before = this.#parts.settings;
    const fixed = [
      'listen',
      'url',
      'store',
      'channels',
      'callbacks',
      'timezone',
      'limits',
      'shutdown',
      'telemetry',
    ] as const;
    // The cool-off is a part of what is accepted, and in force with it; where groups are reached is in force at once.
    const values = (of: Settings): Settings => ({
      ...of,
      limits: { ...of.limits, coolOffMs: 0 },
      channels: { ...of.channels, routing: noRouting },
    });
    const text = (of: Settings, key: (typeof fixed)[number]): string => JSON.stringify(values(of)[key]);
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
  channels: 'channels',
  callbacks: 'callbacks',
  timezone: 'timezone',
  limits: 'limits',
  shutdown: 'shutdown',
  telemetry: 'telemetry or logging',
} as const;
