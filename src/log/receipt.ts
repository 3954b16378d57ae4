/**
 * The receipt of one entry: its statement and signature, and the proof that it is in the tree of a checkpoint. Promise: what is
 * handed out verifies, because it was verified here; an entry whose row, leaf or tile was altered gets no receipt but a fault.
 */
import { payloadType, preAuthentication, type Sealed } from '../core/entry.ts';
import { err, ok, type Result } from '../core/result.ts';
import { sha256Hex } from '../core/sha256.ts';
import type { Leaf, LogStore, Published, StoredCheckpoint } from '../ports/log-store.ts';
import type { Store, StoreFault } from '../ports/store.ts';
import type { Receipt, ReceiptError } from '../ports/transparency.ts';
import { writeBundle } from './bundle.ts';
import { checkpointOf, type Checkpoint } from './checkpoint.ts';
import { keyOfSpki, leafBody, verifyPayload, type LeafParts } from './leaf.ts';
import { logIdOf, signerOf, type CheckpointKey } from './log-id.ts';
import { hashLeaf, inclusionProof, verifyInclusion, type Hash, type NodeAt } from './merkle.ts';
import { readNote, verifierOf, verifyNote, vkeyOf } from './note.ts';
import { TileMissing } from './tiles.ts';
import { writeTlogProof } from './tlog-proof.ts';

export interface ReceiptSource {
  readonly store: Pick<Store, 'entries' | 'caseBy'> & LogStore;
  /** Hashes of subtrees; what keeps tiles between calls makes a proof cheap. */
  readonly nodeAt: NodeAt;
  /** Cosignatures that a checkpoint should have; 0: none are expected. */
  readonly quorum: number;
}

/** Checkpoints that are looked through for a cosigned one: witnesses lag by a few. */
const lookedMax = 32;

/** Never throws; a receipt for an entry that is in no checkpoint yet is `not_yet`. */
export async function receiptOf(
  source: ReceiptSource,
  index: number,
): Promise<Result<Receipt, ReceiptError>> {
  const { store } = source;
  if (!Number.isSafeInteger(index) || index < 0) return err({ kind: 'not_found' });
  const [[sealed], published] = await Promise.all([store.entries(index - 1, 1), store.published()]);
  if (sealed?.entry.index !== index) return err({ kind: 'not_found' });
  const covering = await checkpointFor(source, index, published);
  if (covering === undefined) return err({ kind: 'not_yet', published: published.size });
  const proven = await prove(source, sealed, covering).catch((error: unknown) => {
    if (error instanceof TileMissing) return error.message;
    throw error;
  });
  if (typeof proven === 'string') return err(faultOf(index, proven));
  const { leaf, note, checkpoint, proof, logId } = proven;
  const tlogProof = writeTlogProof({ index, extra: leafBody(leaf), hashes: proof, checkpoint: note });
  if (sealed.statement === '') return err({ kind: 'erased', proof: tlogProof });
  const { statement } = sealed;
  const key = keyOfSpki(leaf.spki);
  if (!verifyPayload(statement, { key, signature: leaf.signature }))
    return err(faultOf(index, 'its signature does not fit its statement'));
  return ok({
    index,
    bundle: writeBundle({ statement, leaf, index, proof, checkpoint, note, logId }),
    proof: tlogProof,
    action: await actionOf(store, sealed),
    key: key.export({ type: 'spki', format: 'pem' }).toString(),
  });
}

const faultOf = (index: number, detail: string): StoreFault => ({
  kind: 'fault',
  detail: `entry ${index} of the log cannot be proven: ${detail}`,
});

interface Proven {
  readonly leaf: LeafParts;
  /** With its cosignatures. */
  readonly note: string;
  readonly checkpoint: Checkpoint;
  readonly proof: readonly Hash[];
  readonly logId: string;
}

