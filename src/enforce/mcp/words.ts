/**
 * What an agent is told where there is no upstream's result: one sentence with a code, as an MCP result with `isError` and
 * without structured content, because clients reject a plain result of a tool that has an output schema. Pure.
 */
import { endedAtMs, requirementsOf, stateOf, type Case } from '../../core/case.ts';
import { personIn, type Directory } from '../../core/directory.ts';
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import { mostByGroup } from '../../core/places.ts';
import type { Refusal } from '../../core/refusal.ts';
import { rfc3339 } from '../../core/time.ts';
import { approvalUrl } from '../../app/notices.ts';
import { metaKeys } from './classify.ts';
import { resultText, type Answer, type RpcError } from './message.ts';

/** A result that says why there is none. */
export const errorResult = (text: string, meta: JsonObject): JsonObject => ({
  content: [{ type: 'text', text }],
  isError: true,
  _meta: meta,
});

/** Nothing ran, and no case tells why. */
export const refusedResult = (refusal: Refusal): JsonObject =>
  errorResult(`Not run (${refusal.code}): ${refusal.detail}`, { [metaKeys.code]: refusal.code });

const metaOf = (held: Case, more: JsonObject = {}): JsonObject => ({
  [metaKeys.action]: held.asked.id,
  ...(held.approval === null ? {} : { [metaKeys.approval]: held.approval.id }),
  ...more,
});

/** The marks of an answer that repeats how an earlier call ended. */
const replayMeta = (held: Case): JsonObject => {
  const at = endedAtMs(held);
  return { [metaKeys.replayed]: true, ...(at === null ? {} : { [metaKeys.endedAt]: rfc3339(at) }) };
};

/** The refusal of a run of a case: what its grant, its people or the log did not allow. */
export const notRunResult = (held: Case, refusal: Refusal): JsonObject =>
  errorResult(
    `Not run (${refusal.code}): ${refusal.detail}`,
    metaOf(held, { [metaKeys.code]: refusal.code }),
  );

/** It ran, and then something failed that the agent must know of. */
export const ranResult = (held: Case, refusal: Refusal): JsonObject =>
  errorResult(refusal.detail, metaOf(held, { [metaKeys.code]: refusal.code }));

/** An upstream's answer as it was written, unless it uses the gate's own marks, which only the gate may set. */
export function relayed(answer: Answer): string {
  const meta = answer.kind === 'result' ? answer.result['_meta'] : undefined;
  if (answer.kind === 'error' || !isJsonObject(meta) || !Object.keys(meta).some(isOurs)) return answer.text;
  const kept = Object.fromEntries(Object.entries(meta).filter(([key]) => !isOurs(key)));
  return resultText(answer.id, { ...answer.result, _meta: kept });
}

const isOurs = (key: string): boolean => key.startsWith('dev.countersign/');

/** A case that ended without running: denied, expired or cancelled. */
export function endedResult(held: Case, directory: Directory, replayed: boolean): JsonObject {
  const { ending } = held;
  const code = ending?.code ?? 'expired';
  const again = replayed ? ' (This is a repeat of how the same call ended before.)' : '';
  const meta = metaOf(held, { [metaKeys.code]: code, ...(replayed ? replayMeta(held) : {}) });
  return errorResult(`${endedSentence(held, directory)}${again}`, meta);
}

function endedSentence(held: Case, directory: Directory): string {
  const { ending } = held;
  if (ending === null) return 'Expired: it was not decided, or not run, in time.';
  const reason =
    ending.reason === null || ending.reason.trim() === '' ? 'no reason was given.' : ending.reason;
  const by = ending.by.kind === 'person' ? (personIn(directory, ending.by.id)?.name ?? ending.by.id) : null;
  if (ending.code === 'denied') return `Denied${by === null ? '' : ` by ${by}`}: ${reason}`;
  if (ending.code === 'cancelled') return `Cancelled${by === null ? '' : ` by ${by}`}: ${reason}`;
  if (ending.code === 'expired') return `Expired: ${reason}`;
  return `Denied (${ending.code}): ${reason}`; // the gate's own: no_permit, forbidden, policy_changed, …
}

