/** Puts the port together from a queue that writes and a reader that reads; the same for both databases. */
import type { Answer } from '../core/loaded.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { ChangeError, Store, StoreFault } from '../ports/store.ts';
import type { Outcome } from './job.ts';
import type { Queue } from './queue.ts';
import type { Reads } from './reader.ts';

export interface StoreParts {
  readonly reads: Reads;
  readonly queue: Queue;
  readonly joinKey: () => Uint8Array;
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
    joinKey: () => parts.joinKey(),
    onChange: (listener) => queue.onChange(listener),
    onNotices: (listener) => queue.onNotices(listener),
    health: () => queue.health(),
    backup: (file) => parts.backup(file),
    close: () => (closing ??= queue.close().then(() => parts.close())),
  };
}

function answerOf(outcome: Outcome): Result<Answer, ChangeError> {
  if (!outcome.ok) return outcome;
  return outcome.value.kind === 'notices'
    ? err({ kind: 'fault', detail: 'The writer answered another job.' })
    : ok(outcome.value);
}
