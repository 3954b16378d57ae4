/**
 * The world as accepted: keeps catalog, directory and the live policy set in step with the store. Files are proposals; a
 * valid one replaces what is in force in one commit, an invalid one denies everything until it is mended.
 */
import { canonicalize } from '../core/canonical.ts';
import { emptyDirectory } from '../core/directory.ts';
import { asDigest, type Digest } from '../core/ids.ts';
import type { JsonObject, JsonValue } from '../core/json.ts';
import { aboutNothing } from '../core/entry.ts';
import { sha256Hex } from '../core/sha256.ts';
import type { Catalog } from '../ports/catalog.ts';
import type { PolicyEngine, PolicyProblem, PolicyTexts, PolicyWorld } from '../ports/policy.ts';
import type { Proposal } from '../ports/settings.ts';
import type { Store } from '../ports/store.ts';
import { createCatalog } from './catalog.ts';
import { policyWorldOf } from './policy-world.ts';
import { nothingObserved, observedOf, sameObserved, stricter, type Observed } from './observed.ts';
import { sameVersions } from '../core/verdict.ts';
import type { WorldNow } from './parts.ts';

/** What the files say: a policy set, or why there is none. */
export type Proposed =
  | { readonly kind: 'texts'; readonly texts: PolicyTexts }
  | { readonly kind: 'unusable'; readonly reason: string };

export interface World extends WorldNow {
  /** Takes what the files say now; resolves when it is in force, or when everything is denied because of it. */
  propose(proposal: Proposal, policies: Proposed): Promise<readonly PolicyProblem[]>;
  readonly catalog: Catalog;
}

const digestOf = (value: JsonValue): Digest => asDigest(`sha256:${sha256Hex(canonicalize(value))}`);
// Directories and texts are JSON by construction.
const json = (value: unknown): JsonValue => value as JsonValue;

interface Held {
  readonly store: Store;
  readonly policy: PolicyEngine;
  proposal: Proposal;
  policies: Proposed;
  catalog: Catalog;
  /** False while the directory of the files could not be recorded: whoever was removed must not go on by the old one. */
  recorded: boolean;
  /** What the log says is observed. Nothing else is: a gate starts with nothing. */
  observed: Observed;
  /** The reason that the log tells of already, so that a broken folder is one entry and not one a second. */
  told: string;
}

export function createWorld(store: Store, policy: PolicyEngine): World {
  const none: Proposal = { directory: emptyDirectory, servers: [], operations: [], groups: [] };
  const held: Held = {
    store,
    policy,
    proposal: none,
    policies: { kind: 'unusable', reason: 'No policies have been read yet.' },
    catalog: createCatalog(store.joinKey(), none, []),
    recorded: true,
    observed: nothingObserved,
    told: '',
  };
  let turn: Promise<unknown> = Promise.resolve();
  /** One change of the world at a time. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work, work);
    turn = mine.catch(() => undefined);
    return mine;
  };
  return {
    get catalog() {
      return held.catalog;
    },
    observed: () => observedOf(inForce(held)).names,
    propose: (proposal, policies) =>
      inTurn(async () => {
        held.proposal = proposal;
        held.policies = policies;
        held.recorded = await acceptDirectory(held);
        await recordObserved(held);
        return enforce(held);
      }),
    sync: () =>
      inTurn(async () => {
        if (!sameVersions(await store.versions(), policy.versions())) await enforce(held);
      }),
  };
}

/**
 * What files want, as far as it may be in force: nothing is observed before the log says so, nor while the people of today
 * are not recorded, because what is observed passes without them.
 */
const inForce = ({ proposal, recorded, observed }: Held): Proposal =>
  stricter(proposal, recorded ? observed : nothingObserved);

/** Writes down what is to be observed from now on. Where that fails, the stricter of before and now holds. */
async function recordObserved(held: Held): Promise<void> {
  const { store, observed: before } = held;
  const next = observedOf(held.proposal);
  if (sameObserved(next, before)) return;
  const data: JsonObject = {
    observed: next.names,
    before: before.names,
    ...(next.except.length > 0 || before.except.length > 0
      ? { except: next.except, exceptBefore: before.except }
      : {}),
  };
  const written = await store.change({
    kind: 'record',
    entries: [
      { type: 'observe.changed', by: { kind: 'operator' }, about: aboutNothing, subject: null, data },
    ],
  });
  if (written.ok) held.observed = next;
}

/** Reads what is accepted now, and makes the catalog of it. */
async function worldNow(held: Held): Promise<PolicyWorld> {
  const { store, proposal } = held;
  const [versions, directory, tools] = await Promise.all([
    store.versions(),
    store.directory(),
    store.tools(),
  ]);
  held.catalog = createCatalog(store.joinKey(), inForce(held), tools);
  return policyWorldOf(proposal, { directory, versions, tools });
}

async function acceptDirectory(held: Held): Promise<boolean> {
  const body = json(held.proposal.directory);
  const digest = digestOf(body);
  if ((await held.store.accepted('directory'))?.digest === digest) return true;
  return (
    await held.store.change({ kind: 'accept', what: 'directory', body, digest, by: { kind: 'operator' } })
  ).ok;
}

/** Puts what the files say in force: the texts once they are proven and recorded, or a denial of everything. */
async function enforce(held: Held): Promise<readonly PolicyProblem[]> {
  const { policies, policy } = held;
  if (policies.kind === 'unusable') return denyAll(held, policies.reason, []);
  const checked = await policy.check(policies.texts, await worldNow(held));
  const known = (await held.store.accepted('policies'))?.digest === digestOf(json(policies.texts));
  // A set that is in force already was proven with the tools of its time. A tool that came since and does not fit it must
  // not stop all others: the engine denies that one operation.
  if (!checked.ok && !known) return denyAll(held, reasonOf(checked.problems), checked.problems);
  if (!held.recorded || (!known && !(await acceptPolicies(held, policies.texts)))) {
    // What cannot be recorded cannot be in force.
    await policy.load(null, await worldNow(held), 'The configuration could not be recorded.');
    return [problem('The store cannot be written.')];
  }
  const loaded = await policy.load(policies.texts, await worldNow(held), null);
  if (!loaded.ok) return denyAll(held, reasonOf(loaded.error), loaded.error);
  held.told = '';
  return checked.problems;
}

async function acceptPolicies(held: Held, texts: PolicyTexts): Promise<boolean> {
  const body = json(texts);
  const by = { kind: 'operator' } as const;
  return (await held.store.change({ kind: 'accept', what: 'policies', body, digest: digestOf(body), by })).ok;
}

async function denyAll(
  held: Held,
  reason: string,
  problems: readonly PolicyProblem[],
): Promise<readonly PolicyProblem[]> {
  await held.policy.load(null, await worldNow(held), reason);
  if (held.told !== reason) {
    held.told = reason;
    const data: JsonObject = {
      reason,
      problems: problems.map((one) => `${one.file}:${one.line} ${one.message}`),
    };
    await held.store.change({
      kind: 'record',
      entries: [{ type: 'policies.refused', by: { kind: 'gate' }, about: aboutNothing, subject: null, data }],
    });
  }
  return problems.length > 0 ? problems : [problem(reason)];
}

const problem = (message: string): PolicyProblem => ({ file: '', line: 0, message, severity: 'error' });

const reasonOf = (problems: readonly PolicyProblem[]): string => {
  const first = problems.find((one) => one.severity === 'error');
  return first === undefined
    ? 'The policy set is not usable.'
    : `${first.file}:${first.line}: ${first.message}`;
};
