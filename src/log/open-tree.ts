/**
 * Finds out where the tree of a store stands, and under which name it may go on. Promises: a tree that its own newest
 * checkpoint does not fit is damaged, and nothing more is signed over it; a tree that a checkpoint which was given out does not
 * fit is an older copy that somebody put back, and goes on under another name, so that no name ever has two trees.
 */
import type { KeyObject } from 'node:crypto';
import type { LogStore, Published, StoredCheckpoint } from '../ports/log-store.ts';
import { checkpointOf, type Checkpoint } from './checkpoint.ts';
import type { Memory, Remembered } from './given.ts';
import { rootAt, sameHash, type Hash, type NodeAt } from './merkle.ts';
import { readNote, verifierOf, verifyNote, vkeyOf } from './note.ts';
import { keyOfSpki } from './leaf.ts';
import type { SigningKeys } from './keys.ts';
import { generationOf, originAt } from './origin.ts';
import { nodesOf, TileMissing } from './tiles.ts';

export interface OpenTree {
  readonly published: Published;
  /** Of the published leaves. */
  readonly root: Hash;
  /** Under which the tree goes on. */
  readonly origin: string;
  /** The newest checkpoint of the store; undefined: nothing was published yet. */
  readonly newest: StoredCheckpoint | undefined;
  /** Why it is another than that of the newest checkpoint, in a sentence; null: it is not, or there is none. */
  readonly reason: string | null;
}

export type Opened =
  { readonly kind: 'open'; readonly tree: OpenTree } | { readonly kind: 'damaged'; readonly what: string };

export interface OpenParts {
  readonly store: LogStore;
  readonly memory: Memory;
  /** What the log is called, as configured. */
  readonly base: string;
  /** Those that this gate has: what the store names as keys of the log is no more than what somebody wrote there. */
  readonly held: Pick<SigningKeys, 'log' | 'logBefore'>;
}

/** Rejects where the store cannot be read. */
export async function openTree(parts: OpenParts, published: Published): Promise<Opened> {
  const nodeAt = nodesOf((level, n) => parts.store.tile(level, n));
  try {
    const root = await rootAt(published.size, nodeAt);
    const newest = await parts.store.newestCheckpoint();
    const what = await whatIsWrong(parts.store, { published, root, newest });
    if (what !== null) return { kind: 'damaged', what };
    const name = await nameOf(parts, { published, newest, nodeAt });
    return { kind: 'open', tree: { published, root, newest, ...name } };
  } catch (error) {
    if (error instanceof TileMissing) return { kind: 'damaged', what: error.message };
    throw error;
  }
}

/** Whether the tree is the one that its newest checkpoint was signed over. */
async function whatIsWrong(
  store: LogStore,
  of: Pick<OpenTree, 'published' | 'root' | 'newest'>,
): Promise<string | null> {
  const { published, root, newest } = of;
  const { size } = published;
  if (newest === undefined)
    return size === 0 ? null : `${size} entries were published, and the store has no checkpoint over them`;
  if (newest.size !== size)
    return `${size} entries are said to be published, and the newest checkpoint is over ${newest.size}`;
  const signed = await signedText(store, newest);
  if (signed === null) return `the checkpoint over ${size} entries is not signed with a key of this log`;
  if (signed.size !== size || signed.origin !== newest.origin || !sameHash(signed.root, root))
    return `the stored tree of ${size} entries is not the one that was signed`;
  return null;
}

/** What a stored note says, where a key that the store names has signed it. */
async function signedText(store: LogStore, newest: StoredCheckpoint): Promise<Checkpoint | null> {
  const keys = (await store.logKeys()).flatMap((key) =>
    key.use === 'log' && key.origin === newest.origin ? [keyOfSpki(key.spki)] : [],
  );
  return isSignedBy(newest, keys) ? (checkpointOf(readNote(newest.note)?.text ?? '') ?? null) : null;
}

/** Whether one of the keys has signed a stored checkpoint. */
export function isSignedBy({ origin, note }: StoredCheckpoint, keys: readonly KeyObject[]): boolean {
  const read = readNote(note);
  const verifiers = keys.map((key) => verifierOf(vkeyOf(origin, key))).filter((one) => one !== undefined);
  const verified = read === undefined ? null : verifyNote(read, verifiers);
  return verified !== null && verified.length > 0;
}