/** Still held when the client's patience is over. */
export function pendingResult(held: Case, origin: string): JsonObject {
  if (held.approval === null)
    return errorResult('Not run yet; call again with the same arguments.', metaOf(held));
  const { id } = held.approval;
  const url = approvalUrl(origin, id);
  return errorResult(
    `Not run yet: approval ${id}; call again with the same arguments. It is decided at ${url}`,
    metaOf(held, { [metaKeys.code]: 'approval_pending', [metaKeys.url]: url }),
  );
}

/** Another call of the same action has started it, and it goes on. */
export const runningResult = (held: Case): JsonObject =>
  errorResult(
    'Not finished yet: the same action is running; call again with the same arguments to get its result.',
    metaOf(held, { [metaKeys.code]: 'approval_pending' }),
  );

/** Nobody knows how it ended. */
export const unknownResult = (held: Case, detail: string, replayed: boolean): JsonObject =>
  errorResult(
    `Outcome unknown: it was started, and nobody knows whether it was done (${detail}). It is not repeated by itself; look before you ask again.`,
    metaOf(held, { [metaKeys.code]: 'grant_consumed', ...(replayed ? replayMeta(held) : {}) }),
  );

/** A model reads the content and not `_meta`: it is told that nothing was done this time. */
function repeated(held: Case, result: JsonObject): JsonObject {
  const at = endedAtMs(held);
  const when = at === null ? '' : ` at ${rfc3339(at)}`;
  const text = `(This repeats how the same call ended${when}; it did not run again.)`;
  const { content } = result;
  return isJsonArray(content) ? { ...result, content: [...content, { type: 'text', text }] } : result;
}

/** What a held run left: the result of the upstream as it was kept, or its error, marked as a repeat. @param again the same call, once more. */
export function replayOf(
  held: Case,
  again: boolean,
): { readonly result: JsonObject } | { readonly error: RpcError } {
  const kept: JsonValue = held.execution?.result ?? null;
  const meta = metaOf(held, replayMeta(held));
  if (isJsonObject(kept)) {
    const { result, error } = kept;
    if (isJsonObject(result)) {
      const marked = {
        ...result,
        _meta: { ...(isJsonObject(result['_meta']) ? result['_meta'] : {}), ...meta },
      };
      return { result: again ? repeated(held, marked) : marked };
    }
    if (isJsonObject(error)) {
      const { code, message, data } = error;
      const more = isJsonObject(data) ? { ...data, ...meta } : (data ?? meta);
      if (typeof code === 'number' && typeof message === 'string')
        return { error: { code, message, data: more } };
    }
  }
  const how = held.execution?.status === 'succeeded' ? 'succeeded' : 'failed';
  const why = held.execution?.detail ?? 'its result was too large to be kept';
  return { result: errorResult(`It has run already and ${how}: ${why}.`, meta) };
}

/** What a waiting client shows: "Waiting for approval apr_…: 1 of 2, URL". */
export function waitingSentence(held: Case, origin: string): string {
  if (held.approval === null) return 'Waiting.';
  const most = mostByGroup(requirementsOf(held), (one) => one.quorum);
  const places = [...most.values()].reduce((sum, quorum) => sum + quorum, 0);
  const people = new Set(held.reviews.filter((one) => one.decision === 'approve').map((one) => one.person));
  const count = Math.min(people.size, places);
  return `Waiting for approval ${held.approval.id}: ${count} of ${places}, ${approvalUrl(origin, held.approval.id)}`;
}

/** Whether a case is over, and how: what `conclude` in call.ts switches on. */
export const isOver = (held: Case, nowMs: number): boolean => {
  const state = stateOf(held, nowMs);
  return state !== 'pending' && state !== 'ready' && state !== 'started';
};
