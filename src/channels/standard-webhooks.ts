/** Signing after Standard Webhooks 1.0.0 (github.com/standard-webhooks, spec §"Signature scheme"), for what the gate posts. */
import { Webhook } from 'standardwebhooks';

/** What is signed: the same id at every repeat, the time of this one, and the body as it is sent. */
export interface Message {
  readonly id: string;
  readonly nowMs: number;
  readonly body: string;
  /** Of the body; default: `application/json`. Not signed. */
  readonly contentType?: string;
}

/** The headers of a message. A repeat has the same `webhook-id` and a new timestamp. Throws where the secret holds no key. */
export function signedHeaders(
  secret: string,
  { id, nowMs, body, contentType = 'application/json' }: Message,
): Readonly<Record<string, string>> {
  // Bytes, not the text: the library knows no secret that is written as it is.
  const signer = new Webhook(keyOf(secret), { format: 'raw' });
  return {
    'content-type': contentType,
    'user-agent': 'countersign',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(nowMs / 1000)),
    'webhook-signature': signer.sign(id, new Date(nowMs), body),
  };
}

/** The key that a secret stands for: `whsec_` and base64, as Standard Webhooks writes it, or else its UTF-8 bytes. */
export const keyOf = (secret: string): Uint8Array =>
  secret.startsWith('whsec_')
    ? Buffer.from(secret.slice('whsec_'.length), 'base64')
    : Buffer.from(secret, 'utf8');
