/**
 * One run upstream of an action that may run: exactly what was judged, as stored, on a connection whose upstream and tool
 * are the ones that the action names.
 */
import { setTimeout as after } from 'node:timers/promises';
import { upstreamHash } from '../../app/catalog.ts';
import type { Outcome } from '../../app/execute.ts';
import type { Action } from '../../core/action.ts';
import type { RunIds } from '../../core/ids.ts';
import { isJsonArray, isJsonObject, type JsonObject } from '../../core/json.ts';
import { err, type Result } from '../../core/result.ts';
import { metaKeys } from './classify.ts';
import type { Connection } from './connection.ts';
import { notificationText, type Answer, type RequestId } from './message.ts';
import type { Failure } from './pipe.ts';
import type { ToolLink } from './tool-link.ts';

/** After a cancellation was passed on: how long the upstream's answer is still waited for. The SDK's servers give none. */
const cancelGraceMs = 10_000;
/** Longest sentence about an outcome, in UTF-16 units. */
const detailCharsMax = 300;

export interface RunHow {
  /** The agent's own id: unique among what is in flight on its connection. */
  readonly id: RequestId;
  readonly meta: JsonObject | undefined;
  /** What the gate leaves at the target. */
  readonly ids: RunIds;
  /** Of a retry: the answers to what the upstream asked, and its own state (2026-07-28 "Multi Round-Trip Requests"). */
  readonly retry?: JsonObject;
  /** The agent has cancelled; its connection's end is no cancellation (MCP Streamable HTTP). */
  readonly cancelled: AbortSignal;
  /** Of the store, for `upstreamHash`. */
  readonly key: Uint8Array;
  /** Whether other gates may have taken this run for lost. */
  readonly givenUp: () => boolean;
}

/** Calls the tool once. A failure of kind `unsent` did nothing; of kind `lost` nobody knows. */
export async function runOnce(link: ToolLink, action: Action, how: RunHow): Promise<Result<Answer, Failure>> {
  const first = await callOn(link, action, how);
  if (first.ok || first.error.kind !== 'session') return first;
  // The upstream had forgotten the session, and so did nothing: once more on a new one.
  const second = await callOn(link, action, how);
  return second.ok || second.error.kind !== 'session' ? second : err({ ...second.error, kind: 'unsent' });
}

async function callOn(link: ToolLink, action: Action, how: RunHow): Promise<Result<Answer, Failure>> {
  const { target } = action;
  if (target.kind !== 'mcp') return unsent('this action is not one of an MCP server');
  const tools = await link.tools(false);
  if (!tools.ok) return unsent(tools.error.detail);
  const live = await link.live();
  if (!live.ok) return unsent(live.error.detail);
  // What ran must be what was judged: the same upstream, the same definition.
  if (upstreamHash(how.key, live.value.upstream) !== target.upstream)
    return unsent('the configuration names another upstream now');
  if (tools.value.get(target.tool) !== target.definition)
    return unsent('the tool’s definition changed just now');
  if (how.cancelled.aborted) return unsent('the agent cancelled it before it was sent');
  if (how.givenUp())
    return unsent('the gate was silent for so long before it was sent that others may have given it up');
  const answer = live.value.request(how.id, 'tools/call', paramsOf(target, action, how));
  return cancellable(live.value, answer, how);
}

type McpTarget = Action['target'] & { readonly kind: 'mcp' };

const paramsOf = (
  target: McpTarget,
  action: Action,
  how: Pick<RunHow, 'retry' | 'meta' | 'ids'>,
): JsonObject => ({
  name: target.tool,
  arguments: action.input,
  ...how.retry,
  // Ours come last: whatever an agent says, the target is told which run this is.
  _meta: {
    ...how.meta,
    [metaKeys.execution]: how.ids.execution,
    [metaKeys.action]: how.ids.action,
  },
});

/** Makes ready for the first request of {@link runOnce}, while its start is being written. Nothing leaves. */
export async function prepareRun(
  link: ToolLink,
  action: Action,
  how: Pick<RunHow, 'id' | 'meta' | 'ids'>,
): Promise<void> {
  const { target } = action;
  const live = await link.live();
  if (live.ok && target.kind === 'mcp')
    live.value.prepare?.(how.id, 'tools/call', paramsOf(target, action, how));
}

const unsent = (detail: string): Result<Answer, Failure> => err({ kind: 'unsent', detail });

/** Passes a cancellation on, and then waits a little for how it ended. */
async function cancellable(
  connection: Connection,
  answer: Promise<Result<Answer, Failure>>,
  how: RunHow,
): Promise<Result<Answer, Failure>> {
  const { cancelled, id } = how;
  const asked = new Promise<'cancelled'>((resolve) => {
    if (cancelled.aborted) resolve('cancelled');
    else cancelled.addEventListener('abort', () => resolve('cancelled'), { once: true });
  });
  const first = await Promise.race([answer, asked]);
  if (first !== 'cancelled') return first;
  void connection.tell(
    notificationText('notifications/cancelled', { requestId: id, reason: 'The agent cancelled the call.' }),
  );
  const timer = new AbortController();
  const late = after(cancelGraceMs, 'late' as const, { signal: timer.signal, ref: false }).catch(
    () => 'late' as const,
  );
  const last = await Promise.race([answer, late]);
  timer.abort();
  if (last !== 'late') return last;
  connection.forget(id);
  return err({
    kind: 'lost',
    detail: 'the agent cancelled it while it ran, and the server did not say how it ended',
  });
}

/** What the log keeps of a run, and what is kept for replay where people were asked. */
export function outcomeOf(end: Result<Answer, Failure>, keep: boolean): Outcome {
  if (!end.ok)
    return {
      status: end.error.kind === 'lost' ? 'unknown' : 'failed',
      detail: bounded(end.error.detail),
      result: null,
    };
  const answer = end.value;
  if (answer.kind === 'error') {
    const { code, message } = answer.error;
    // An RpcError holds JSON and nothing else.
    const error = answer.error as unknown as JsonObject;
    return {
      status: 'failed',
      detail: bounded(`error ${code}: ${message}`),
      result: keep ? { error } : null,
    };
  }
  const failed = answer.result['isError'] === true;
  return {
    status: failed ? 'failed' : 'succeeded',
    detail: failed ? bounded(textOf(answer.result)) : null,
    result: keep ? { result: answer.result } : null,
  };
}

const bounded = (text: string): string => text.toWellFormed().slice(0, detailCharsMax).toWellFormed();

/** The first text of a result. */
export function textOf(result: JsonObject): string {
  const { content } = result;
  const items = isJsonArray(content) ? content : [];
  for (const item of items) if (isJsonObject(item) && typeof item['text'] === 'string') return item['text'];
  return 'the tool reported an error';
}
