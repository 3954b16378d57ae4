/**
 * The cryptography of passkeys (WebAuthn level 3). Promises: what is answered was signed by that key, for this gate's origin
 * and relying party, with user presence and user verification, over that challenge. What the signature is worth, and whether
 * its challenge was issued, is core's to say. Never throws on hostile input.
 */
import type { Passkey, VerifiedProof } from '../core/passkey.ts';
import type { Refusal } from '../core/refusal.ts';
import type { Result } from '../core/result.ts';

/** What a browser's `PublicKeyCredential.toJSON()` says of a signature; all base64url. */
export interface Assertion {
  readonly id: string;
  readonly clientDataJSON: string;
  readonly authenticatorData: string;
  readonly signature: string;
}

/** The same of a new passkey. */
export interface Registration {
  readonly id: string;
  readonly clientDataJSON: string;
  readonly attestationObject: string;
  readonly transports: readonly string[];
}

/** A new passkey, as its authenticator describes it. */
export type Attested = Pick<Passkey, 'id' | 'publicKey' | 'counter' | 'transports' | 'aaguid'>;

/** Where passkeys work. */
export interface Site {
  /** Relying party id: a host name, never an address. */
  readonly rpId: string;
  /** The only origin whose pages may sign. */
  readonly origin: string;
}

/** What redeems a granted enrolment: `cs_enrolment_…`. Only its hash is kept. */
export interface EnrolmentSecret {
  readonly token: string;
  /** SHA-256, hexadecimal. */
  readonly hash: string;
}

export interface Passkeys {
  /** The refusal says why this gate's origin can have none: it is an address, or neither https nor this machine's own. */
  readonly site: Result<Site, Refusal>;
  /** Reads a new passkey; `input_invalid` where it is none. @param challenge hexadecimal. */
  attested(registration: Registration, challenge: string): Promise<Result<Attested, Refusal>>;
  /** Verifies a signature; `step_up_required` where it is none. @param of `challenge`: hexadecimal, the hash of `statement`. */
  proven(
    assertion: Assertion,
    of: { readonly passkey: Passkey; readonly statement: string; readonly challenge: string },
  ): Promise<Result<VerifiedProof, Refusal>>;
  /** For the person who is granted an enrolment. */
  newEnrolment(): EnrolmentSecret;
  /** The hash of such a secret, or of a link that ends with it; undefined where it is none. */
  enrolmentHash(text: string): string | undefined;
}
