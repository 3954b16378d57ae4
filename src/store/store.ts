/** Puts the port together from a queue that writes and a reader that reads; the same for both databases. */
import type { Answer } from '../core/loaded.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Clock } from '../ports/clock.ts';
import type { Durability } from '../ports/durability.ts';
import type { ChangeError, Store, StoreFault } from '../ports/store.ts';
import type { Outcome } from './job.ts';
import type { Queue } from './queue.ts';
import type { Reads } from './reader.ts';

export interface StoreParts {
  readonly reads: Reads;
  readonly queue: Queue;
  readonly joinKey: () => Uint8Array;
  readonly clock: Clock;
  /** Default: it is on this machine's disk. */
  readonly durability?: () => Durability;
  /** Whether other gates may be on it; default: no. */
  readonly shared?: boolean;
  readonly backup: (file: string) => Promise<Result<null, StoreFault>>;
  /** Called once, after the queue has been emptied. */
  readonly close: () => Promise<void>;
}

export function storeOf(parts: StoreParts): Store {
  const { queue } = parts;
  const { anyNotice, ...reads } = parts.reads;
  let closing: Promise<void> | undefined;
  return {
    ...reads,
    change: async (command, idempotency, haste) =>
      answerOf(
        await queue.submit(
          {
            kind: 'change',
            command,
            idempotency: idempotency ?? null,
            ...(haste === 'soon' && { brief: true }),
          },
          haste,
        ),
      ),
    // Where a notice cannot be leased it stays where it is: it is taken later, never lost.
    async takeNotices(channel, leaseMs, limit) {
      if (!(await anyNotice(channel))) return [];
      const outcome = await queue.submit({ kind: 'takeNotices', channel, leaseMs, limit });
      return outcome.ok && outcome.value.kind === 'notices' ? outcome.value.due : [];
    },
    async noticeDone(id) {
      await queue.submit({ kind: 'noticeDone', id });
    },
    async noticeLater(id, untilMs, why) {
      await queue.submit({ kind: 'noticeLater', id, untilMs, why: why ?? null });
    },
    ...writesLog(queue),
    ...writesGates(queue),
    gates: async () => {
      const gates = await reads.gates();
      // Whoever holds the lock of the store lives, and has no need to say so.
      return parts.shared === true ? gates : gates.map((one) => ({ ...one, silentMs: 0 }));
    },
    shared: parts.shared ?? false,
    clock: parts.clock,
    durability: () => parts.durability?.() ?? { kind: 'disk' },
    joinKey: () => parts.joinKey(),
    onChange: (listener) => queue.onChange(listener),
    onNotices: (listener) => queue.onNotices(listener),
    probe: async () => {
      const outcome = await queue.submit({ kind: 'probe' }, 'soon');
      return outcome.ok
        ? ok(null)
        : err({
            kind: 'fault',
            detail: outcome.error.kind === 'fault' ? outcome.error.detail : 'The writer refused to write.',
          });
    },
    health: () => queue.health(),
    backup: (file) => parts.backup(file),
    close: () => (closing ??= queue.close().then(() => parts.close())),
  };
}

/** The transparency log's writes: small jobs that ride with whatever is flushed next. */
const writesLog = (
  queue: Queue,
): Pick<Store, 'takeTree' | 'publish' | 'confirm' | 'addCosignature' | 'addStamp' | 'setCursor'> => ({
  async takeTree(holder, forMs) {
    const outcome = await queue.submit({ kind: 'takeTree', holder, forMs });
    return outcome.ok && outcome.value.kind === 'tree' ? outcome.value.published : null;
  },
  async publish(publishing) {
    const tiles = publishing.tiles.map((tile) => ({
      ...tile,
      hashes: Buffer.from(tile.hashes).toString('base64'),
    }));
    const outcome = await queue.submit({ kind: 'publish', publishing: { ...publishing, tiles } }, 'soon');
    if (!outcome.ok)
      return err({
        kind: 'fault',
        detail: outcome.error.kind === 'fault' ? outcome.error.detail : 'The writer refused to publish.',
      });
    return outcome.value.kind === 'tree' && outcome.value.published !== null
      ? ok(null)
      : err({ kind: 'lost' });
  },
  async confirm({ origin, size, note }) {
    const outcome = await queue.submit({ kind: 'confirm', origin, size, note });
    return outcome.ok && outcome.value.kind === 'confirmed' && outcome.value.there;
  },
  async addCosignature(origin, size, cosignature) {
    await queue.submit({ kind: 'addCosignature', origin, size, cosignature });
  },
  async addStamp(origin, size, stamp) {
    await queue.submit({ kind: 'addStamp', origin, size, stamp });
  },
  async setCursor(cursor) {
    await queue.submit({ kind: 'setCursor', ...cursor }, 'soon');
  },
});

const writesGates = (
  queue: Queue,
): Pick<Store, 'beat' | 'leave' | 'takeLease' | 'setDamage' | 'propose'> => ({
  async beat(gate, body) {
    const outcome = await queue.submit({ kind: 'beat', gate, body });
    return outcome.ok && outcome.value.kind === 'gates' ? outcome.value.gates : null;
  },
  async leave(gate) {
    await queue.submit({ kind: 'leave', gate });
  },
  async takeLease(name, holder, forMs) {
    const outcome = await queue.submit({ kind: 'takeLease', name, holder, forMs });
    return outcome.ok && outcome.value.kind === 'lease' && outcome.value.held;
  },
  setDamage: async (what) => (await queue.submit({ kind: 'setDamage', what })).ok,
  propose: async (digest) => (await queue.submit({ kind: 'propose', digest })).ok,
});

function answerOf(outcome: Outcome): Result<Answer, ChangeError> {
  if (!outcome.ok) return outcome;
  switch (outcome.value.kind) {
    case 'notices':
    case 'tree':
    case 'confirmed':
    case 'gates':
    case 'lease':
      return err({ kind: 'fault', detail: 'The writer answered another job.' });
    case 'case':
    case 'accepted':
    case 'tools':
    case 'person':
    case 'begun':
    case 'click':
    case 'delegation':
    case 'erased':
    case 'hold':
    case 'done':
      return ok(outcome.value);
  }
}
