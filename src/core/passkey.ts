/**
 * Approvals signed with a passkey (WebAuthn level 3). The challenge is the hash of the approval itself, so that a signature
 * is worth nothing for another action, decision, person, policy set, display or time. What is stored with the review is all
 * that anybody needs to check it without us. Pure: the signature itself is verified in `identity`.
 */
import { spentFor, type Begun } from './begun.ts';
import { canonicalize } from './canonical.ts';
import type { ApprovalId, Digest, PersonId, Sha256Hex } from './ids.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { readJson } from './read-json.ts';
import { refuse, type Refusal } from './refusal.ts';
import { sha256Hex } from './sha256.ts';
import { rfc3339 } from './time.ts';

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
  /** From when they would count had nobody granted or confirmed it. */
  readonly coolsUntilMs: number;
  /** Who granted or confirmed it, so that it counts at once; null where nobody did. */
  readonly confirmedBy: PersonId | null;
  readonly revokedAtMs: number | null;
}

/** What is signed. */
export interface Statement {
  readonly v: 1;
  readonly approval: ApprovalId;
  /** Of the action. */
  readonly digest: Digest;
  /** SHA-256 of what was displayed (core/render/display.ts). */
  readonly shown: Sha256Hex;
  readonly decision: 'approve' | 'deny';
  readonly person: PersonId;
  /** SHA-256 of the policy set in force; null where the gate itself asks. */
  readonly policies: string | null;
  /** 16 random bytes, hexadecimal. */
  readonly nonce: string;
  readonly expiresAtMs: number;
}

/** How long a person has between being shown the action and signing it; and between beginning and finishing an enrolment. */
export const signingMs = 5 * 60_000;

/** Passkeys of one person that are not revoked, at most. */
export const passkeysMax = 20;

/** Domain separator of the challenge. Changing it is a new format. */
const domain = 'countersign.approval.v1\0';
/** The same where an existing passkey vouches for a new one. */
const enrolmentDomain = 'countersign.enrolment.v1\0';

/** RFC 8785 text of a statement: what is stored, and hashed. */
export const statementText = (statement: Statement): string => canonicalize({ ...statement });

/** The challenge: SHA-256 over the domain separator and the statement's text, hexadecimal. */
export const challengeOf = (text: string): string => sha256Hex(domain + text);

/** What an existing passkey signs so that its person may enrol another: one enrolment, named by its challenge. */
export const enrolmentText = (of: { readonly person: PersonId; readonly challenge: string }): string =>
  canonicalize({ v: 1, person: of.person, enrols: of.challenge });
export const enrolmentChallengeOf = (text: string): string => sha256Hex(enrolmentDomain + text);

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

declare const verified: unique symbol;
/** A proof whose signature, origin and relying party have been verified. Only `identity/passkeys.ts` makes one. */
export type VerifiedProof = Proof & { readonly [verified]: true };

const bytesOf = (base64url: string): Uint8Array => Buffer.from(base64url, 'base64url');

/** The challenge in what the browser signed, hexadecimal; null where it is no assertion of a passkey. */
export function signedChallengeOf(clientDataJSON: string): string | null {
  const read = readJson(bytesOf(clientDataJSON));
  const data = read.ok && isJsonObject(read.value) ? read.value : {};
  const { type, challenge } = data;
  return type === 'webauthn.get' && typeof challenge === 'string'
    ? Buffer.from(challenge, 'base64url').toString('hex')
    : null;
}

/** Flags of authenticator data (WebAuthn §6.1): the person was there, and the authenticator knew them. */
const present = 0x01;
const verifiedUser = 0x04;

/** Whether the authenticator itself says that it verified its person, by PIN, finger or face. */
const verifiedBy = ({ authenticatorData }: Proof): boolean => {
  const flags = bytesOf(authenticatorData)[32] ?? 0;
  return (flags & present) !== 0 && (flags & verifiedUser) !== 0;
};

/** How often the authenticator has signed, as it says; 0 where it does not count. */
export function counterOf({ authenticatorData }: Proof): number {
  const bytes = bytesOf(authenticatorData);
  return bytes.length < 37 ? 0 : new DataView(bytes.buffer, bytes.byteOffset + 33, 4).getUint32(0);
}

