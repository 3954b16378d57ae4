/**
 * What of a configuration that was found is accepted at once: all of it into an empty store and in a company of one person; else
 * what only tightens. The rest waits for people (app/change-config.ts). Everything is written before it is in force.
 */
import type { AcceptCommand, How, Part } from '../core/command-config.ts';
import { keepsPolicies, type Configuration, type Difference, type Itemised } from '../core/config-change.ts';
import { changesOf, quorumFor } from '../core/config-change/asking.ts';
import { differenceOf, tightened, waitingOf } from '../core/config-change/compare.ts';
import { emptyDirectory, type Directory } from '../core/directory.ts';
import type { Digest, PersonId } from '../core/ids.ts';
import type { JsonValue } from '../core/json.ts';
import { configDigest, parts as partNames } from '../core/steps/config.ts';
import type { Versions } from '../core/verdict.ts';
import type { PolicyEngine, PolicyProblem, PolicyTexts, PolicyWorld } from '../ports/policy.ts';
import type { Accepted, Store } from '../ports/store.ts';
import { policyWorldOf } from './policy-world.ts';

/** What the store has accepted, read at one moment of its versions. */
export interface InForce {
  readonly versions: Versions;
  readonly parts: Readonly<Record<Part, Accepted | undefined>>;
  /** The parts together; what was never accepted is empty. */
  readonly configuration: Configuration;
  /** Of `configuration`. */
  readonly digest: Digest;
}

/** Parts and configurations are JSON by construction (core/config-change.ts). */
export const asJson = (value: unknown): JsonValue => value as JsonValue;

/** Versions are read first: what moves in between makes whatever is judged with this stale. */
export async function inForceNow(store: Store): Promise<InForce> {
  const versions = await store.versions();
  const [policies, directory, servers] = await Promise.all(partNames.map((what) => store.accepted(what)));
  const configuration: Configuration = {
    // Only values of these types are accepted as these parts.
    policies: (policies?.body ?? null) as Configuration['policies'],
    directory: (directory?.body ?? emptyDirectory) as unknown as Directory,
    servers: (servers?.body ?? { servers: [], operations: [] }) as unknown as Configuration['servers'],
  };
  return {
    versions,
    parts: { policies, directory, servers },
    configuration,
    digest: configDigest(asJson(configuration)),
  };
}

export const worldOf = (
  { directory, servers }: Configuration,
  now: Pick<PolicyWorld, 'tools' | 'versions'>,
): PolicyWorld => policyWorldOf(servers, { ...now, directory });

/** What is left of a proposal once all that may be accepted at once is. */
export type Taken =
  | { readonly kind: 'faulted' }
  /** The world moved meanwhile. */
  | { readonly kind: 'stale' }
  | {
      readonly kind: 'taken';
      readonly inForce: InForce;
      readonly left: readonly Difference[];
      readonly problems: readonly PolicyProblem[];
    };

export const itemisedOf = (policy: PolicyEngine, configuration: Configuration): Itemised => ({
  ...configuration,
  items: configuration.policies === null ? [] : policy.items(configuration.policies),
});

/** At most so many lines about what changed are written into an entry. */
const wordsMax = 100;

/** Accepts at once what may be; what was found is proven already. */
export async function takeAtOnce(
  { store, policy }: { readonly store: Store; readonly policy: PolicyEngine },
  before: InForce,
  found: Configuration,
): Promise<Taken> {
  const missing = partNames.filter((what) => before.parts[what] === undefined && found[what] !== null);
  if (missing.length > 0) {
    const accepted = await accept(store, before, { how: 'first', to: found, only: missing });
    if (accepted !== null) return { kind: accepted };
    return takeAtOnce({ store, policy }, await inForceNow(store), found);
  }
  // A store from before ways to sign in were a part of it has none; any later one has.
  const { servers } = before.configuration;
  if (servers.signIn === undefined && found.servers.signIn !== undefined) {
    const to = { ...before.configuration, servers: { ...servers, signIn: found.servers.signIn } };
    const words = ['takes over how people and agents sign in, which was never accepted before'];
    const accepted = await accept(store, before, { how: 'first', to, only: ['servers'], words });
    if (accepted !== null) return { kind: accepted };
    return takeAtOnce({ store, policy }, await inForceNow(store), found);
  }
  const itemised = { before: itemisedOf(policy, before.configuration), found: itemisedOf(policy, found) };
  const differences = differenceOf(itemised.before, itemised.found);
  if (differences.length === 0) return taken(before, []);
  // Nobody else could accept anything, so whoever is alone is not asked.
  if (await isAlone(store)) {
    const words = wordsOf(differences);
    const accepted = await accept(store, before, { how: 'found', to: found, only: partNames, words });
    return accepted === null ? taken(await inForceNow(store), []) : { kind: accepted };
  }
  return tighten({ store, policy }, before, itemised, differences);
}

const taken = (
  inForce: InForce,
  left: readonly Difference[],
  problems: readonly PolicyProblem[] = [],
): Taken => ({ kind: 'taken', inForce, left, problems });

/** The last directory that was accepted as a whole: those who were only taken away by what tightens are still in it. */
export async function wholeDirectory(store: Store): Promise<Directory> {
  const whole = await store.acceptedWhole('directory');
  // Only a Directory is accepted as one.
  return (whole?.body ?? emptyDirectory) as unknown as Directory;
}

async function isAlone(store: Store): Promise<boolean> {
  const whole = await wholeDirectory(store);
  return quorumFor({ directory: whole, whole, author: null, nowMs: 0 }).kind === 'alone';
}

