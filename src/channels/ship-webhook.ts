/**
 * Ships the log to an HTTP receiver: CloudEvents 1.0, several in batched mode and one alone in structured mode (HTTP protocol
 * binding 1.0.2 §3.2, §3.3), signed after Standard Webhooks. A receiver that takes no batches (415), or none so large (413), gets
 * one event at a time from then on. What has arrived is what was answered with 2xx.
 */
import { createHash } from 'node:crypto';
import { err, ok, type Result } from '../core/result.ts';
import type { ShipFormat } from '../ports/log-settings.ts';
import type { Shipped, ShipFailure, Shipper } from '../ports/shipper.ts';
import { retryAfterMs } from './retry-after.ts';
import { signedHeaders } from './standard-webhooks.ts';
import { cloudEventType, type WebhookSettings } from './webhook.ts';

/** The media type of batched mode. */
const cloudEventsType = 'application/cloudevents-batch+json';

export interface ShipWebhook extends WebhookSettings {
  readonly name: string;
  readonly format: ShipFormat;
  /** The `source` of every event: the gate's public origin. */
  readonly source: string;
}

/** @param nowMs of the machine: receivers compare it with theirs. */
export function createShipWebhook(settings: ShipWebhook, nowMs: () => number): Shipper {
  let oneByOne = false;
  const post = async (events: readonly Shipped[], signal: AbortSignal): Promise<Answered> => {
    try {
      const response = await fetch(shipRequest(settings, events, nowMs()), { signal });
      // The answer's body says nothing to us; leaving it unread would keep the connection.
      await response.body?.cancel();
      return { status: response.status, waitMs: retryAfterMs(response.headers.get('retry-after'), nowMs()) };
    } catch (error) {
      return { status: null, reason: reasonOf(error, signal) };
    }
  };
  return {
    name: settings.name,
    async send(batch, signal) {
      if (!oneByOne && batch.length > 1) {
        const answered = await post(batch, signal);
        oneByOne = answered.status === 413 || answered.status === 415;
        if (!oneByOne) return judged(answered, 0);
      }
      for (const [arrived, one] of batch.entries()) {
        const sent = judged(await post([one], signal), arrived);
        if (!sent.ok) return sent;
      }
      return ok(null);
    },
    close: () => Promise.resolve(),
  };
}

type Answered =
  | { readonly status: number; readonly waitMs: number | undefined }
  | { readonly status: null; readonly reason: string };

function judged(answered: Answered, arrived: number): Result<null, ShipFailure> {
  if (answered.status === null) return err({ detail: answered.reason, arrived });
  const { status, waitMs } = answered;
  if (status >= 200 && status < 300) return ok(null);
  const redirects = status >= 300 && status < 400 ? ', and redirects are not followed' : '';
  const wait = (status === 429 || status === 503) && waitMs !== undefined ? { retryAfterMs: waitMs } : {};
  return err({ detail: `the receiver answered ${status}${redirects}`, arrived, ...wait });
}

/** The signed request. A repeat of the same entries has the same `webhook-id` and a new timestamp. */
function shipRequest(settings: ShipWebhook, entries: readonly Shipped[], atMs: number): Request {
  const events = entries.map((one) => eventOf(settings, one));
  const [first] = events;
  const alone = events.length === 1 ? first : undefined;
  const body = JSON.stringify(alone ?? events);
  // Standard Webhooks wants no full stop in it, and an id of ours has a host name's.
  const names = entries.map((one) => one.id).join('\n');
  const id = `log_${createHash('sha256').update(names).digest('hex').slice(0, 32)}`;
  const contentType = alone === undefined ? cloudEventsType : cloudEventType;
  return new Request(settings.url, {
    method: 'POST',
    // A redirect could carry the log to somebody else.
    redirect: 'manual',
    headers: signedHeaders(settings.secret, { id, nowMs: atMs, body, contentType }),
    body,
  });
}

/** One entry as a CloudEvent (spec 1.0.2 §3). `id` with `source` is the same at every repeat: receivers drop what they have seen. */
export function eventOf(
  { source, format }: Pick<ShipWebhook, 'source' | 'format'>,
  { id, at, about, body }: Shipped,
): Readonly<Record<string, unknown>> {
  return {
    specversion: '1.0',
    id,
    source,
    type: `dev.countersign.log.${format}.v1`,
    ...(about.action === null ? {} : { subject: about.action }),
    time: at,
    datacontenttype: 'application/json',
    data: body,
  };
}

/** Never what `fetch` says itself: that may be the URL, which may hold a key. Its cause is a code of the network. */
function reasonOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'the receiver did not answer in time';
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  const code: unknown =
    typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
  return `the receiver cannot be reached${typeof code === 'string' ? ` (${code})` : ''}`;
}