interface At {
  readonly published: Published;
  readonly newest: StoredCheckpoint | undefined;
  readonly nodeAt: NodeAt;
}

async function nameOf(
  { store, memory, base, held }: OpenParts,
  at: At,
): Promise<Pick<OpenTree, 'origin' | 'reason'>> {
  const { newest } = at;
  const remembered = await memory.read();
  const given = remembered.kind === 'given' ? remembered.checkpoint : undefined;
  const burnt = await store.burntOrigins();
  const ours = [held.log, ...(held.logBefore === null ? [] : [held.logBefore])];
  const isOurs = newest === undefined || isSignedBy(newest, ours);
  let generation = Math.max(
    1,
    generationOf(base, newest?.origin ?? ''),
    generationOf(base, given?.origin ?? ''),
  );
  let reason: string | null = null;
  for (; ; generation += 1) {
    const origin = originAt(base, generation);
    const why = burnt.includes(origin)
      ? 'the store was restored from a backup'
      : await whyNot({ store, base }, origin, { ...at, remembered, isOurs, path: memory.path });
    if (why === null)
      return {
        origin,
        reason: newest === undefined || newest.origin === origin ? reason : (reason ?? whyElse(base, newest)),
      };
    reason ??= why;
  }
}

/** What was found before a crash is not found again. */
const whyElse = (base: string, newest: StoredCheckpoint): string =>
  generationOf(base, newest.origin) === 0
    ? 'the configuration names it so'
    : 'what was given out before may contradict it';

/** Why the tree cannot go on under a name; null: it can. */
async function whyNot(
  parts: Pick<OpenParts, 'store' | 'base'>,
  origin: string,
  at: At & { readonly remembered: Remembered; readonly isOurs: boolean; readonly path: string | null },
): Promise<string | null> {
  const why = await whyKnown(parts, origin, at);
  return why !== null || at.isOurs || at.newest?.origin !== origin
    ? why
    : `the newest checkpoint of ${origin} is signed with none of the keys that this gate has`;
}

/** What the store, and what is remembered beside it, say against a name. */
async function whyKnown(
  { store, base }: Pick<OpenParts, 'store' | 'base'>,
  origin: string,
  at: At & { readonly remembered: Remembered; readonly path: string | null },
): Promise<string | null> {
  const { newest, remembered, path } = at;
  const isNew = newest === undefined ? origin !== base : origin !== newest.origin;
  // What was given out under it since nobody knows here: a name is used in one stretch.
  if (newest !== undefined && isNew && (await store.newestCheckpoint(origin)) !== undefined)
    return `${origin} was left for another name`;
  switch (remembered.kind) {
    case 'none':
      return path === null || newest === undefined || isNew
        ? null
        : `${path} is not there, so nobody knows what was given out as ${origin}`;
    case 'unread':
      return isNew
        ? null
        : `${path ?? ''} holds no checkpoint, so nobody knows what was given out as ${origin}`;
    case 'given':
      if (remembered.checkpoint.origin === origin) return contradicts(remembered.checkpoint, at);
      // A new name is remembered before anything is signed under it.
      return isNew || path === null
        ? null
        : `${path} tells of ${remembered.checkpoint.origin}, so nothing was given out from here as ${origin}`;
  }
}

/** Why what another has published cannot follow from what was given out here under the same name; null: it can. */
export async function contradictsGiven(
  { store, memory }: Pick<OpenParts, 'store' | 'memory'>,
  { origin, size }: Pick<StoredCheckpoint, 'origin' | 'size'>,
): Promise<string | null> {
  const remembered = await memory.read();
  if (remembered.kind !== 'given' || remembered.checkpoint.origin !== origin) return null;
  const nodeAt = nodesOf((level, n) => store.tile(level, n));
  return contradicts(remembered.checkpoint, { published: { size }, nodeAt });
}

async function contradicts(
  given: Checkpoint,
  { published, nodeAt }: { readonly published: Pick<Published, 'size'>; readonly nodeAt: NodeAt },
): Promise<string | null> {
  if (given.size > published.size)
    return `a checkpoint over ${given.size} entries was given out as ${given.origin}, and the store has published ${published.size}: it is an older copy`;
  return sameHash(await rootAt(given.size, nodeAt), given.root)
    ? null
    : `the checkpoint over ${given.size} entries that was given out as ${given.origin} is of another log`;
}
