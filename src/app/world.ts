/**
 * The world as accepted: keeps catalog, directory and the live policy set in step with the store. Files are proposals: what of
 * them only tightens is in force in one commit, the rest once people accepted it (app/change-config.ts). What cannot be used
 * denies everything until it is mended.
 */
import { stateOf, type Case } from '../core/case.ts';
import type { Configuration, Difference, Origin } from '../core/config-change.ts';
import { emptyDirectory } from '../core/directory.ts';
import { aboutNothing } from '../core/entry.ts';
import type { Digest } from '../core/ids.ts';
import type { JsonObject } from '../core/json.ts';
import { refuse, type Refusal } from '../core/refusal.ts';
import { err, ok, type Result } from '../core/result.ts';
import { configDigest } from '../core/steps/config.ts';
import type { Catalog } from '../ports/catalog.ts';
import type { PolicyProblem, PolicyTexts, PolicyWorld } from '../ports/policy.ts';
import type { Proposal } from '../ports/settings.ts';
import { configurationOf, effectiveOf, nothingEffective, type Effective } from './accepted.ts';
import { asJson, inForceNow, takeAtOnce, worldOf, type InForce } from './acceptance.ts';
import { createCatalog } from './catalog.ts';
import { applyChange, askChange, type ChangeParts } from './change-config.ts';
import { nothingObserved, observedOf, sameObserved, stricter, type Observed } from './observed.ts';
import { claimsKept, signInNow, type SignInNow } from './sign-in.ts';
import { sameVersions } from '../core/verdict.ts';
import type { ConfigNow, WorldNow } from './parts.ts';

/** What the files say: a policy set, or why there is none. */
export type Proposed =
  | { readonly kind: 'texts'; readonly texts: PolicyTexts }
  | { readonly kind: 'unusable'; readonly reason: string };

/** What files say at one moment. */
export interface Found {
  readonly proposal: Proposal;
  readonly policies: Proposed;
}

export interface World extends WorldNow {
  /**
   * Takes what files say; resolves when what may be is in force, or when everything is denied because of them. They are read
   * once it is known what is accepted, and read again where that moved meanwhile: else what was accepted a moment ago would be
   * compared with older files, and taken back as if somebody wanted it tighter.
   */
  take(read: () => Promise<Found>): Promise<readonly PolicyProblem[]>;
  /** The same of files that do not change. */
  propose(proposal: Proposal, policies: Proposed): Promise<readonly PolicyProblem[]>;
  readonly catalog: Catalog;
  /** Whether something was accepted that files were not compared with yet: by another process, or a moment ago. */
  isBehind(): Promise<boolean>;
}

interface Held extends ChangeParts {
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
  /** What the files said last: what was refused is asked again only after they changed. */
  seen: Digest | null;
}

interface Unusable {
  readonly reason: string;
  readonly problems: readonly PolicyProblem[];
}

const nothingNow: ConfigNow = { candidate: null, left: [], stuck: null, unasked: false };
const noProposal = { servers: [], operations: [] } as const;

