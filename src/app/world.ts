/**
 * The world as accepted: keeps catalog, directory and the live policy set in step with the store. Files are proposals: what of
 * them only tightens is in force in one commit, the rest once people accepted it (app/world-change.ts). What cannot be used
 * denies everything until it is mended.
 */
import type { Case } from '../core/case.ts';
import type { Configuration, Origin } from '../core/config-change.ts';
import type { Directory } from '../core/directory.ts';
import type { Digest } from '../core/ids.ts';
import { refuse, type Refusal } from '../core/refusal.ts';
import { err, ok, type Result } from '../core/result.ts';
import { configDigest } from '../core/steps/config.ts';
import { sameVersions } from '../core/verdict.ts';
import type { Catalog } from '../ports/catalog.ts';
import type { PolicyProblem, PolicyTexts } from '../ports/policy.ts';
import type { Proposal } from '../ports/settings.ts';
import { configurationOf } from './accepted.ts';
import { asJson, inForceNow, takeAtOnce, worldOf, type InForce } from './acceptance.ts';
import type { ChangeParts } from './change-config.ts';
import { observedOf } from './observed.ts';
import { mayPropose, serveAccepted, type Why } from './proposing.ts';
import type { WorldNow } from './parts.ts';
import { approved, askOnce, type Standing } from './world-change.ts';
import {
  inForceOf,
  nothingNow,
  nothingRead,
  putInForce,
  reasonOf,
  signInOf,
  unrecorded,
  type Found,
  type Held,
  type Proposed,
} from './world-held.ts';

export interface World extends WorldNow {
  /**
   * Takes what files say; resolves when what may be is in force, or when everything is denied because of them. They are read
   * once it is known what is accepted, and read again where that moved meanwhile: else what was accepted a moment ago would be
   * compared with older files, and taken back as if somebody wanted it tighter. @param why default: they have changed.
   */
  take(read: () => Promise<Found>, why?: Why): Promise<readonly PolicyProblem[]>;
  /** The same of files that do not change. */
  propose(proposal: Proposal, policies: Proposed): Promise<readonly PolicyProblem[]>;
  readonly catalog: Catalog;
  /** Whether something was accepted that files were not compared with yet: by another process, or a moment ago. */
  isBehind(): Promise<boolean>;
}

export function createWorld(parts: ChangeParts): World {
  const held = nothingRead(parts);
  let turn: Promise<unknown> = Promise.resolve();
  /** One change of the world at a time. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work, work);
    turn = mine.catch(() => undefined);
    return mine;
  };
  const take = (read: () => Promise<Found>, why: Why = 'changed'): Promise<readonly PolicyProblem[]> =>
    inTurn(() => {
      held.read = read;
      return takeUp(held, { why });
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

interface How {
  readonly why: Why;
  readonly standing?: Standing;
}

/** How often files are read anew where the world moves meanwhile. */
const takeTries = 5;

/** Takes what files say: accepts what may be at once, puts what is accepted in force, and asks about the rest. */
async function takeUp(held: Held, how: How): Promise<readonly PolicyProblem[]> {
  for (let tries = 0; tries < takeTries; tries += 1) {
    // Once they are written down as the newest, they are only as long as no others are.
    const problems = await takeOnce(held, tries === 0 ? how : { ...how, why: 'look' });
    if (problems !== 'moved') return problems;
  }
  return unrecorded(held, 'The configuration kept changing while it was taken.');
}

async function takeOnce(held: Held, how: How): Promise<readonly PolicyProblem[] | 'moved'> {
  const { store } = held;
  const before = await inForceNow(store);
  const read = await held.read();
  const { proposal, policies } = read;
  if (isEmptied(before.configuration, proposal)) {
    held.inForce = before;
    held.unusable = { reason: emptied, problems: [] };
    held.now = nothingNow;
    return putInForce(held);
  }
  const said = configurationOf(store.joinKey(), proposal, textsOf(policies));
  const usable = policies.kind === 'texts';
  const may = await mayPropose(held, { whole: said, inForce: before, usable }, how.why);
  if (may.kind === 'faulted') return unrecorded(held, 'The store cannot be written.');
  if (may.kind === 'older')
    return serveAccepted(held, {
      inForce: before,
      found: read,
      digest: configDigest(asJson(said)),
      sinceMs: may.sinceMs,
    });
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

const emptied =
  'The configuration names nobody and nothing any more. It is taken for one that is being written; to take people out, deactivate them (active: false).';

/** Nobody takes everything out on purpose; an editor empties a file before it writes it, and what is in force must not end by that. */
function isEmptied({ directory, servers }: Configuration, found: Proposal): boolean {
  const count = (people: Directory, of: { readonly servers: object; readonly operations: object }): number =>
    [people.people, people.agents, of.servers, of.operations].flat().length;
  return count(directory, servers) > 0 && count(found.directory, found) === 0;
}

/** What is not taken over is no reason to deny anything. */
const asWarning = (one: PolicyProblem): PolicyProblem => ({ ...one, severity: 'warning' });

const textsOf = (policies: Proposed): PolicyTexts =>
  policies.kind === 'unusable' ? { policies: [], schemas: [], entities: null } : policies.texts;

interface Proven {
  readonly texts: PolicyTexts;
  /** Why they cannot be used; null where they can. */
  readonly reason: string | null;
  readonly problems: readonly PolicyProblem[];
}

async function provenOf(held: Held, policies: Proposed, before: InForce): Promise<Proven> {
  const { store, policy, found } = held;
  const texts = textsOf(policies);
  if (policies.kind === 'unusable') return { texts, reason: policies.reason, problems: [] };
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

/** Somebody stands for what the files say: `candidate` must be that. */
async function stand(held: Held, origin: Origin, candidate: Digest): Promise<Result<Case, Refusal>> {
  const another = (): Result<never, Refusal> =>
    err(
      refuse('digest_mismatch', 'The gate reads another configuration than that; look at it again.', {
        expected: held.now.candidate,
        got: candidate,
      }),
    );
  await takeUp(held, { why: 'look' });
  if (held.now.candidate !== candidate) return another();
  if (held.older !== null)
    return err(refuse('digest_mismatch', 'The files of this gate are older than what was proposed last.'));
  if (held.now.left.length === 0)
    return err(refuse('not_found', 'Nothing waits: what the files say is in force.'));
  held.declined = null;
  await takeUp(held, { why: 'look', standing: { origin, candidate } });
  // They were read again: their name is on nothing but what they were shown.
  if (held.now.candidate !== candidate) return another();
  if (held.declined !== null) return err(held.declined);
  if (held.now.stuck !== null) return err(refuse('nobody_left', held.now.stuck));
  const newest = await held.store.newestChange();
  return newest === undefined || held.now.unasked
    ? err(refuse('audit_unavailable', 'The log cannot be written, so nobody could be asked; try again.'))
    : ok(newest);
}
