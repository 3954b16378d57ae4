/**
 * Which entries are worth a receipt, and who gets what of one. A receipt holds an entry's statement whole, with all that it says
 * and its salt; the proof of the same entry holds digests alone. Pure.
 */
import type { Entry, EntryType } from './entry.ts';
import type { Principal } from './directory.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import { maskSecrets } from './secrets.ts';

/** `bundle`: a Sigstore bundle. `proof`: a C2SP tlog-proof. `action`: the action's exact bytes. `key`: the key that signed. */
export const receiptFormats = ['bundle', 'proof', 'action', 'key'] as const;
export type ReceiptFormat = (typeof receiptFormats)[number];

const worth: ReadonlySet<EntryType> = new Set<EntryType>([
  'review.recorded',
  'approval.approved',
  'approval.denied',
  'approval.expired',
  'approval.cancelled',
  'execution.started',
  'execution.succeeded',
  'execution.failed',
  'execution.unknown',
  'execution.settled',
]);

/** What was decided about an action, and its run: an `action.asked` is one where nobody was asked, because it decided. */
export const isWorthReceipt = ({ type, about }: Pick<Entry, 'type' | 'about'>): boolean =>
  worth.has(type) || (type === 'action.asked' && about.action !== null && about.approval === null);

/** Whether something that is to be handed out as it is holds what every channel masks. */
export const holdsSecret = (data: JsonObject): boolean => {
  // A passkey's assertion is made to be shown; its field `credential` is the name of a public key.
  const { proof: _assertion, ...rest } = data;
  return JSON.stringify(maskSecrets(rest)) !== JSON.stringify(rest);
};

/** What somebody sees of an action; an auditor of entries about none, too. */
export interface Sight {
  readonly by: Principal;
  /** Reads the log: what is signed is theirs to check, to the byte. */
  readonly readsLog: boolean;
  /** All that the action holds (rule not-yours-to-see). */
  readonly whole: boolean;
}

/**
 * What somebody gets of an entry whose action they may see at all.
 *
 * - An agent gets proofs and the bytes of its own action: an entry's statement says what agents are not told (what would be
 *   allowed, who was asked, that it is only observed), and handing out some of them would tell by which are missing.
 * - Whoever sees the action without what it holds gets the proof and the key.
 * - Of an erased entry the proof of its digest is left, for whoever reads the log.
 * - What holds a secret that channels mask is given whole to auditors only; of the action's bytes, to nobody but its agent.
 */
export function formatsFor(
  entry: Entry,
  sight: Sight,
  /** What the action's bytes say; null: none are kept, or it is about none. */
  action: JsonObject | null,
): readonly ReceiptFormat[] {
  // As core/sight.ts says it of pages: whoever may not see what an action holds gets nothing that says it.
  const { by, readsLog, whole } = sight;
  if (entry.erased === true) return readsLog ? ['proof'] : [];
  if (by.kind === 'agent') return action === null ? ['proof', 'key'] : ['proof', 'action', 'key'];
  if (!whole) return ['proof', 'key'];
  const bundle = readsLog || !holdsSecret(entry.data);
  return [
    ...(bundle ? (['bundle'] as const) : []),
    'proof',
    ...(action !== null && !holdsSecret(action) ? (['action'] as const) : []),
    'key',
  ];
}

/** An object of JSON that we wrote ourselves; null for anything else. */
export function objectIn(text: string): JsonObject | null {
  // JSON.parse answers what JSON is.
  const value = JSON.parse(text) as JsonObject[string];
  return isJsonObject(value) ? value : null;
}
