/**
 * One configured webhook: CloudEvents 1.0 in structured mode, signed after Standard Webhooks (standard-webhooks.ts). Two halves:
 * `webhookRequest` makes the request, `judge` reads the answer; `createWebhook` only sends. The body tells that there is
 * something to decide and where, never the action's input.
 */
import { approvalStatusOf, requirementsOf, stateOf } from '../core/case.ts';
import { escalatedTo } from '../core/escalation.ts';
import type { PersonId } from '../core/ids.ts';
import { err, ok } from '../core/result.ts';
import { rfc3339 } from '../core/time.ts';
import { visibleLine } from '../core/visible.ts';
import type { Channel, Delivered, Told } from '../ports/channel.ts';
import { retryAfterMs } from './retry-after.ts';
import { signedHeaders } from './standard-webhooks.ts';

export interface WebhookSettings {
  readonly url: string;
  /** `whsec_` and base64, as Standard Webhooks writes it; any other text is taken as UTF-8 bytes. */
  readonly secret: string;
}

/** How long a receiver may take. */
const timeoutMs = 10_000;

/** The channel `webhook`. @param nowMs of the machine: receivers compare it with theirs. */
export function createWebhook(settings: WebhookSettings, nowMs: () => number): Channel {
  return {
    name: 'webhook',
    deliver: async (told) => {
      try {
        const signal = AbortSignal.timeout(timeoutMs);
        const response = await fetch(webhookRequest(settings, told, nowMs()), { signal });
        // The answer's body says nothing to us; leaving it unread would keep the connection.
        await response.body?.cancel();
        return answered(response, nowMs());
      } catch (error) {
        // Nobody has answered: the next notice would meet the same.
        return err({ detail: reasonOf(error), retryable: true, whole: true });
      }
    },
  };
}

function answered({ status, headers }: Response, nowMs: number): Delivered {
  // A page of a proxy (maintenance, a sign-in) comes and goes, and never had the notice.
  if (status >= 300 && status < 400)
    return err({
      detail: `the receiver answered ${status}, and redirects are not followed`,
      retryable: true,
    });
  const judged = judge(status, 'webhook');
  const waitMs =
    status === 429 || status === 503 ? retryAfterMs(headers.get('retry-after'), nowMs) : undefined;
  // Whoever says how long to be left alone is left alone with everything.
  return judged.ok || waitMs === undefined
    ? judged
    : err({ ...judged.error, retryAfterMs: waitMs, whole: true });
}

/** The signed request. A repeat has the same `webhook-id` and a new timestamp. */
export function webhookRequest(settings: WebhookSettings, told: Told, nowMs: number): Request {
  const body = JSON.stringify(eventOf(told));
  return new Request(settings.url, {
    method: 'POST',
    // A redirect could carry the notice to somebody else.
    redirect: 'manual',
    headers: signedHeaders(settings.secret, { id: told.id, nowMs, body, contentType: cloudEventType }),
    body,
  });
}

/** The media type of structured mode (CloudEvents HTTP protocol binding 1.0.2 §3.2). */
export const cloudEventType = 'application/cloudevents+json';

/** What receivers get: a CloudEvent (spec 1.0.2 §3). Fields of `data` may be added; none is renamed. */
export function eventOf(told: Told): Readonly<Record<string, unknown>> {
  const { approval } = told.case;
  return {
    specversion: '1.0',
    // With `source` the same at every repeat: receivers drop what they have seen.
    id: told.id,
    // The gate's own name: every link of a notice begins with it.
    source: new URL(told.url).origin,
    type: `dev.countersign.${told.kind}`,
    ...(approval === null ? {} : { subject: approval.id }),
    time: rfc3339(told.nowMs),
    datacontenttype: 'application/json',
    data: dataOf(told),
  };
}

function dataOf(told: Told): object {
  const { asked: of, approval } = told.case;
  return {
    approval: approval?.id ?? null,
    url: told.url,
    headline: visibleLine(told.headline),
    operation: of.action.operation,
    agent: of.action.agent,
    expiresAt: approval === null ? null : rfc3339(approval.expiresAtMs),
    status: approvalStatusOf(told.case, told.nowMs),
    // Of the action: what became of the run, once there is one.
    state: stateOf(told.case, told.nowMs),
    // The groups whose people may approve.
    approvers: [...new Set(requirementsOf(told.case).map((one) => one.approvers))],
    // Whoever passes this on tells the agent's owners every outcome.
    owners: told.owners.map(({ id, name }) => ({ id, name: visibleLine(name) })),
    ...glassData(told),
    ...(told.kind === 'approval.escalated' ? { escalatedTo: escalatedTo(told.case, told.nowMs) } : {}),
  };
}

/** Of a notice about break-glass: what passes without people until when, and who had a part in it. */
function glassData({ glass }: Told): object {
  if (glass === undefined) return {};
  const { id, agent, operation, fromMs, untilMs, asker, approvers, reason, ended, review } = glass.now;
  const person = (of: PersonId): object => ({ id: of, name: visibleLine(glass.names.get(of) ?? of) });
  return {
    glass: {
      id,
      agent,
      operation,
      from: rfc3339(fromMs),
      until: rfc3339(untilMs),
      asker: person(asker),
      approvers: approvers.map(person),
      reason: visibleLine(reason),
      ended: ended === null ? null : { at: rfc3339(ended.atMs), why: ended.why },
      reviewed: review === null ? null : { at: rfc3339(review.atMs), by: person(review.by) },
    },
  };
}

/**
 * What a status means: delivered; gone for good (410); our mistake, which repeating does not mend; or try again.
 * @param to the channel, for the proof.
 */
export function judge(status: number, to: string): Delivered {
  if (status >= 200 && status < 300) return ok([{ to, ref: null }]);
  const retryable = status === 408 || status === 429 || status >= 500;
  return err({ detail: `the receiver answered ${status}`, retryable });
}

/** `fetch` hides the reason in `cause`. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `the receiver did not answer within ${timeoutMs / 1000} s`;
  const cause: unknown = error.cause;
  return cause instanceof Error ? `${error.message} (${cause.message})` : error.message;
}
