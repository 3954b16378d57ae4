/**
 * Passkeys by `@simplewebauthn/server`: the only file that imports it, and the only maker of a `VerifiedProof`. User
 * verification is required, the origin and the relying party are this gate's own, and nothing is signed in a frame.
 *
 * Residual: an authenticator in software can say that it is any other. The one that browsers bring for tests names itself and
 * is refused, unless the configuration allows it by name.
 */
import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server';
import { decodeCredentialPublicKey } from '@simplewebauthn/server/helpers';
import { isJsonObject } from '../core/json.ts';
import type { Passkey, VerifiedProof } from '../core/passkey.ts';
import { readJson } from '../core/read-json.ts';
import { refuse, type Refusal } from '../core/refusal.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Assertion, Passkeys, Registration, Site } from '../ports/passkeys.ts';
import type { Random } from '../ports/random.ts';
import { hashOf, newSecret, type Secret } from './secrets.ts';

/** Chromium's virtual authenticator (WebDriver, CDP), where it is asked for direct attestation. */
const virtualAaguid = '01020304-0506-0708-0102-030405060708';

/** ES256, EdDSA, RS256 (RFC 9053): what every public tool verifies. */
export const algorithms = [-7, -8, -257] as const;

/** Base64url characters of each part; authenticators need a small part of this. */
const charsMax = {
  id: 1400,
  clientDataJSON: 8192,
  authenticatorData: 8192,
  signature: 4096,
  attestationObject: 65_536,
};
const transportsMax = 10;

export interface PasskeyParts {
  /** The public origin, without a slash at its end. */
  readonly origin: string;
  /** Lets browsers that a program drives pose as a person; for tests. */
  readonly allowVirtualAuthenticator: () => boolean;
  readonly random: Random;
}

/** Makes the secret of a granted enrolment; the command line prints it as a link. */
export const newEnrolment = (random: Random): Secret => newSecret(random, 'enrolment');

export function createPasskeys({ origin, allowVirtualAuthenticator, random }: PasskeyParts): Passkeys {
  const site = siteOf(origin);
  return {
    site,
    attested: async (registration, challenge) => {
      if (!site.ok) return site;
      const bad = badPart(registration);
      if (bad !== undefined) return err(noPasskey(`its ${bad} is not base64url of a fair size`));
      return attested(registration, {
        challenge,
        site: site.value,
        allowVirtualAuthenticator: allowVirtualAuthenticator(),
      });
    },
    proven: async (assertion, of) => {
      if (!site.ok) return site;
      const bad = badPart(assertion);
      return bad === undefined
        ? proven(assertion, { ...of, site: site.value })
        : err(noProof(`its ${bad} is not base64url of a fair size`));
    },
    newEnrolment: () => newEnrolment(random),
    enrolmentHash: (text) => hashOf('enrolment', text.slice(text.lastIndexOf('#') + 1).trim()),
  };
}

const noPasskey = (why: string): Refusal =>
  refuse('input_invalid', `This is no passkey that can be enrolled here: ${why}.`, { why });
const noProof = (why: string): Refusal =>
  refuse('step_up_required', `This is no signature that counts here: ${why}.`, { why });

/** WebAuthn §5.1.4.1: a secure context, and a domain as the relying party. Of http only `localhost` is one. */
function siteOf(origin: string): Result<Site, Refusal> {
  const { hostname, protocol, port } = new URL(origin);
  if (/^[\d.]+$|^\[/.test(hostname)) {
    const at = `http://localhost${port === '' ? '' : `:${port}`}`;
    return err(
      refuse(
        'step_up_required',
        `Passkeys need a host name, and this gate calls itself by the address ${hostname}; set url to a name such as ${at}.`,
        { origin },
      ),
    );
  }
  if (protocol !== 'https:' && hostname !== 'localhost' && !hostname.endsWith('.localhost'))
    return err(refuse('step_up_required', 'Passkeys need https, or a gate at http://localhost.', { origin }));
  return ok({ rpId: hostname, origin });
}

const isBase64url = (text: string): boolean =>
  /^[A-Za-z0-9_-]+$/.test(text) && Buffer.from(text, 'base64url').toString('base64url') === text;

/** The first part that is too large, empty, or has more than one spelling. */
function badPart(parts: object): string | undefined {
  const given: Readonly<Record<string, unknown>> = { ...parts };
  return Object.entries(charsMax).find(([name, max]) => {
    const text = given[name];
    return text !== undefined && !(typeof text === 'string' && text.length <= max && isBase64url(text));
  })?.[0];
}

/** What the browser says that it signed, read strictly: no key twice. A frame of another site signs nothing. */
function inFrame(clientDataJSON: string): boolean {
  const read = readJson(Buffer.from(clientDataJSON, 'base64url'));
  return !read.ok || !isJsonObject(read.value) || (read.value['crossOrigin'] ?? false) !== false;
}

const base64urlOf = (hexadecimal: string): string => Buffer.from(hexadecimal, 'hex').toString('base64url');
const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : 'it cannot be read');

