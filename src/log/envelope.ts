/**
 * DSSE envelopes (secure-systems-lab/dsse, envelope.md) with one signature, as verifiers of Sigstore bundles demand. What people
 * signed is inside the payload; the envelope is the gate's own.
 */
import type { KeyObject } from 'node:crypto';
import { payloadType } from '../core/entry.ts';
import { signPayload } from './leaf.ts';

/** Its JSON form; all binary fields are standard base64. */
export interface Envelope {
  readonly payload: string;
  readonly payloadType: string;
  readonly signatures: readonly [{ readonly sig: string }];
}

/** @param signature ECDSA P-256 over the PAE of the body, DER, base64. */
export const envelopeOf = (body: string, signature: string, type: string = payloadType): Envelope => ({
  payload: Buffer.from(body).toString('base64'),
  payloadType: type,
  signatures: [{ sig: signature }],
});

/** Signs a document of ours; JSON. */
export const signEnvelope = (type: string, body: string, key: KeyObject): string =>
  JSON.stringify(envelopeOf(body, signPayload(body, key, type), type));