/** The proof, or in words what does not fit. */
async function prove(
  { store, nodeAt }: ReceiptSource,
  sealed: Sealed,
  covering: StoredCheckpoint,
): Promise<Proven | string> {
  const { index } = sealed.entry;
  const [[row], keys] = await Promise.all([store.leaves(index, 1), store.logKeys()]);
  if (row?.index !== index) return 'it has no leaf';
  const spki = keys.find((one) => one.use === 'receipt' && one.id === row.keyId)?.spki;
  if (spki === undefined) return 'the key that signed it is not known';
  const wrong = digestsOf(sealed, row);
  if (wrong !== undefined) return wrong;
  const signer = signerOf(covering.note, covering.origin, keys);
  const checkpoint = checkpointOf(readNote(covering.note)?.text ?? '');
  if (signer === undefined || checkpoint?.size !== covering.size || !isSigned(covering, signer))
    return 'the checkpoint over it is none of ours';
  const leaf = { pae: row.pae, signature: row.signature, spki };
  const proof = await inclusionProof(index, checkpoint.size, nodeAt);
  const { size, root } = checkpoint;
  if (!verifyInclusion({ index, size, leaf: hashLeaf(leafBody(leaf)), proof, root }))
    return 'it is not in the tree of the checkpoint over it';
  return { leaf, note: cosigned(covering), checkpoint, proof, logId: logIdOf(signer) };
}

/** What stands in the store is what somebody wrote there: nobody would take a note with a false signature. */
function isSigned({ note, origin }: StoredCheckpoint, { spki }: CheckpointKey): boolean {
  const read = readNote(note);
  const verifier = verifierOf(vkeyOf(origin, keyOfSpki(spki)));
  if (read === undefined || verifier === undefined) return false;
  return (verifyNote(read, [verifier])?.length ?? 0) > 0;
}

function digestsOf({ statement, pae }: Sealed, leaf: Leaf): string | undefined {
  if (leaf.pae !== pae) return 'its leaf is of another entry';
  return statement === '' || sha256Hex(preAuthentication(payloadType, statement)) === pae
    ? undefined
    : 'its statement is not the one that was recorded';
}

/** The note with the lines of its witnesses. */
export const cosigned = ({ note, cosignatures }: StoredCheckpoint): string =>
  note + cosignatures.map(({ line }) => `${line}\n`).join('');

/**
 * The newest checkpoint over an entry that has the cosignatures it should have; where none has, the one with the most, the newest
 * of them. What is larger than the tree is of a tree that was, and covers nothing.
 */
async function checkpointFor(
  { store, quorum }: ReceiptSource,
  index: number,
  published: Published,
): Promise<StoredCheckpoint | undefined> {
  const covers = (one: StoredCheckpoint | undefined): one is StoredCheckpoint =>
    one !== undefined && one.size > index && one.size <= published.size;
  const enough = (one: StoredCheckpoint): boolean => one.cosignatures.length >= quorum;
  const newest = await store.newestCheckpoint();
  if (covers(newest) && enough(newest)) return newest;
  const recent = (await store.checkpoints(lookedMax)).filter(covers);
  const first = await store.checkpointCovering(index + 1);
  const all = covers(first) ? [...recent, first] : recent;
  const [best, ...rest] = all;
  if (best === undefined) return undefined;
  return (
    all.find(enough) ??
    rest.reduce((most, one) => (one.cosignatures.length > most.cosignatures.length ? one : most), best)
  );
}

/** The bytes that the statement's subject names; null where it names none, or they are gone. */
async function actionOf(store: ReceiptSource['store'], { entry, statement }: Sealed): Promise<string | null> {
  const { action } = entry.about;
  if (action === null) return null;
  const canonical = (await store.caseBy({ action }))?.asked.canonical;
  return canonical !== undefined && isAbout(statement, sha256Hex(canonical)) ? canonical : null;
}

/** Whether a statement is about an action of this digest: its subject is the last of its canonical bytes (RFC 8785). */
const isAbout = (statement: string, subject: string): boolean =>
  statement.endsWith(`,"subject":[{"digest":{"sha256":"${subject}"},"name":"action"}]}`);
