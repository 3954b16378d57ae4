/**
 * Keeps checkpoints cosigned: one loop for each witness, so that one that hangs delays none of the others, and nothing of the
 * gate waits for any. Promises: only the newest checkpoint that may be given out is sent, with the proof that it follows from what the
 * witness saw last; a cosignature is stored only after it was verified; a witness that has seen another history is an alarm at
 * once, for it is the one sign of a fork that the gate itself can see.
 */
import type { Clock } from '../ports/clock.ts';
import type { WitnessSettings } from '../ports/log-settings.ts';
import type { StoredCheckpoint } from '../ports/log-store.ts';
import type { Store } from '../ports/store.ts';
import type { WitnessStanding } from '../ports/transparency.ts';
import { watchLateness, type Lateness } from './lateness.ts';
import { consistencyProof } from './merkle.ts';
import { nodesOf, TileMissing } from './tiles.ts';
import { askWitness } from './witness.ts';

/** How often a witness is asked, while there is something new. */
const everyMs = 1000;
/** The longest pause after failures, each twice as long as the one before. */
const pauseMsMax = 60_000;
/** How often one submission may be told to begin elsewhere: another replica may submit at the same time. */
const againMax = 3;

export interface Cosigning {
  standing(): readonly WitnessStanding[];
  stop(): Promise<void>;
}

export interface CosigningParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly witnesses: readonly WitnessSettings[];
  readonly lateMs: number;
  /** Whether this process publishes the tree: only then it submits. */
  readonly holds: () => boolean;
  /** The newest checkpoint that may be given out; null: none. */
  readonly given: () => { readonly origin: string; readonly size: number } | null;
}

export function keepCosigned(parts: CosigningParts): Cosigning {
  const loops = parts.witnesses.map((witness) => loopOf(parts, witness));
  return {
    standing: () => loops.map((one) => one.standing()),
    async stop() {
      await Promise.all(loops.map((one) => one.stop()));
    },
  };
}

interface Loop {
  standing(): WitnessStanding;
  stop(): Promise<void>;
}

/** What is known of one witness. */
interface Known {
  /** The newest of our checkpoints that it has cosigned. */
  cosigned: WitnessStanding['cosigned'];
  /** Whether the store was asked what it cosigned before this process. */
  read: boolean;
  failures: number;
  readonly lateness: Lateness;
}

function loopOf(parts: CosigningParts, witness: WitnessSettings): Loop {
  const name = witness.key.split('+')[0] ?? '';
  const lateness = watchLateness(parts.store, { what: 'witness', name }, parts.lateMs);
  const known: Known = { cosigned: null, read: false, failures: 0, lateness };
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let running: Promise<void> = Promise.resolve();
  const arm = (ms: number): void => {
    if (!stopped) timer = setTimeout(() => void (running = round()), ms).unref();
  };
  const round = async (): Promise<void> => {
    // A read of the store that failed shows on the status page by itself; here it is one more reason to try again.
    await cosignNewest(parts, witness, known).catch(() => void (known.failures += 1));
    arm(Math.min(pauseMsMax, everyMs * 2 ** Math.min(known.failures, 10)));
  };
  arm(0);
  return {
    standing: () => ({ name, cosigned: known.cosigned, late: lateness.now() }),
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}

async function cosignNewest(parts: CosigningParts, witness: WitnessSettings, known: Known): Promise<void> {
  const { store, clock, holds } = parts;
  const given = parts.given();
  const newest = given === null ? undefined : await store.checkpoint(given.origin, given.size);
  if (newest === undefined) return;
  if (!known.read) {
    known.cosigned = await cosignedBefore(store, witness, newest);
    known.read = true;
  }
  const mine = newest.cosignatures.find((one) => one.key === witness.key);
  if (mine !== undefined) {
    known.cosigned = { size: newest.size, atMs: mine.atMs };
    known.failures = 0;
    return known.lateness.caughtUp();
  }
  if (!holds()) return;
  const result = await submit(store, witness, newest, known.cosigned?.size ?? 0);
  if (result.ok) {
    await store.addCosignature(newest.origin, newest.size, { key: witness.key, ...result.cosigned });
    known.cosigned = { size: newest.size, atMs: result.cosigned.atMs };
    known.failures = 0;
    return known.lateness.caughtUp();
  }
  known.failures += 1;
  // What a witness knows of another history does not become true by waiting.
  await known.lateness.behind(clock.nowMs(), result.detail, result.fork);
}

type Submitted =
  | { readonly ok: true; readonly cosigned: { readonly line: string; readonly atMs: number } }
  | { readonly ok: false; readonly detail: string; readonly fork: boolean };

async function submit(
  store: Store,
  witness: WitnessSettings,
  { note, size }: StoredCheckpoint,
  from: number,
): Promise<Submitted> {
  let old = Math.min(from, size);
  for (let again = 0; ; again += 1) {
    const proof = await proofOf(store, old, size);
    if (proof === undefined) return { ok: false, detail: 'the tree in the store is damaged', fork: false };
    const answer = await askWitness(witness, { old, proof, note, size });
    if (answer.ok) return { ok: true, cosigned: answer.value };
    const { at, detail, fork } = answer.error;
    if (at === undefined || again >= againMax) return { ok: false, detail, fork };
    old = at;
  }
}

/** Undefined where the tiles do not hold it. */
async function proofOf(store: Store, from: number, to: number): Promise<readonly Uint8Array[] | undefined> {
  if (from === 0 || from === to) return [];
  try {
    return await consistencyProof(
      from,
      to,
      nodesOf((level, n) => store.tile(level, n)),
    );
  } catch (error) {
    if (error instanceof TileMissing) return undefined;
    throw error;
  }
}

/** Checkpoints that are looked through for what a witness cosigned before this process began. */
const lookedMax = 1000;

async function cosignedBefore(
  store: Store,
  witness: WitnessSettings,
  newest: StoredCheckpoint,
): Promise<WitnessStanding['cosigned']> {
  for (const { origin, size, cosignatures } of await store.checkpoints(lookedMax)) {
    const mine = cosignatures.find((one) => one.key === witness.key);
    if (mine !== undefined && origin === newest.origin) return { size, atMs: mine.atMs };
  }
  return null;
}
