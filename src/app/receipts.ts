/**
 * Receipts as somebody may have them: which entries of an action have one, and the files of one. Promise: whoever may not see what
 * an action holds gets digests and signatures, never a statement; what is handed out verifies without us (ports/transparency.ts).
 */
import { theGate } from '../core/acts.ts';
import type { Case } from '../core/case.ts';
import type { Absences } from '../core/delegation.ts';
import type { Directory, Principal } from '../core/directory.ts';
import type { Entry, Sealed } from '../core/entry.ts';
import type { ActionId } from '../core/ids.ts';
import { formatsFor, isWorthReceipt, objectIn, type ReceiptFormat } from '../core/receipts.ts';
import { refuse, type Refusal } from '../core/refusal.ts';
import { entryWords } from '../core/render/log-words.ts';
import type { Shown } from '../core/render/shown.ts';
import { err, ok, type Result } from '../core/result.ts';
import { veiledEntry } from '../core/sight.ts';
import type { JsonObject } from '../core/json.ts';
import type { Receipt, ReceiptError, Transparency } from '../ports/transparency.ts';
import { allows, seenBy } from './access.ts';
import { seenEntries } from './log-sight.ts';
import type { Parts } from './parts.ts';
import { absencesNow } from './review.ts';

/** One entry of which there is a receipt, or will be. */
export interface ReceiptLine {
  readonly index: number;
  readonly type: Entry['type'];
  readonly at: string;
  /** What happened, in words that this reader may have; null for agents. */
  readonly text: Shown | null;
  readonly formats: readonly ReceiptFormat[];
}

/** A file to keep. */
export interface ReceiptFile {
  readonly name: string;
  readonly type: string;
  readonly text: string;
}

/** Who asks, in which world. */
interface Reader {
  readonly parts: Parts;
  readonly by: Principal;
  readonly world: { readonly directory: Directory } & Required<Absences>;
  readonly readsLog: boolean;
}

async function readerOf(parts: Parts, by: Principal): Promise<Reader> {
  const world = await absencesNow(parts);
  const readsLog =
    by.kind === 'person' && allows(parts, world, { person: by.id, act: 'read_log', subject: theGate });
  return { parts, by, world, readsLog };
}

/** A case, and what its reader sees of it. */
interface Seen {
  readonly held: Case;
  readonly whole: boolean;
}

/** Undefined where there is none for this reader. */
async function seenCase({ parts, by, world }: Reader, action: ActionId): Promise<Seen | undefined> {
  const held = await parts.store.caseBy({ action });
  const seen = held === undefined ? undefined : seenBy(parts, world, by, held);
  return held === undefined || seen === undefined
    ? undefined
    : { held, whole: seen.asked.veiled === undefined };
}

/** The receipts of an action, in the order of the log; `not_found` where the reader sees no such action. */
export async function listReceipts(
  parts: Parts,
  by: Principal,
  action: ActionId,
): Promise<Result<readonly ReceiptLine[], Refusal>> {
  const reader = await readerOf(parts, by);
  const seen = await seenCase(reader, action);
  if (seen === undefined) return err(refuse('not_found', 'There is no such action.'));
  if (parts.transparency === undefined) return ok([]);
  const entries = await parts.store.entriesAbout(action);
  const lines = entries.filter(({ entry }) => isWorthReceipt(entry)).map((one) => lineOf(reader, one, seen));
  return ok(lines.filter(({ formats }) => formats.length > 0));
}

function lineOf(reader: Reader, { entry }: Sealed, seen: Seen): ReceiptLine {
  const { by, world } = reader;
  const shown = seen.whole ? entry : veiledEntry(entry);
  return {
    index: entry.index,
    type: entry.type,
    at: entry.at,
    text: by.kind === 'agent' ? null : entryWords(shown, world.directory).text,
    formats: formatsOf(reader, entry, seen),
  };
}

const formatsOf = (
  { by, readsLog }: Reader,
  entry: Entry,
  { held, whole }: { readonly held: Case | null; readonly whole: boolean },
): readonly ReceiptFormat[] =>
  formatsFor(entry, { by, readsLog, whole }, held === null ? null : actionOf(held));

const actionOf = ({ asked }: Case): JsonObject | null =>
  asked.canonical === '' ? null : objectIn(asked.canonical);

