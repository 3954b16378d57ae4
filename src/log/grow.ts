/** The tree with further leaves: its tiles, and the checkpoint over it. */
import type { LogStore } from '../ports/log-store.ts';
import { checkpointText, type Checkpoint } from './checkpoint.ts';
import type { SigningKeys } from './keys.ts';
import { emptyRoot, sameHash } from './merkle.ts';
import { noteWith, signLine } from './note.ts';
import type { OpenTree } from './open-tree.ts';
import type { SignedLeaf } from './signing.ts';
import { Edge, TileMissing } from './tiles.ts';

export interface Grown {
  readonly checkpoint: Checkpoint;
  /** New, or grown. */
  readonly tiles: Edge['changed'];
  readonly note: string;
}

/** Null: what is stored is not what was signed. */
export async function grow(
  store: Pick<LogStore, 'tile'>,
  tree: OpenTree,
  of: { readonly leaves: readonly SignedLeaf[]; readonly keys: SigningKeys },
): Promise<Grown | null> {
  try {
    const edge = await Edge.of(tree.published.size, (level, n) => store.tile(level, n));
    if (!sameHash(edge.root() ?? emptyRoot, tree.root)) return null;
    for (const { hash } of of.leaves) edge.add(hash);
    const checkpoint = { origin: tree.origin, size: edge.size, root: edge.root() ?? emptyRoot };
    return { checkpoint, tiles: edge.changed, note: noteOf(checkpoint, of.keys) };
  } catch (error) {
    if (error instanceof TileMissing) return null;
    throw error;
  }
}

/** Signed with the key, and with the one before it while both sign. */
export function noteOf(checkpoint: Checkpoint, { log, logBefore }: SigningKeys): string {
  const text = checkpointText(checkpoint);
  const signers = logBefore === null ? [log] : [log, logBefore];
  return noteWith(
    text,
    signers.map((key) => signLine(text, checkpoint.origin, key)),
  );
}
