/** What the log says of itself before anything is signed under a name or with a key: entries that a checkpoint then covers. */
import { aboutNothing, type EntryDraft } from '../core/entry.ts';
import type { LogKey } from '../core/log-key.ts';
import type { Command } from '../core/command.ts';
import type { Store } from '../ports/store.ts';
import type { SigningKeys } from './keys.ts';
import { receiptKeyId, spkiOf } from './leaf.ts';
import { keyIdOf, rawEd25519 } from './note.ts';
import type { OpenTree } from './open-tree.ts';

/** The key that signs leaves now, by id. */
export const receiptIdOf = ({ receipt }: SigningKeys): string => receiptKeyId(spkiOf(receipt));

/**
 * Records the name that the log goes on under, where it is new, and which keys begin and end to sign. Answers why it could not
 * be recorded; null: it is.
 */
export async function signOff(
  store: Pick<Store, 'change' | 'logKeys'>,
  tree: OpenTree,
  keys: SigningKeys,
): Promise<string | null> {
  const commands = [...openings(tree), ...keyChanges(await store.logKeys(), tree, keys)];
  for (const command of commands) {
    const result = await store.change(command);
    if (!result.ok)
      return result.error.kind === 'fault'
        ? result.error.detail
        : 'The store refused an entry about the log.';
  }
  return null;
}

const openings = ({ newest, origin, reason }: OpenTree): readonly Command[] =>
  newest?.origin === origin
    ? []
    : [{ kind: 'record', entries: [opened({ origin, ...(reason === null ? {} : { reason }) })] }];

const opened = (data: EntryDraft['data']): EntryDraft => ({
  type: 'log.opened',
  by: { kind: 'gate' },
  about: aboutNothing,
  subject: null,
  data,
});

function keyChanges(
  known: readonly LogKey[],
  { origin, published }: OpenTree,
  keys: SigningKeys,
): readonly Command[] {
  const active = known.filter((one) => one.endedAtMs === null);
  const now = { begunAtMs: 0, begunAt: published.size, endedAtMs: null };
  const signing: readonly LogKey[] = [
    ...[keys.log, ...(keys.logBefore === null ? [] : [keys.logBefore])].map((key): LogKey => ({
      id: keyIdOf(origin, 1, rawEd25519(key)),
      use: 'log',
      spki: spkiOf(key),
      origin,
      ...now,
    })),
    { id: receiptIdOf(keys), use: 'receipt', spki: spkiOf(keys.receipt), origin: null, ...now },
  ];
  return [
    ...signing
      .filter((one) => !active.some((other) => other.id === one.id))
      .map((key): Command => ({ kind: 'beginKey', key })),
    ...active
      .filter((one) => !signing.some((other) => other.id === one.id))
      .map(({ id }): Command => ({ kind: 'endKey', key: id })),
  ];
}

/**
 * What an operator is told of keys that were made just now; null: none were. A new key where one has signed before is one that was
 * lost, and nobody can have it back.
 */
export function wordsOfMade({ made }: SigningKeys, known: readonly LogKey[]): string | null {
  if (made.length === 0) return null;
  const lost = made.filter((use) => known.some((one) => one.use === use && one.endedAtMs === null));
  return lost.length > 0
    ? `warning: what has signed this log is not there any more (${lost.join(' and ')} key); new keys were made, and the log says so.`
    : 'Made the keys that sign the log: keep a copy of the folder "keys", apart from the backups of the store.';
}
