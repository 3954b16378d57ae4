/**
 * Leaves: the canonical body of a Rekor v2 `hashedrekord` 0.0.2 entry over the DSSE pre-authentication encoding of an entry's
 * statement. It holds a digest, a signature and a public key: nothing about anybody, and about 485 bytes.
 *
 * The form is fixed for ever (test/log/leaf.test.ts pins it): stock verifiers of Sigstore bundles make it again from a bundle.
 */
import { createPublicKey, hash, sign, verify, type KeyObject } from 'node:crypto';
import { payloadType, preAuthentication } from '../core/entry.ts';
import type { Hash } from './merkle.ts';

/** What a leaf is made of. */
export interface LeafParts {
  /** SHA-256 of the PAE, 64 hexadecimal digits. */
  readonly pae: string;
  /** ECDSA P-256 with SHA-256 over the PAE, DER, base64. */
  readonly signature: string;
  /** SubjectPublicKeyInfo of the key, DER, base64. */
  readonly spki: string;
}

/** The body, in canonical JSON (RFC 8785): every value is base64, so it needs no escaping. */
const leafText = ({ pae, signature, spki }: LeafParts): string =>
  `{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{"data":{"algorithm":"SHA2_256","digest":"${Buffer.from(pae, 'hex').toString('base64')}"},"signature":{"content":"${signature}","verifier":{"keyDetails":"PKIX_ECDSA_P256_SHA_256","publicKey":{"rawBytes":"${spki}"}}}}}}`;

/** Its bytes: all of them ASCII. */
export const leafBody = (parts: LeafParts): Uint8Array => Buffer.from(leafText(parts), 'latin1');

/** `hashLeaf` of the body, without its bytes in between: the character 0 is the byte 0. */
export const leafHash = (parts: LeafParts): Hash => hash('sha256', `\0${leafText(parts)}`, 'buffer');

/** SubjectPublicKeyInfo of a private or public key, DER, base64. */
export const spkiOf = (key: KeyObject): string =>
  (key.type === 'private' ? createPublicKey(key) : key)
    .export({ type: 'spki', format: 'der' })
    .toString('base64');

/** The id of a receipt key: SHA-256 of its SPKI, 64 hexadecimal digits. */
export const receiptKeyId = (spki: string): string => hash('sha256', Buffer.from(spki, 'base64'), 'hex');

export const keyOfSpki = (spki: string): KeyObject =>
  createPublicKey({ key: Buffer.from(spki, 'base64'), format: 'der', type: 'spki' });

/** Signs a payload as DSSE says; DER, base64. */
export const signPayload = (body: string, key: KeyObject, type: string = payloadType): string =>
  sign('sha256', Buffer.from(preAuthentication(type, body)), key).toString('base64');

/** Whether a signature over a payload is this key's. */
export const verifyPayload = (
  body: string,
  signed: { readonly key: KeyObject; readonly signature: string; readonly type?: string },
): boolean =>
  verify(
    'sha256',
    Buffer.from(preAuthentication(signed.type ?? payloadType, body)),
    signed.key,
    Buffer.from(signed.signature, 'base64'),
  );