/** The fields of a statement's text; empty where it is none. */
function fieldsOf(text: string): JsonObject {
  const read = readJson(text);
  return read.ok && isJsonObject(read.value) ? read.value : {};
}

/** What a signature must name to count. */
export type Signs = Pick<Statement, 'approval' | 'digest' | 'decision' | 'person'>;

/** Whether a stored signature is over this very approval: asked again whenever a review is counted. */
export function signs(proof: Proof, of: Signs): boolean {
  const { v, approval, digest, decision, person } = fieldsOf(proof.statement);
  return (
    v === 1 &&
    approval === of.approval &&
    digest === of.digest &&
    decision === of.decision &&
    person === of.person &&
    signedChallengeOf(proof.clientDataJSON) === challengeOf(proof.statement) &&
    verifiedBy(proof)
  );
}

/** What the transaction knows of a signature. */
export interface Signed {
  /** The challenge that this gate issued; undefined where it issued none of that hash. */
  readonly begun: Begun | undefined;
  readonly passkey: Passkey | undefined;
  /** SHA-256 of what would be displayed now. */
  readonly shown: Sha256Hex;
  /** Of the policy set in force. */
  readonly policies: string | null;
  readonly nowMs: number;
}

/** What a challenge over an approval may finish. */
export const signingKind = 'passkey.sign';

const no = (detail: string, evidence: Refusal['evidence'] = {}): Refusal =>
  refuse('step_up_required', detail, evidence);

const textOf = (value: JsonValue | undefined): string | null => (typeof value === 'string' ? value : null);

/** Why a signature over an approval does not count; undefined where it does. @param tied whether somebody has a part in the action. */
export function refusesProof(
  proof: VerifiedProof,
  of: Signs,
  now: Signed & { readonly tied: (person: PersonId) => boolean },
): Refusal | undefined {
  const spent = spentFor(now.begun, signingKind, { person: of.person, nowMs: now.nowMs });
  if (spent !== undefined || now.begun?.body !== proof.statement)
    return no('The passkey signed nothing that this gate asked of you just now; look at it again and sign.', {
      challenge: spent ?? 'another statement',
    });
  if (!signs(proof, of))
    return no('The passkey signed something else than this approval; look at it again and sign.', {
      signed: proof.statement,
    });
  const statement = fieldsOf(proof.statement);
  if (statement['policies'] !== now.policies)
    return refuse('policy_changed', 'The policies changed while you were signing; look at it again.', {
      signed: textOf(statement['policies']),
      now: now.policies,
    });
  if (statement['shown'] !== now.shown)
    return refuse('digest_mismatch', 'What was shown has changed since; look at it again.', {
      signed: textOf(statement['shown']),
      now: now.shown,
    });
  return refusesPasskey(proof, of.person, now);
}

/** Why a passkey's signatures do not count for what a person does now. */
export function refusesPasskey(
  proof: VerifiedProof,
  person: PersonId,
  now: Pick<Signed, 'passkey' | 'nowMs'> & { readonly tied: (person: PersonId) => boolean },
): Refusal | undefined {
  const { passkey } = now;
  if (passkey === undefined || passkey.id !== proof.credential || passkey.publicKey !== proof.publicKey)
    return no('This passkey is not known here.', { credential: proof.credential });
  const evidence = { credential: passkey.id };
  if (passkey.person !== person) return no('This passkey belongs to somebody else.', evidence);
  if (passkey.revokedAtMs !== null) return no('This passkey was revoked.', evidence);
  // Whoever has a part in the action made nobody able to approve it sooner.
  const fromMs =
    passkey.confirmedBy !== null && now.tied(passkey.confirmedBy)
      ? passkey.coolsUntilMs
      : passkey.countsFromMs;
  if (now.nowMs < fromMs)
    return no(
      `This passkey is new, and counts from ${rfc3339(fromMs)}; an administrator may confirm it before.`,
      { ...evidence, countsFrom: rfc3339(fromMs) },
    );
  const counter = counterOf(proof);
  if ((counter > 0 || passkey.counter > 0) && counter <= passkey.counter)
    return no('This passkey’s counter ran backwards: it may have been copied. Revoke it.', {
      ...evidence,
      counter,
      known: passkey.counter,
    });
  return verifiedBy(proof)
    ? undefined
    : no('The passkey did not verify who used it, by PIN, finger or face.', evidence);
}