/**
 * One file of an entry's receipt. `not_found` for whoever may not see what it is about; where only the format is not theirs, the
 * refusal says which are.
 */
export async function receiptFile(
  parts: Parts,
  by: Principal,
  index: number,
  format: ReceiptFormat,
): Promise<Result<ReceiptFile, Refusal>> {
  const { transparency } = parts;
  const none = refuse('not_found', 'There is no receipt of such an entry.');
  if (transparency === undefined) return err(refuse('not_found', 'This gate gives no receipts.'));
  const [[sealed], reader] = await Promise.all([parts.store.entries(index - 1, 1), readerOf(parts, by)]);
  if (sealed?.entry.index !== index) return err(none);
  const formats = await formatsAt(reader, sealed);
  if (formats.length === 0) return err(none);
  if (!formats.includes(format)) return err(notYours(format, formats));
  return fileOf(transparency, index, format);
}

/** Empty: there is nothing of it that they may have. */
async function formatsAt(reader: Reader, sealed: Sealed): Promise<readonly ReceiptFormat[]> {
  const { parts, by, world, readsLog } = reader;
  const { entry } = sealed;
  const { action } = entry.about;
  // Of an action's other entries (who was told where, what was refused) the log's readers alone have the receipts.
  if (!readsLog && !isWorthReceipt(entry)) return [];
  const seen = action === null ? undefined : await seenCase(reader, action);
  if (seen !== undefined) return formatsOf(reader, entry, seen);
  if (!readsLog || by.kind === 'agent') return [];
  // Of what is about no action, or about one that is kept from them: as the log shows it to them.
  const [shown] = await seenEntries(parts, world, by.id, [sealed]);
  return formatsOf(reader, entry, { held: null, whole: shown?.veiled === false });
}

const notYours = (format: ReceiptFormat, formats: readonly ReceiptFormat[]): Refusal =>
  refuse(
    format === 'action' || format === 'bundle' ? 'not_permitted' : 'not_found',
    format === 'action'
      ? 'The exact bytes of this action are not handed out here: they are gone, not yours to see, or hold what looks like a secret. The digest in the receipt names them all the same.'
      : 'This entry’s statement is gone, or not yours to see; its proof is, and holds no more than digests.',
    { formats },
  );

async function fileOf(
  transparency: Transparency,
  index: number,
  format: ReceiptFormat,
): Promise<Result<ReceiptFile, Refusal>> {
  const found = await transparency.receipt(index);
  if (found.ok) return fileIn(found.value, format);
  const { error } = found;
  return error.kind === 'erased' && format === 'proof'
    ? ok(proofFile(index, error.proof))
    : err(refusalFor(error));
}

const proofFile = (index: number, text: string): ReceiptFile => ({
  name: `countersign-${index}.tlog-proof`,
  type: 'text/plain; charset=utf-8',
  text,
});

function fileIn(receipt: Receipt, format: ReceiptFormat): Result<ReceiptFile, Refusal> {
  const { index, bundle, proof, action, key } = receipt;
  switch (format) {
    case 'bundle':
      return ok({
        name: `countersign-${index}.sigstore.json`,
        type: 'application/vnd.dev.sigstore.bundle.v0.3+json',
        text: bundle,
      });
    case 'proof':
      return ok(proofFile(index, proof));
    case 'action':
      return action === null
        ? err(refuse('not_found', 'The bytes of this action are gone; the digest in the receipt names them.'))
        : ok({ name: 'action.json', type: 'application/json', text: action });
    case 'key':
      return ok({ name: 'receipt-key.pem', type: 'application/x-pem-file', text: key });
  }
}

function refusalFor(error: ReceiptError): Refusal {
  switch (error.kind) {
    case 'not_found':
      return refuse('not_found', 'There is no receipt of such an entry.');
    case 'not_yet':
      return refuse(
        'not_found',
        'This entry is recorded, and in no checkpoint of the log yet; ask again in a few seconds.',
        { published: error.published },
      );
    case 'erased':
      return refuse('not_found', 'This entry’s payload was erased; its proof is still there.', {
        formats: ['proof'],
      });
    case 'fault':
      return refuse('audit_unavailable', 'The log gives no receipt of this entry; the status page says why.');
  }
}
