/** The log as the rest of the gate asks of it (ports/transparency.ts), put together from what publishes, cosigns and stamps it. */
import { isWorthReceipt } from '../core/receipts.ts';
import type { LogSettings } from '../ports/log-settings.ts';
import type { Published, StoredCheckpoint } from '../ports/log-store.ts';
import type { Store } from '../ports/store.ts';
import type { LogStanding, Transparency, WitnessStanding } from '../ports/transparency.ts';
import type { Cosigning } from './cosigning.ts';
import { signEnvelope } from './envelope.ts';
import { isCheckpointKey } from './log-id.ts';
import { keyOfSpki } from './leaf.ts';
import { consistencyProof, type NodeAt } from './merkle.ts';
import { vkeyOf } from './note.ts';
import type { Publisher } from './publish.ts';
import { receiptOf } from './receipt.ts';
import { serveLog } from './serve.ts';
import type { Stamping } from './stamping.ts';
import { nodesOf } from './tiles.ts';
import { trustedRootOf } from './trusted-root.ts';

export interface TransparencyParts {
  readonly store: Store;
  readonly settings: LogSettings;
  readonly publisher: Publisher;
  readonly cosigning: Cosigning;
  /** Null: nothing is stamped. */
  readonly stamping: Stamping | null;
}

export function createTransparency(parts: TransparencyParts): Transparency {
  const { store, settings, publisher } = parts;
  const given = async (): Promise<StoredCheckpoint | undefined> => {
    const of = publisher.given;
    if (of === null) return undefined;
    const stored = await store.checkpoint(of.origin, of.size);
    // Another of that size is of a primary that is gone, or of a store that somebody put back.
    return stored?.note === of.note ? stored : undefined;
  };
  // What is committed and not yet remembered is not given out.
  const published = async (): Promise<Published> => {
    const now = await store.published();
    return { ...now, size: Math.min(now.size, publisher.given?.size ?? 0) };
  };
  const nodes = nodesNow(store, publisher);
  return {
    standing: () => standingOf(parts, given),
    damage: () => publisher.damage,
    keysProblem: () => publisher.keysProblem,
    covered: async () => (await published()).size,
    receipt: (index) =>
      receiptOf({ store: { ...store, published }, nodeAt: nodes(), quorum: settings.quorum }, index),
    async receiptsOf(action) {
      const about = await store.entriesAbout(action);
      return about.filter(({ entry }) => isWorthReceipt(entry)).map(({ entry }) => entry.index);
    },
    trustedRoot: async () => trustedRootOf(await store.logKeys()),
    async verifierKeys() {
      const keys = (await store.logKeys()).filter(isCheckpointKey).toReversed();
      return keys.map(({ origin, spki }) => vkeyOf(origin, keyOfSpki(spki)));
    },
    consistency: (from, to) => (from === to ? Promise.resolve([]) : consistencyProof(from, to, nodes())),
    sign: (payloadType, body) => signEnvelope(payloadType, body, publisher.receiptKey),
    handle: (request, mayRead) =>
      serveLog({ store, checkpoint: given, public: settings.public }, request, mayRead),
  };
}

/** Keeps tiles between proofs, as long as they are of the same tree: after a restore that is another one. */
function nodesNow(store: Store, publisher: Publisher): () => NodeAt {
  let kept: { readonly origin: string; readonly size: number; readonly nodeAt: NodeAt } | undefined;
  return () => {
    const { origin, size } = publisher.given ?? { origin: '', size: 0 };
    const nodeAt =
      kept?.origin === origin && kept.size <= size
        ? kept.nodeAt
        : nodesOf((level, n) => store.tile(level, n));
    kept = { origin, size, nodeAt };
    return nodeAt;
  };
}

async function standingOf(
  { store, settings, publisher, cosigning, stamping }: TransparencyParts,
  given: () => Promise<StoredCheckpoint | undefined>,
): Promise<LogStanding> {
  // The checkpoint first: what is counted after it is never less.
  const checkpoint = await given();
  const [{ size }, keys] = await Promise.all([store.head(), store.logKeys()]);
  const witnesses = cosigning.standing();
  const stamped = stamping?.standing() ?? { stamp: null, late: null };
  return {
    origin: publisher.origin ?? '',
    size,
    published: checkpoint?.size ?? 0,
    checkpoint: checkpoint ?? null,
    tier: isWitnessed(witnesses, settings.quorum) ? 'witnessed' : 'tamper-detecting',
    witnesses,
    stamp: stamped.stamp,
    problem: publisher.problem ?? stamped.late,
    keys,
  };
}

/** As many as are asked for have cosigned, and none of these is late. */
const isWitnessed = (witnesses: readonly WitnessStanding[], quorum: number): boolean =>
  quorum > 0 && witnesses.filter((one) => one.cosigned !== null && one.late === null).length >= quorum;
