/**
 * The signature that comes with a review: verified against the challenge that this gate issued. Whether it counts is core's to
 * say, in the transaction that records the review.
 */
import { signedChallengeOf, signingKind, type VerifiedProof } from '../core/passkey.ts';
import { refuse, type Refusal } from '../core/refusal.ts';
import type { Assertion } from '../ports/passkeys.ts';
import type { Parts } from './parts.ts';

export const noPasskeys = refuse('step_up_required', 'This gate has no passkeys.');

/** What a review carries of a signature that came with it: verified, or why it is none. */
export type Carried = { readonly proof: VerifiedProof } | { readonly unproven: Refusal };

/** Verifies a signature over an approval against the challenge that this gate issued for it. */
export async function proofOf(parts: Parts, assertion: Assertion): Promise<Carried> {
  if (parts.passkeys === undefined) return { unproven: noPasskeys };
  const challenge = signedChallengeOf(assertion.clientDataJSON);
  const [begun, passkey] = await Promise.all([
    challenge === null ? undefined : parts.store.begun(challenge),
    parts.store.passkey(assertion.id),
  ]);
  if (challenge === null || begun?.kind !== signingKind)
    return {
      unproven: refuse('step_up_required', 'The passkey signed nothing that this gate asked for.', {
        challenge,
      }),
    };
  if (passkey === undefined)
    return {
      unproven: refuse('step_up_required', 'This passkey is not known here.', {
        credential: assertion.id.slice(0, 200),
      }),
    };
  const proven = await parts.passkeys.proven(assertion, { passkey, statement: begun.body, challenge });
  return proven.ok ? { proof: proven.value } : { unproven: proven.error };
}