async function tighten(
  { store, policy }: { readonly store: Store; readonly policy: PolicyEngine },
  before: InForce,
  itemised: { readonly before: Itemised; readonly found: Itemised },
  differences: readonly Difference[],
): Promise<Taken> {
  const { found } = itemised;
  const { policies: decision, directory, servers } = tightened(itemised.before, found);
  const keeps = keepsPolicies(decision);
  const texts: PolicyTexts | null =
    keeps || before.configuration.policies === null || found.policies === null
      ? before.configuration.policies
      : policy.tightened(before.configuration.policies, found.policies, decision);
  const wanted: Configuration = { directory, servers, policies: texts };
  const proven = keeps ? { ok: true, problems: [] } : await proves(store, policy, wanted, before.versions);
  const to: Configuration = proven.ok ? wanted : { ...wanted, policies: before.configuration.policies };
  const words = wordsOf(differences.filter((one) => one.tightens && (proven.ok || one.what !== 'policy')));
  const accepted = await accept(store, before, { how: 'tightened', to, only: partNames, words });
  if (accepted !== null) return { kind: accepted };
  const now = await inForceNow(store);
  // What tightens and could not be proven is not in force, and no smaller a change than the rest: people look at it too.
  const rest = differenceOf(itemisedOf(policy, now.configuration), found).map((one) =>
    proven.ok || one.what !== 'policy' ? one : { ...one, tightens: false },
  );
  const left = proven.ok && waitingOf(rest).length === 0 ? [] : rest;
  return taken(now, left, proven.ok ? [] : proven.problems);
}

async function proves(
  store: Store,
  policy: PolicyEngine,
  wanted: Configuration,
  versions: Versions,
): Promise<{ readonly ok: boolean; readonly problems: readonly PolicyProblem[] }> {
  if (wanted.policies === null) return { ok: false, problems: [] };
  return policy.check(wanted.policies, worldOf(wanted, { tools: await store.tools(), versions }));
}

const wordsOf = (differences: readonly Difference[]): readonly string[] => {
  const words = differences.map((one) => one.says);
  const more = words.length - wordsMax;
  return more > 0 ? [...words.slice(0, wordsMax), `and ${more} more`] : words;
};

/** Accepts those parts of a configuration that differ from what is in force. Null: done, or nothing to do. */
async function accept(
  store: Store,
  before: InForce,
  of: {
    readonly how: Exclude<How, 'reviewed'>;
    readonly to: Configuration;
    readonly only: readonly Part[];
    readonly words?: readonly string[];
    readonly madeBy?: AcceptCommand['madeBy'];
  },
): Promise<'faulted' | 'stale' | null> {
  const bodies = differing(before, of.to, of.only, of.how);
  if (bodies.length === 0) return null;
  const written = await store.change({
    kind: 'accept',
    how: of.how,
    parts: bodies,
    by: { kind: 'operator' },
    ...(of.words === undefined ? {} : { words: of.words }),
    ...(of.madeBy === undefined ? {} : { madeBy: of.madeBy }),
    expected: before.versions,
  });
  if (written.ok) return null;
  return written.error.kind === 'stale' ? 'stale' : 'faulted';
}

/** The parts that are others than before; what was only tightened is written anew once it is accepted whole. */
export function differing(
  before: InForce,
  to: Configuration,
  only: readonly Part[],
  how: How,
): AcceptCommand['parts'] {
  return only.flatMap((what) => {
    const body = asJson(to[what]);
    const digest = configDigest(body);
    const was = before.parts[what];
    const same = was?.digest === digest && (how === 'tightened' || was.how !== 'tightened');
    return same || body === null ? [] : [{ what, body, digest }];
  });
}

/** What accepting at the machine comes to. */
export type AtMachine =
  | { readonly kind: 'accepted'; readonly differences: readonly Difference[] }
  | { readonly kind: 'unproven'; readonly problems: readonly PolicyProblem[] }
  | { readonly kind: 'failed'; readonly detail: string };

/** How often it is tried where a running gate changes the same store. */
const machineTries = 5;

/**
 * Accepts everything that was found without asking anybody: for whoever has the machine (`config accept`). It is recorded, and
 * pages show it for 30 days. `madeBy`: whoever says that the change is theirs; they cannot approve by it for 7 days.
 */
export async function acceptAtMachine(
  { store, policy }: { readonly store: Store; readonly policy: PolicyEngine },
  found: Configuration,
  madeBy: PersonId | null,
): Promise<AtMachine> {
  // What other gates' files say is older from here on.
  if (store.shared && !(await store.propose(configDigest(asJson(found)))))
    return { kind: 'failed', detail: store.health().detail ?? 'The store cannot be written.' };
  for (let tries = 0; tries < machineTries; tries += 1) {
    const before = await inForceNow(store);
    const proven = await proves(store, policy, found, before.versions);
    if (!proven.ok) return { kind: 'unproven', problems: proven.problems };
    const differences = differenceOf(itemisedOf(policy, before.configuration), itemisedOf(policy, found));
    const touched = changesOf(differences, madeBy, null, 0).map(({ what, id }) => ({ what, id }));
    const done = await accept(store, before, {
      how: 'machine',
      to: found,
      only: partNames,
      words: wordsOf(differences),
      ...(madeBy === null ? {} : { madeBy: { person: madeBy, touched } }),
    });
    if (done === null) return { kind: 'accepted', differences };
    if (done === 'faulted') break;
  }
  return { kind: 'failed', detail: store.health().detail ?? 'The store kept changing meanwhile; try again.' };
}