export function createWorld(parts: ChangeParts): World {
  const nobody: Found = {
    proposal: { directory: emptyDirectory, ...noProposal, groups: [] },
    policies: { kind: 'unusable', reason: 'No policies have been read yet.' },
  };
  const held: Held = {
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
    seen: null,
  };
  let turn: Promise<unknown> = Promise.resolve();
  /** One change of the world at a time. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work, work);
    turn = mine.catch(() => undefined);
    return mine;
  };
  const take = (read: () => Promise<Found>): Promise<readonly PolicyProblem[]> =>
    inTurn(() => {
      held.read = read;
      return takeUp(held, {});
    });
  return {
    get catalog() {
      return held.catalog;
    },
    observed: () => observedOf(inForceOf(held)).names,
    inForce: () => inForceOf(held),
    signIn: () => signInOf(held),
    config: () => held.now,
    take,
    propose: (proposal, policies) => take(() => Promise.resolve({ proposal, policies })),
    isBehind: () => isBehind(held),
    sync: () =>
      inTurn(async () => {
        if (sameVersions(await held.store.versions(), held.policy.versions())) return;
        const before = held.inForce?.digest;
        held.inForce = await inForceNow(held.store);
        held.uncompared ||= held.inForce.digest !== before;
        await putInForce(held);
      }),
    stand: (origin, candidate) => inTurn(() => stand(held, origin, candidate)),
    approved: (one) => inTurn(() => approved(held, one)),
  };
}

const isBehind = async ({ store, policy, uncompared }: Held): Promise<boolean> =>
  uncompared || !sameVersions(await store.versions(), policy.versions());

/**
 * What is accepted of servers and operations, as far as it may be in force: nothing is observed before the log says so, nor while
 * the people of today are not recorded, because what is observed passes without them.
 */
const inForceOf = ({ effective, recorded, observed }: Held): Effective =>
  stricter(effective, recorded ? observed : nothingObserved);

/** By what was read last, even before it is recorded: what is gone from the files is not believed for a moment longer. */
function signInOf(held: Held): SignInNow {
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

/** How often files are read anew where the world moves meanwhile. */
const takeTries = 5;

/** Takes what files say: accepts what may be at once, puts what is accepted in force, and asks about the rest. */
async function takeUp(held: Held, how: { readonly origin?: Origin }): Promise<readonly PolicyProblem[]> {
  for (let tries = 0; tries < takeTries; tries += 1) {
    const problems = await takeOnce(held, how);
    if (problems !== 'moved') return problems;
  }
  return unrecorded(held, 'The configuration kept changing while it was taken.');
}

async function takeOnce(
  held: Held,
  how: { readonly origin?: Origin },
): Promise<readonly PolicyProblem[] | 'moved'> {
  const { store } = held;
  const before = await inForceNow(store);
  const { proposal, policies } = await held.read();
  held.found = proposal;
  const proven = await provenOf(held, policies, before);
  const whole = configurationOf(store.joinKey(), proposal, proven.texts);
  // People, agents and servers of a valid file are taken even where its policies cannot be: whoever was removed is out.
  const found = proven.reason === null ? whole : { ...whole, policies: null };
  const taken = await takeAtOnce(held, before, found);
  if (taken.kind === 'stale') return 'moved';
  if (taken.kind === 'faulted') return unrecorded(held, 'The store cannot be written.');
  held.recorded = true;
  held.uncompared = false;
  held.inForce = taken.inForce;
  held.unusable = proven.reason === null ? null : { reason: proven.reason, problems: proven.problems };
  const problems = await putInForce(held);
  if (held.unusable !== null) {
    held.now = nothingNow;
    return problems;
  }
  const asked = await askOnce(held, whole, taken.left, how);
  return asked === 'moved' ? 'moved' : [...proven.problems, ...taken.problems.map(asWarning), ...problems];
}

/** What cannot be recorded cannot be in force. */
async function unrecorded(held: Held, reason: string): Promise<readonly PolicyProblem[]> {
  held.recorded = false;
  await held.policy.load(null, await worldNow(held), 'The configuration could not be recorded.');
  return [problem(reason)];
}

/** Makes what is accepted what is judged by; everything is denied where the files cannot be used. */
async function putInForce(held: Held): Promise<readonly PolicyProblem[]> {
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

/** What is not taken over is no reason to deny anything. */
const asWarning = (one: PolicyProblem): PolicyProblem => ({ ...one, severity: 'warning' });

interface Proven {
  readonly texts: PolicyTexts;
  /** Why they cannot be used; null where they can. */
  readonly reason: string | null;
  readonly problems: readonly PolicyProblem[];
}

async function provenOf(held: Held, policies: Proposed, before: InForce): Promise<Proven> {
  const { store, policy, found } = held;
  if (policies.kind === 'unusable')
    return { texts: { policies: [], schemas: [], entities: null }, reason: policies.reason, problems: [] };
  const { texts } = policies;
  const whole = configurationOf(store.joinKey(), found, texts);
  const tools = await store.tools();
  const { ok: proven, problems } = await policy.check(
    texts,
    worldOf(whole, { tools, versions: before.versions }),
  );
  // A set that is in force already was proven with the tools of its time. A tool that came since and does not fit it must
  // not stop all others: the engine denies that one operation.
  const known = before.parts.policies?.digest === configDigest(asJson(texts));
  return { texts, reason: proven || known ? null : reasonOf(problems), problems };
}

/** Asks about what is left, or withdraws what is moot. `moved`: something else came into force meanwhile. */
async function askOnce(
  held: Held,
  found: Configuration,
  left: readonly Difference[],
  { origin }: { readonly origin?: Origin },
): Promise<'moved' | 'done'> {
  const candidate = configDigest(asJson(found));
  const changed = held.seen !== null && held.seen !== candidate;
  held.now = { candidate, left, stuck: null, unasked: false };
  if (held.inForce === null) return 'moved';
  if (left.length === 0) {
    held.seen = candidate;
    await dropLive(held);
    return 'done';
  }
  const asked = await askChange(held, {
    inForce: held.inForce,
    found,
    left,
    origin: origin ?? { author: null },
    anew: changed || origin !== undefined,
  });
  if (asked.kind === 'stale') return 'moved';
  held.seen = candidate;
  switch (asked.kind) {
    case 'faulted':
      held.now = { ...held.now, unasked: true };
      return 'done';
    case 'refused':
      // What somebody may not stand for leaves what is asked already as it is.
      if (origin === undefined) await stuck(held, asked.refusal);
      else held.declined = asked.refusal;
      return 'done';
    case 'held':
      return settle(held, asked.held);
  }
}

/** What was approved is put in force now: by the review that completed it, or after a crash in between. */
async function settle(held: Held, one: Case): Promise<'moved' | 'done'> {
  if (one.ending?.code === 'nobody_left')
    await stuck(held, refuse('nobody_left', one.asked.verdict.explanation.text));
  if (stateOf(one, held.clock.nowMs()) !== 'ready') return 'done';
  const applied = await applyChange(held, one);
  if (applied.ok) return 'moved';
  held.now = {
    ...held.now,
    stuck: applied.error.detail,
    unasked: applied.error.code === 'audit_unavailable',
  };
  return 'done';
}

/** The last approval has come. What files say by now is compared with it afterwards; what people approved is what counts. */
async function approved(held: Held, one: Case): Promise<Case> {
  if (stateOf(one, held.clock.nowMs()) === 'ready') {
    const applied = await applyChange(held, one);
    if (!applied.ok) held.now = { ...held.now, stuck: applied.error.detail, unasked: true };
    else if (one.asked.action.input['candidate'] === held.now.candidate)
      held.now = { ...held.now, left: [], stuck: null, unasked: false };
    held.inForce = await inForceNow(held.store);
    await putInForce(held);
  }
  return (await held.store.caseBy({ action: one.asked.id })) ?? one;
}

/** Nobody can accept it here: said once in the log, and wherever somebody asks. */
async function stuck(held: Held, refusal: Refusal): Promise<void> {
  await dropLive(held);
  held.now = { ...held.now, stuck: refusal.detail };
  const telling = `${held.now.candidate ?? ''} ${refusal.detail}`;
  if (held.toldStuck === telling) return;
  held.toldStuck = telling;
  const data: JsonObject = {
    code: refusal.code,
    reason: refusal.detail,
    candidate: held.now.candidate,
    changes: held.now.left.slice(0, 100).map((one) => one.says),
  };
  await held.store.change({
    kind: 'record',
    entries: [{ type: 'config.refused', by: { kind: 'gate' }, about: aboutNothing, subject: null, data }],
  });
}

/** Withdraws what was asked about a configuration that the files no longer say. */
async function dropLive({ store, clock }: Held): Promise<void> {
  const newest = await store.newestChange();
  if (newest === undefined) return;
  const state = stateOf(newest, clock.nowMs());
  if (state !== 'pending' && state !== 'ready') return;
  await store.change({
    kind: 'dropChange',
    reason: 'The files no longer say this, or nobody can accept it.',
  });
}

/** Somebody stands for what the files say: `candidate` must be that. */
async function stand(held: Held, origin: Origin, candidate: Digest): Promise<Result<Case, Refusal>> {
  await takeUp(held, {});
  const { now } = held;
  if (now.candidate !== candidate)
    return err(
      refuse('digest_mismatch', 'The gate reads another configuration than that; look at it again.', {
        expected: now.candidate,
        got: candidate,
      }),
    );
  if (now.left.length === 0)
    return err(refuse('not_found', 'Nothing waits: what the files say is in force.'));
  held.declined = null;
  await takeUp(held, { origin });
  if (held.declined !== null) return err(held.declined);
  if (held.now.stuck !== null) return err(refuse('nobody_left', held.now.stuck));
  const newest = await held.store.newestChange();
  return newest === undefined || held.now.unasked
    ? err(refuse('audit_unavailable', 'The log cannot be written, so nobody could be asked; try again.'))
    : ok(newest);
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

const reasonOf = (problems: readonly PolicyProblem[]): string => {
  const first = problems.find((one) => one.severity === 'error');
  return first === undefined
    ? 'The policy set is not usable.'
    : `${first.file}:${first.line}: ${first.message}`;
};
