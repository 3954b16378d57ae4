/**
 * The world as one gate holds it, and how what is accepted becomes what is judged by: catalog, observed operations, ways to sign
 * in, the live policy set. What cannot be used, or cannot be recorded, denies everything.
 */
import { emptyDirectory } from '../core/directory.ts';
import { aboutNothing } from '../core/entry.ts';
import type { Digest } from '../core/ids.ts';
import type { JsonObject } from '../core/json.ts';
import type { Refusal } from '../core/refusal.ts';
import type { Catalog } from '../ports/catalog.ts';
import type { PolicyProblem, PolicyTexts, PolicyWorld } from '../ports/policy.ts';
import type { Proposal } from '../ports/settings.ts';
import { effectiveOf, nothingEffective, type Effective } from './accepted.ts';
import { worldOf, type InForce } from './acceptance.ts';
import { createCatalog } from './catalog.ts';
import type { ChangeParts } from './change-config.ts';
import { nothingObserved, observedOf, sameObserved, stricter, type Observed } from './observed.ts';
import type { ConfigNow } from './parts.ts';
import { claimsKept, signInNow, type SignInNow } from './sign-in.ts';

/** What the files say: a policy set, or why there is none. */
export type Proposed =
  | { readonly kind: 'texts'; readonly texts: PolicyTexts }
  | { readonly kind: 'unusable'; readonly reason: string };

/** What files say at one moment. */
export interface Found {
  readonly proposal: Proposal;
  readonly policies: Proposed;
}

export interface Held extends ChangeParts {
  read: () => Promise<Found>;
  found: Proposal;
  /** Why nothing may pass, whatever is accepted: files that cannot be used, or a store that cannot be written. */
  unusable: Unusable | null;
  inForce: InForce | null;
  effective: Effective;
  catalog: Catalog;
  /** What is believed of ways to sign in, and what it was made of. */
  signIn: { readonly of: readonly unknown[]; readonly now: SignInNow };
  /** What claims of providers were dropped by last; null: not yet. */
  claims: string | null;
  /** False while what was found could not be recorded: whoever was removed must not go on by the old directory. */
  recorded: boolean;
  /** What the log says is observed. Nothing else is: a gate starts with nothing. */
  observed: Observed;
  /** The reason that the log tells of already, so that a broken folder is one entry and not one a second. */
  told: string;
  /** Something was accepted by others than files were compared with. */
  uncompared: boolean;
  /** Why somebody may not stand for what the files say. */
  declined: Refusal | null;
  /** The same of what nobody can accept. */
  toldStuck: string;
  now: ConfigNow;
  /** What the files said when newer ones were found to have been proposed; null: none were. */
  older: { readonly digest: Digest; readonly sinceMs: number } | null;
  /** What the files said last: what was refused is asked again only after they changed. */
  seen: Digest | null;
}

interface Unusable {
  readonly reason: string;
  readonly problems: readonly PolicyProblem[];
}

export const nothingNow: ConfigNow = { candidate: null, left: [], stuck: null, unasked: false };
const noProposal = { servers: [], operations: [] } as const;

/** A world in which nothing has been read yet. */
export function nothingRead(parts: ChangeParts): Held {
  const nobody: Found = {
    proposal: { directory: emptyDirectory, ...noProposal },
    policies: { kind: 'unusable', reason: 'No policies have been read yet.' },
  };
  return {
    ...parts,
    read: () => Promise.resolve(nobody),
    found: nobody.proposal,
    unusable: { reason: 'No policies have been read yet.', problems: [] },
    inForce: null,
    effective: nothingEffective,
    catalog: createCatalog(parts.store.joinKey(), nothingEffective, []),
    signIn: { of: [], now: signInNow(noProposal, undefined) },
    claims: null,
    recorded: true,
    observed: nothingObserved,
    told: '',
    uncompared: false,
    declined: null,
    toldStuck: '',
    now: nothingNow,
    older: null,
    seen: null,
  };
}

/**
 * What is accepted of servers and operations, as far as it may be in force: nothing is observed before the log says so, nor while
 * the people of today are not recorded, because what is observed passes without them.
 */
export const inForceOf = ({ effective, recorded, observed }: Held): Effective =>
  stricter(effective, recorded ? observed : nothingObserved);

/** By what was read last, even before it is recorded: what is gone from the files is not believed for a moment longer. */
export function signInOf(held: Held): SignInNow {
  const of = [held.inForce?.configuration.servers ?? noProposal, held.found.signIn] as const;
  if (of.some((one, at) => one !== held.signIn.of[at]) || held.signIn.of.length === 0)
    held.signIn = { of, now: signInNow(...of) };
  return held.signIn.now;
}

/** Takes away what providers claimed that they may not claim now. Where that fails, it is tried again with the next change. */
async function dropClaims(held: Held, { configuration }: InForce): Promise<void> {
  if (held.found.signIn === undefined) return;
  const keep = claimsKept(configuration.servers, held.found.signIn);
  const claims = JSON.stringify(keep);
  if (claims === held.claims) return;
  const dropped = await held.store.change({ kind: 'dropClaims', keep });
  if (dropped.ok) held.claims = claims;
}

/** What cannot be recorded cannot be in force. */
export async function unrecorded(held: Held, reason: string): Promise<readonly PolicyProblem[]> {
  held.recorded = false;
  await held.policy.load(null, await worldNow(held), 'The configuration could not be recorded.');
  return [problem(reason)];
}

/** Makes what is accepted what is judged by; everything is denied where the files cannot be used. */
export async function putInForce(held: Held): Promise<readonly PolicyProblem[]> {
  const { store, policy, inForce, unusable } = held;
  if (inForce === null) return [];
  await dropClaims(held, inForce);
  held.effective = effectiveOf(store.joinKey(), inForce.configuration.servers, held.found);
  await recordObserved(held);
  if (unusable !== null) return denyAll(held, unusable);
  const { policies } = inForce.configuration;
  const loaded = await policy.load(policies, await worldNow(held), 'No policies were accepted yet.');
  if (!loaded.ok) return denyAll(held, { reason: reasonOf(loaded.error), problems: loaded.error });
  held.told = '';
  return [];
}

/** Writes down what is to be observed from now on. Where that fails, the stricter of before and now holds. */
async function recordObserved(held: Held): Promise<void> {
  const { store, observed: before } = held;
  const next = observedOf(held.effective);
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

/**
 * The world that policies are loaded with, and the catalog of it. Its versions are those that were read before what was accepted:
 * what moved since is noticed as stale, and nothing old passes for new.
 */
async function worldNow(held: Held): Promise<PolicyWorld> {
  const { store, inForce } = held;
  const versions = inForce?.versions ?? (await store.versions());
  const [directory, tools] = await Promise.all([store.directory(), store.tools()]);
  held.catalog = createCatalog(store.joinKey(), inForceOf(held), tools);
  const configuration = inForce?.configuration ?? { policies: null, directory, servers: noProposal };
  return { ...worldOf(configuration, { tools, versions }), directory };
}

async function denyAll(held: Held, { reason, problems }: Unusable): Promise<readonly PolicyProblem[]> {
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

export const reasonOf = (problems: readonly PolicyProblem[]): string => {
  const first = problems.find((one) => one.severity === 'error');
  return first === undefined
    ? 'The policy set is not usable.'
    : `${first.file}:${first.line}: ${first.message}`;
};
