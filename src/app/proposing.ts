/**
 * Whose files count, where several gates read files of their own. Promises: a gate proposes what its files say when it starts and
 * when they change; what was proposed last is the newest, and a gate whose files are older proposes nothing, however often it is
 * started, until they say something that they did not say before. So no two gates take turns in taking back what the other
 * proposed, and nobody takes back what was accepted by starting an old gate again. A gate that is alone on its store is not held
 * to that: its files are all that there is.
 */
import type { Configuration } from '../core/config-change.ts';
import type { Digest } from '../core/ids.ts';
import { configDigest } from '../core/steps/config.ts';
import { asJson, type InForce } from './acceptance.ts';
import { nothingNow, putInForce, type Found, type Held } from './world-held.ts';
import type { PolicyProblem } from '../ports/policy.ts';

/** Why files are looked at: the gate starts, they have changed, or something was accepted by others. */
export type Why = 'start' | 'changed' | 'look';

export type MayPropose =
  | { readonly kind: 'yes' }
  /** Newer ones were proposed then, in milliseconds since 1970. */
  | { readonly kind: 'older'; readonly sinceMs: number }
  /** Whether could not be found out, or not be written down. */
  | { readonly kind: 'faulted' };

/** Decides it, and writes down what is proposed from here on. @param of.usable whether their policies can be read. */
export async function mayPropose(
  held: Held,
  {
    whole,
    inForce,
    usable,
  }: { readonly whole: Configuration; readonly inForce: InForce; readonly usable: boolean },
  why: Why,
): Promise<MayPropose> {
  const { store } = held;
  if (!store.shared) return { kind: 'yes' };
  // Files that one gate cannot read are no proposal that makes those of the others older, unless they take somebody out.
  if (!usable && isSame(whole, inForce)) return { kind: 'yes' };
  const digest = configDigest(asJson(whole));
  const { known, newest } = await store.proposals(digest);
  const isNews = why === 'changed' && held.older?.digest !== digest;
  const isNewest = newest === undefined || newest.digest === digest;
  const isFirst = why !== 'look' && (known === undefined || (why === 'start' && (await isAlone(held))));
  if (!isNews && !isNewest && !isFirst) return { kind: 'older', sinceMs: newest.atMs };
  if (newest?.digest !== digest && !(await store.propose(digest))) return { kind: 'faulted' };
  held.older = null;
  return { kind: 'yes' };
}

const isSame = (whole: Configuration, { configuration }: InForce): boolean =>
  configDigest(asJson([whole.directory, whole.servers])) ===
  configDigest(asJson([configuration.directory, configuration.servers]));

/** Whoever has died may come back with other files; only who has stopped is forgotten at once. */
const isAlone = async ({ store }: Held): Promise<boolean> => (await store.gates()).length <= 1;

/** What is accepted is in force; of what the files say nothing is proposed. */
export async function serveAccepted(
  held: Held,
  of: { readonly inForce: InForce; readonly found: Found; readonly digest: Digest; readonly sinceMs: number },
): Promise<readonly PolicyProblem[]> {
  const { inForce, found, digest, sinceMs } = of;
  held.found = found.proposal;
  held.older = { digest, sinceMs };
  held.inForce = inForce;
  held.recorded = true;
  held.uncompared = false;
  // Files that cannot be read deny everything, whoever is the newest.
  held.unusable = found.policies.kind === 'unusable' ? { reason: found.policies.reason, problems: [] } : null;
  held.now = { ...nothingNow, candidate: digest, olderSinceMs: sinceMs };
  return putInForce(held);
}
