/**
 * Wakes the workflow that asked: the channel `callback` posts an action's state to the URL that its agent gave, when the wait
 * for people ends. Signed after Standard Webhooks, so that a receiver knows who called. The URL is held to the operator's list
 * once more, because the list may have changed since; what its name resolves to is judged at every try (pinned-post.ts).
 *
 * Promise: after an answer of 2xx the notice is done and not posted again. Repeats carry the same `webhook-id`.
 */
import { readCallback, type CallbackRules } from '../core/callback.ts';
import type { Case } from '../core/case.ts';
import { err, ok } from '../core/result.ts';
import type { Channel } from '../ports/channel.ts';
import { postPinned, systemNet, type Net } from './pinned-post.ts';
import { signedHeaders } from './standard-webhooks.ts';
import { judge } from './webhook.ts';

export interface CallbackSettings extends CallbackRules {
  /** As that of a webhook: `whsec_` and base64, or plain text. */
  readonly secret: string;
}

/** How long one try may take altogether. */
export const callbackTimeoutMs = 10_000;

export interface CallbackParts {
  /** Null where callbacks are not configured (any more): what was promised then fails, on record. */
  readonly settings: CallbackSettings | null;
  /** What the agent sees of its own action. */
  readonly body: (held: Case) => object;
  /** Of the machine: receivers compare it with theirs. */
  readonly nowMs: () => number;
  readonly net?: Net;
  readonly timeoutMs?: number;
}

/** The channel `callback`. Cases without one need nothing of it. */
export function createCallback({
  settings,
  body,
  nowMs,
  net = systemNet,
  timeoutMs = callbackTimeoutMs,
}: CallbackParts): Channel {
  return {
    name: 'callback',
    deliver: async (told) => {
      const { callback } = told.case.asked;
      if (callback === null) return ok([]);
      const url = readCallback(callback, settings);
      if (!url.ok || settings === null)
        return err({ detail: url.ok ? 'callbacks are not configured' : url.error.detail, retryable: false });
      const text = JSON.stringify(body(told.case));
      const posted = await postPinned(
        url.value,
        {
          headers: signedHeaders(settings.secret, { id: told.id, nowMs: nowMs(), body: text }),
          body: text,
          privateAddresses: settings.privateAddresses,
          timeoutMs,
        },
        net,
      );
      return posted.ok ? judge(posted.value, 'callback') : posted;
    },
  };
}
