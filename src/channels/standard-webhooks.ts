/** Signing after Standard Webhooks 1.0.0 (github.com/standard-webhooks, spec §"Signature scheme"), for what the gate posts. */
import { createHmac } from 'node:crypto';

/** What is signed: the same id at every repeat, the time of this one, and the body as it is sent. */
export interface Message {
  readonly id: string;
  readonly nowMs: number;
  readonly body: string;
}

/** The headers of a message. A repeat has the same `webhook-id` and a new timestamp. */
export function signedHeaders(
  secret: string,
  { id, nowMs, body }: Message,
): Readonly<Record<string, string>> {
  const seconds = String(Math.floor(nowMs / 1000));
  const signature = createHmac('sha256', keyOf(secret)).update(`${id}.${seconds}.${body}`).digest('base64');
  return {
    'content-type': 'application/json',
    'user-agent': 'countersign',
    'webhook-id': id,
    'webhook-timestamp': seconds,
    'webhook-signature': `v1,${signature}`,
  };
}

/** The key that a secret stands for: `whsec_` and base64, as Standard Webhooks writes it, or else its UTF-8 bytes. */
export const keyOf = (secret: string): Uint8Array =>
  secret.startsWith('whsec_')
    ? Buffer.from(secret.slice('whsec_'.length), 'base64')
    : Buffer.from(secret, 'utf8');
