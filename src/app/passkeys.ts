/** Enrolling, granting, confirming and revoking passkeys: each ends in one command of the store (core/steps/passkeys.ts decides). */
import type { Way } from '../core/accounts.ts';
import type { Command } from '../core/command.ts';
import type { PersonId } from '../core/ids.ts';
import { enrolmentChallengeOf, enrolmentText, signingMs, type VerifiedProof } from '../core/passkey.ts';
import { refuse, type Refusal } from '../core/refusal.ts';
import { err, ok, type Result } from '../core/result.ts';
import { sha256Hex } from '../core/sha256.ts';
import { enrolKind } from '../core/steps/passkeys.ts';
import type { Assertion, Registration } from '../ports/passkeys.ts';
import type { Parts } from './parts.ts';
import { noPasskeys } from './proof.ts';
import { refusalOf } from './review.ts';
import { base64urlOf, refusesPace, usable, type Asking } from './signing.ts';

/** How long a granted enrolment can be redeemed. */
export const enrolmentMs = 24 * 3_600_000;
/** Characters of what a person calls a passkey. */
export const nameCharsMax = 60;

const change = async (parts: Parts, command: Command): Promise<Result<null, Refusal>> => {
  const result = await parts.store.change(command);
  return result.ok ? ok(null) : err(refusalOf(result.error));
};

export interface Enrolling extends Asking {
  /** For the challenge of the new passkey; `challenge` itself is for a passkey that vouches for it. */
  readonly create: string;
  /** Names the person to the authenticator, base64url; says nothing about them. */
  readonly user: string;
}

/** Issues the challenge for one new passkey; where the person has one already, the same answer says what that one signs. */
export async function beginEnrolment(parts: Parts, person: PersonId): Promise<Result<Enrolling, Refusal>> {
  const site = parts.passkeys?.site ?? err(noPasskeys);
  if (!site.ok) return site;
  const pace = refusesPace(parts, person);
  if (pace !== undefined) return err(pace);
  const challenge = Buffer.from(parts.random.bytes(32)).toString('hex');
  const expiresAtMs = parts.clock.nowMs() + signingMs;
  const begun = { hash: challenge, kind: enrolKind, person, body: '', expiresAtMs };
  const result = await change(parts, { kind: 'begin', begun });
  if (!result.ok) return result;
  return ok({
    rpId: site.value.rpId,
    create: base64urlOf(challenge),
    challenge: base64urlOf(enrolmentChallengeOf(enrolmentText({ person, challenge }))),
    allow: (await usable(parts, person)).map(({ id, transports }) => ({ id, transports })),
    user: base64urlOf(sha256Hex(`countersign.person.v1\0${parts.origin}\0${person}`)),
    expiresAtMs,
  });
}

export interface EnrolInput {
  readonly name: string;
  /** As `Enrolling.create` said it. */
  readonly challenge: string;
  readonly registration: Registration;
  /** A granted enrolment's secret; null where a passkey vouches. */
  readonly grant: string | null;
  readonly assertion: Assertion | null;
}

/** Adds a passkey to a person. */
export async function enrol(
  parts: Parts,
  person: PersonId,
  input: EnrolInput,
): Promise<Result<null, Refusal>> {
  const { passkeys } = parts;
  if (passkeys === undefined) return err(noPasskeys);
  const challenge = Buffer.from(input.challenge, 'base64url').toString('hex');
  const attested = await passkeys.attested(input.registration, challenge);
  if (!attested.ok) return attested;
  const grant = input.grant === null ? null : passkeys.enrolmentHash(input.grant);
  if (grant === undefined)
    return err(
      refuse('not_permitted', 'This enrolment was used, is too old, or was granted to somebody else.'),
    );
  const proof = await vouching(parts, person, { challenge, assertion: input.assertion });
  if (!proof.ok) return proof;
  const name = input.name.trim().slice(0, nameCharsMax);
  return change(parts, {
    kind: 'enrolPasskey',
    person,
    challenge,
    grant,
    proof: proof.value,
    passkey: { ...attested.value, name: name === '' ? 'Passkey' : name },
    coolOffMs: parts.limits.coolOffMs,
  });
}

/** The signature of a passkey that vouches for a new one, verified; null where none came. */
async function vouching(
  parts: Parts,
  person: PersonId,
  of: { readonly challenge: string; readonly assertion: Assertion | null },
): Promise<Result<VerifiedProof | null, Refusal>> {
  if (of.assertion === null || parts.passkeys === undefined) return ok(null);
  const passkey = await parts.store.passkey(of.assertion.id);
  if (passkey === undefined) return err(refuse('step_up_required', 'This passkey is not known here.'));
  const statement = enrolmentText({ person, challenge: of.challenge });
  return parts.passkeys.proven(of.assertion, {
    passkey,
    statement,
    challenge: enrolmentChallengeOf(statement),
  });
}

/** A person, with how they proved who they are: what is new itself vouches for nothing. */
export interface Speaker {
  readonly id: PersonId;
  readonly way: Way | undefined;
}

/** Lets somebody else enrol one passkey. The secret is shown once, to whoever grants it, for that person. */
export async function grantEnrolment(
  parts: Parts,
  by: Speaker,
  person: PersonId,
): Promise<Result<{ readonly token: string; readonly url: string; readonly expiresAtMs: number }, Refusal>> {
  const secret = parts.passkeys?.newEnrolment();
  if (secret === undefined) return err(noPasskeys);
  const expiresAtMs = parts.clock.nowMs() + enrolmentMs;
  const granted = await change(parts, {
    kind: 'grantPasskey',
    person,
    by: { kind: 'person', id: by.id },
    way: by.way,
    hash: secret.hash,
    expiresAtMs,
  });
  return granted.ok
    ? ok({ token: secret.token, url: `${parts.origin}/passkeys#${secret.token}`, expiresAtMs })
    : granted;
}

export const confirmPasskey = (parts: Parts, by: Speaker, passkey: string): Promise<Result<null, Refusal>> =>
  change(parts, { kind: 'confirmPasskey', passkey, by: by.id, way: by.way });

export const revokePasskey = (parts: Parts, by: PersonId, passkey: string): Promise<Result<null, Refusal>> =>
  change(parts, { kind: 'revokePasskey', passkey, by: { kind: 'person', id: by } });
