/**
 * Approvals signed with a passkey (WebAuthn level 3). The challenge is the hash of the approval itself, so that a signature
 * is worth nothing for another action, decision, person, policy set, display or time. What is stored with the review is all
 * that anybody needs to check it without us. Pure: the signature itself is verified in `identity`.
 */
import { canonicalize } from './canonical.ts';
import type { ApprovalId, Digest, PersonId, Sha256Hex } from './ids.ts';
import { sha256Hex } from './sha256.ts';

export interface Passkey {
  /** Credential id, base64url. */
  readonly id: string;
  readonly person: PersonId;
  /** COSE_Key (RFC 9052 §7), base64url. */
  readonly publicKey: string;
  readonly counter: number;
  readonly transports: readonly string[];
  readonly aaguid: string;
  /** What the person calls it. */
  readonly name: string;
  readonly atMs: number;
  /** From when its signatures count. */
  readonly countsFromMs: number;
  readonly confirmedBy: PersonId | null;
  readonly revokedAtMs: number | null;
}

/** What is signed. */
export interface Statement {
  readonly v: 1;
  readonly approval: ApprovalId;
  /** Of the action. */
  readonly digest: Digest;
  /** SHA-256 of what was displayed. */
  readonly shown: Sha256Hex;
  readonly decision: 'approve' | 'deny';
  readonly person: PersonId;
  /** SHA-256 of the policy set that asks; null where the gate itself asks. */
  readonly policies: string | null;
  /** 16 random bytes, hexadecimal. */
  readonly nonce: string;
  readonly expiresAtMs: number;
}

/** How long a person has between being shown the action and signing it. */
export const signingMs = 5 * 60_000;

/** Domain separator of the challenge. Changing it is a new format. */
const domain = 'countersign.approval.v1\0';

/** RFC 8785 text of a statement: what is stored, and hashed. */
export const statementText = (statement: Statement): string => canonicalize({ ...statement });

/** The challenge: SHA-256 over the domain separator and the statement's text, hexadecimal. */
export const challengeOf = (text: string): string => sha256Hex(domain + text);

/** A signature over a statement, as it is stored with the review. All of it base64url but the statement. */
export interface Proof {
  readonly kind: 'passkey';
  readonly credential: string;
  /** COSE_Key. */
  readonly publicKey: string;
  readonly statement: string;
  readonly clientDataJSON: string;
  readonly authenticatorData: string;
  readonly signature: string;
}