async function attested(
  registration: Registration,
  of: { readonly challenge: string; readonly site: Site; readonly allowVirtualAuthenticator: boolean },
): ReturnType<Passkeys['attested']> {
  const { id, clientDataJSON, attestationObject } = registration;
  if (inFrame(clientDataJSON)) return err(noPasskey('it was made in a frame'));
  try {
    const result = await verifyRegistrationResponse({
      response: {
        id,
        rawId: id,
        type: 'public-key',
        clientExtensionResults: {},
        response: { clientDataJSON, attestationObject },
      },
      expectedChallenge: base64urlOf(of.challenge),
      expectedOrigin: of.site.origin,
      expectedRPID: of.site.rpId,
      requireUserVerification: true,
      supportedAlgorithmIDs: [...algorithms],
    });
    if (!result.verified) return err(noPasskey('its attestation does not hold'));
    const { aaguid, credential } = result.registrationInfo;
    // The browser's word for it is compared with the authenticator's.
    if (credential.id !== id) return err(noPasskey('it names another credential than its authenticator'));
    if (aaguid === virtualAaguid && !of.allowVirtualAuthenticator)
      return err(noPasskey('a browser’s virtual authenticator proves no person'));
    const publicKey = Buffer.from(credential.publicKey).toString('base64url');
    publicKeyOf(publicKey);
    const transports = registration.transports
      .filter((one) => /^[a-z-]{1,20}$/.test(one))
      .slice(0, transportsMax);
    return ok({ id, publicKey, counter: credential.counter, transports, aaguid });
  } catch (error) {
    return err(noPasskey(reasonOf(error)));
  }
}

async function proven(
  assertion: Assertion,
  of: {
    readonly passkey: Passkey;
    readonly statement: string;
    readonly challenge: string;
    readonly site: Site;
  },
): Promise<Result<VerifiedProof, Refusal>> {
  const { id, clientDataJSON, authenticatorData, signature } = assertion;
  const { passkey } = of;
  if (inFrame(clientDataJSON)) return err(noProof('it was made in a frame'));
  if (id !== passkey.id) return err(noProof('it names another passkey'));
  try {
    const { verified } = await verifyAuthenticationResponse({
      response: {
        id,
        rawId: id,
        type: 'public-key',
        clientExtensionResults: {},
        response: { clientDataJSON, authenticatorData, signature },
      },
      expectedChallenge: base64urlOf(of.challenge),
      expectedOrigin: of.site.origin,
      expectedRPID: of.site.rpId,
      requireUserVerification: true,
      credential: {
        id: passkey.id,
        publicKey: new Uint8Array(Buffer.from(passkey.publicKey, 'base64url')),
        // The counter is judged by core, on the row that its transaction reads.
        counter: 0,
      },
    });
    if (!verified) return err(noProof('the signature does not verify'));
    const { publicKey } = passkey;
    const proof = { kind: 'passkey', credential: id, publicKey, statement: of.statement } as const;
    // The cast is the brand: this line is the only maker of a VerifiedProof.
    return ok({ ...proof, clientDataJSON, authenticatorData, signature } as VerifiedProof);
  } catch (error) {
    return err(noProof(reasonOf(error)));
  }
}

/** A COSE_Key (RFC 9052 §7) as other tools take it: SPKI in PEM, with what `fido2-assert` calls its type. Throws on any other. */
export function publicKeyOf(cose: string): {
  readonly pem: string;
  readonly type: 'es256' | 'rs256' | 'eddsa';
} {
  // It is a Map of the labels of RFC 9052 and 9053; the library types some of them.
  const map = decodeCredentialPublicKey(new Uint8Array(Buffer.from(cose, 'base64url'))) as unknown as Map<
    unknown,
    unknown
  >;
  const part = (label: number): string => {
    const value = map.get(label);
    if (!(value instanceof Uint8Array)) throw new TypeError(`the key lacks its parameter ${label}`);
    return Buffer.from(value).toString('base64url');
  };
  const pem = (key: JsonWebKey): string =>
    createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString();
  const [kty, alg, curve] = [map.get(1), map.get(3), map.get(-1)];
  if (kty === 2 && alg === -7 && curve === 1)
    return { type: 'es256', pem: pem({ kty: 'EC', crv: 'P-256', x: part(-2), y: part(-3) }) };
  if (kty === 1 && alg === -8 && curve === 6)
    return { type: 'eddsa', pem: pem({ kty: 'OKP', crv: 'Ed25519', x: part(-2) }) };
  if (kty === 3 && alg === -257) return { type: 'rs256', pem: pem({ kty: 'RSA', n: part(-1), e: part(-2) }) };
  throw new TypeError(`the key's algorithm ${String(alg)} is none of ES256, EdDSA and RS256`);
}
