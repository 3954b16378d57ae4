/** Requests that are not judged: passed on, and the upstream's answer passed back as it was written. */
import type { JsonObject } from '../../core/json.ts';
import type { Parts } from '../../app/parts.ts';
import type { Refusal } from '../../core/refusal.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Classified } from './classify.ts';
import { shownDefinition } from './definitions.ts';
import type { Flight } from './flight.ts';
import { unavailable, type Link } from './link.ts';
import { errorText, notificationText, resultText, rpcCodes, type Answer, type RequestId } from './message.ts';
import type { Log } from './pipe.ts';
import { findTool, seenTools } from './pins.ts';

interface Out {
  readonly id: RequestId;
  readonly method: string;
  readonly params: JsonObject | undefined;
}

/** The text to answer with; null where the agent cancelled. */
export async function passOn(
  link: Link,
  request: Classified & { readonly kind: 'pass' },
  flight: Flight,
): Promise<string | null> {
  const answer = await exchange(link, request, flight);
  if (answer === null) return unheard(request.id, flight);
  if (!answer.ok) return refusedText(request.id, answer.error);
  if (answer.value.kind === 'result') remember(link, request);
  return answer.value.text;
}

/** One page of tools: pinned, those that are not enabled left out, and the reason argument added. */
export async function listTools(
  at: { readonly parts: Parts; readonly server: string; readonly log: Log },
  link: Link,
  request: Classified & { readonly kind: 'list' },
  flight: Flight,
): Promise<string | null> {
  const answer = await exchange(link, { ...request, method: 'tools/list' }, flight);
  if (answer === null) return unheard(request.id, flight);
  if (!answer.ok) return refusedText(request.id, answer.error);
  if (answer.value.kind === 'error') return answer.value.text;
  const { result } = answer.value;
  const seen = seenTools(result['tools'], at.log);
  const pinned = await link.page(seen);
  if (!pinned.ok) return refusedText(request.id, pinned.error);
  const tools = seen.flatMap((tool) => {
    const found = findTool(at.parts, at.server, tool.name, tool.hash);
    return found.kind === 'enabled' ? [shownDefinition(tool.definition, found.entry)] : [];
  });
  return resultText(request.id, { ...result, tools });
}

/** Sends a request; once more where the upstream had forgotten the session, and so did nothing. Null where nobody waits. */
async function exchange(link: Link, out: Out, flight: Flight): Promise<Result<Answer, Refusal> | null> {
  // These have no effect that anybody waits for: once the agent is gone nobody could read the answer.
  const { signal } = flight.left;
  for (let tries = 0; ; tries += 1) {
    const live = await link.live();
    if (!live.ok) return live;
    const cancelled = new Promise<null>((resolve) => {
      if (signal.aborted) resolve(null);
      else signal.addEventListener('abort', () => resolve(null), { once: true });
    });
    const answer = await Promise.race([live.value.request(out.id, out.method, out.params), cancelled]);
    if (answer === null) {
      live.value.forget(out.id);
      void live.value.tell(notificationText('notifications/cancelled', { requestId: out.id }));
      return null;
    }
    if (answer.ok) return ok(answer.value);
    if (answer.error.kind !== 'session' || tries > 0) return err(unavailable(answer.error.detail));
  }
}

/** A cancelled request has no answer; one whose session closes is told so, if anybody is there. */
const unheard = (id: RequestId, flight: Flight): string | null =>
  flight.cancelled.signal.aborted ? null : refusedText(id, unavailable('the session is closing'));

const refusedText = (id: RequestId, refusal: Refusal): string =>
  errorText(id, { code: rpcCodes.gate, message: refusal.detail, data: { code: refusal.code } });

/** What an agent sets for the whole connection holds on the next connection too. */
function remember(link: Link, { method, params = {} }: Classified & { readonly kind: 'pass' }): void {
  const uri = typeof params['uri'] === 'string' ? params['uri'] : '';
  if (method === 'logging/setLevel') link.remember('level', { method, params });
  if (method === 'resources/subscribe') link.remember(`uri ${uri}`, { method, params });
  if (method === 'resources/unsubscribe') link.remember(`uri ${uri}`, null);
}
