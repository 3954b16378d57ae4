/**
 * The log's payload. Each entry is an in-toto Statement v1; what is chained, and later signed, is the SHA-256 of its DSSE
 * pre-authentication encoding. The bytes are fixed when the entry is committed and are never made again from parts.
 * Format: docs/log-format.md.
 */
import { canonicalize } from './canonical.ts';
import type { By } from './case.ts';
import type { ActionId, ApprovalId, ExecutionId, Sha256Hex } from './ids.ts';
import { asSha256Hex } from './ids.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { sha256Hex, utf8Length } from './sha256.ts';
import { rfc3339 } from './time.ts';

/** The closed list of entry types. */
export const entryTypes = [
  'action.asked',
  'action.refused',
  'approval.opened',
  'approval.approved',
  'approval.denied',
  'approval.expired',
  'approval.cancelled',
  'review.recorded',
  'review.refused',
  'grant.expired',
  'execution.started',
  'execution.refused',
  'execution.succeeded',
  'execution.failed',
  'execution.unknown',
  'execution.settled',
  'outcome.delivered',
  'preview.read',
  'question.refused',
  'question.passed',
  'policies.accepted',
  'policies.refused',
  'directory.accepted',
  'servers.accepted',
  'config.refused',
  'tool.pinned',
  'tool.waiting',
  'tool.disabled',
  'tool.accepted',
  'agent.stopped',
  'operation.paused',
  'stop.lifted',
  'observe.changed',
  'token.issued',
  'token.revoked',
  'passkey.granted',
  'passkey.enrolled',
  'passkey.refused',
  'passkey.confirmed',
  'passkey.revoked',
  'sign_in.issued',
  'person.signed_in',
  'person.signed_out',
  'account.linked',
  'account.unlinked',
  'account.confirmed',
  'account.refused',
  'membership.changed',
  'delegation.made',
  'delegation.ended',
  'glass.opened',
  'glass.closed',
  'glass.reviewed',
  'glass.refused',
  'notice.posted',
  'notice.failed',
  'click.refused',
  'log.opened',
  'log.heartbeat',
  'log.late',
  'log.caught_up',
  'log.exported',
  'key.begun',
  'key.ended',
  'payloads.erased',
  'hold.placed',
  'hold.released',
  'evidence.made',
  'evidence.answered',
  'reconciliation.recorded',
  'gate.started',
  'gate.stopped',
  'store.restored',
] as const;
export type EntryType = (typeof entryTypes)[number];

export interface About {
  readonly action: ActionId | null;
  readonly approval: ApprovalId | null;
  readonly execution: ExecutionId | null;
}

export const aboutNothing: About = { action: null, approval: null, execution: null };

/** What a step wants written; the writer gives it its index, time and salt. */
export interface EntryDraft {
  readonly type: EntryType;
  readonly by: By;
  readonly about: About;
  /** SHA-256 of the exact canonical bytes of the action it is about. */
  readonly subject: Sha256Hex | null;
  readonly data: JsonObject;
}

export interface Entry {
  /** Dense, from 0. */
  readonly index: number;
  /** RFC 3339. */
  readonly at: string;
  readonly type: EntryType;
  readonly by: By;
  readonly about: About;
  readonly data: JsonObject;
  /** Its payload was erased: `by` and `about` stand for nothing, `data` is empty. Only index, time and type are kept. */
  readonly erased?: true;
}

export interface Sealed {
  readonly entry: Entry;
  /** The statement's exact bytes, UTF-8; empty once the payload was erased. */
  readonly statement: string;
  /** SHA-256 of the DSSE PAE of the statement. */
  readonly pae: Sha256Hex;
  /** The chain up to and with this entry. */
  readonly head: Sha256Hex;
}

export const statementType = 'https://in-toto.io/Statement/v1';
export const predicateType = 'https://countersign.dev/predicate/entry/v1';
export const payloadType = 'application/vnd.in-toto+json';

/** The head of an empty log. */
export const emptyHead = asSha256Hex(sha256Hex('countersign.log.v1\0'));

/** DSSE v1 pre-authentication encoding (secure-systems-lab/dsse, protocol.md); lengths are of UTF-8 bytes. */
export function preAuthentication(type: string, body: string): string {
  return `DSSEv1 ${utf8Length(type)} ${type} ${utf8Length(body)} ${body}`;
}

/** The next head: each entry's digest is bound to all before it. */
export const chain = (head: Sha256Hex, pae: Sha256Hex): Sha256Hex =>
  asSha256Hex(sha256Hex(`countersign.log.v1\0${head}\0${pae}`));

/**
 * Makes the bytes of one entry.
 * @param at its dense index, its time, the 32-byte hexadecimal salt that only its statement holds, and the head before it.
 */
export function seal(
  draft: EntryDraft,
  at: { readonly index: number; readonly atMs: number; readonly salt: string; readonly head: Sha256Hex },
): Sealed {
  const entry: Entry = {
    index: at.index,
    at: rfc3339(at.atMs),
    type: draft.type,
    by: draft.by,
    about: draft.about,
    data: draft.data,
  };
  // Where an entry is about no action, its subject is the log before it (in-toto wants at least one).
  const subject =
    draft.subject === null
      ? { name: 'log', digest: { sha256: at.head } }
      : { name: 'action', digest: { sha256: draft.subject } };
  const statement = canonicalize({
    _type: statementType,
    subject: [subject],
    predicateType,
    // An Entry is JSON by construction.
    predicate: { v: 1, ...(entry as unknown as JsonObject), salt: at.salt } satisfies Record<
      string,
      JsonValue
    >,
  });
  const pae = asSha256Hex(sha256Hex(preAuthentication(payloadType, statement)));
  return { entry, statement, pae, head: chain(at.head, pae) };
}
