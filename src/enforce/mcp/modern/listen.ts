/**
 * `subscriptions/listen`: a stream of changes that the agent asked for, which replaces the GET stream of older revisions. An
 * upstream of this era has it too, and its words pass; for an older one the gate makes it from the connection's notifications.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../../core/json.ts';
import { refuse } from '../../../core/refusal.ts';
import { unavailable } from '../link.ts';
import { errorText, notificationText, resultText, rpcCodes } from '../message.ts';
import { messageOf } from '../pipe.ts';
import { knowsTasks, missingCapability, protocolKeys, statusOfError, tasksExtension } from './envelope.ts';
import type { Heard } from './exchange.ts';
import { metaOf, refusalText, type Exchange } from './request.ts';
import type { Pooled } from './pool.ts';
import type { Relay } from './relay.ts';

/** Resources that one stream may be about. */
const resourcesMax = 256;
/** What an agent can ask to hear, and the notification that it means. */
const changes: Readonly<Record<string, string>> = {
  toolsListChanged: 'notifications/tools/list_changed',
  promptsListChanged: 'notifications/prompts/list_changed',
  resourcesListChanged: 'notifications/resources/list_changed',
};
const updated = 'notifications/resources/updated';
const acknowledged = 'notifications/subscriptions/acknowledged';

export async function listen(exchange: Exchange): Promise<void> {
  const { upstreams, agent, server, request, reply } = exchange;
  const { notifications: filter } = request.params;
  if (!isJsonObject(filter)) {
    const message = 'Invalid params: notifications has to be an object.';
    reply.end(errorText(request.id, { code: rpcCodes.invalidParams, message }));
    return;
  }
  if (filter['taskIds'] !== undefined && !knowsTasks(request.capabilities)) {
    const error = missingCapability({ extensions: { [tasksExtension]: {} } });
    reply.end(errorText(request.id, error), 400);
    return;
  }
  const side = await upstreams.of(agent, server);
  if (!side.ok) return void reply.end(refusalText(request.id, side.error));
  // The end of a task is not told here but to whoever asks for it: asking is what lets an approved action run.
  const { taskIds: _taskIds, ...rest } = filter;
  const { resourceSubscriptions: uris } = rest;
  if (isJsonArray(uris) && uris.length > resourcesMax) {
    const no = refuse('quota', `A stream is about at most ${resourcesMax} resources.`);
    reply.end(refusalText(request.id, no));
    return;
  }
  return side.value.kind === 'modern'
    ? relayed(exchange, side.value.relay, rest)
    : made(exchange, side.value.pooled, rest);
}

/** The end of a stream by the agent, or because the gate closes. Let go of it where the stream ends otherwise. */
interface Ending {
  readonly why: Promise<'left' | 'closing'>;
  letGo(): void;
}

function endingOf({ reply, closing }: Exchange): Ending {
  const { promise: why, resolve } = Promise.withResolvers<'left' | 'closing'>();
  const close = (): void => resolve('closing');
  const letGo = (): void => closing.removeEventListener('abort', close);
  if (!reply.open) resolve('left');
  else if (closing.aborted) close();
  reply.gone.addEventListener('abort', () => resolve('left'), { once: true });
  closing.addEventListener('abort', close, { once: true });
  return { why, letGo };
}

/** The end of a stream by the gate ("Subscriptions"). */
const graceful = (id: Exchange['request']['id']): string =>
  resultText(id, { resultType: 'complete', _meta: { [protocolKeys.subscription]: id } });

async function relayed(exchange: Exchange, relay: Relay, notifications: JsonObject): Promise<void> {
  const { request, reply, log } = exchange;
  const wanted = (heard: Heard): boolean =>
    heard.method === acknowledged || wantedBy(notifications)(heard.method, heard.params);
  // One after the other: what the gate looks at first must not be overtaken.
  let order: Promise<unknown> = Promise.resolve();
  const connection = relay.open((heard) => {
    if (!wanted(heard)) return;
    order = order
      .then(() => (heard.method === changes['toolsListChanged'] ? relay.tools(true) : undefined))
      .then(() => reply.event(heard.text))
      .catch((error: unknown) => log(`the gate failed to pass ${heard.method}: ${messageOf(error)}`));
  });
  const params = { notifications, _meta: metaOf(request.params) };
  const answer = connection.request(request.id, request.method, params);
  const ending = endingOf(exchange);
  const first = await Promise.race([answer, ending.why]);
  ending.letGo();
  await order;
  if (first === 'closing') reply.end(graceful(request.id));
  else if (first !== 'left') {
    if (!first.ok) reply.end(refusalText(request.id, unavailable(first.error.detail)));
    else {
      const status = first.value.kind === 'error' ? statusOfError(first.value.error.code) : 200;
      reply.end(first.value.text, status);
    }
  }
  await connection.close(); // its stream with it
}

/** Whether a filter lets a notification pass: nothing that was not asked for may. */
function wantedBy(filter: JsonObject): (method: string, params: JsonObject) => boolean {
  const methods = new Set(
    Object.entries(changes).flatMap(([name, method]) => (filter[name] === true ? [method] : [])),
  );
  const uris = new Set<JsonValue>(
    isJsonArray(filter['resourceSubscriptions']) ? filter['resourceSubscriptions'] : [],
  );
  return (method, params) => methods.has(method) || (method === updated && uris.has(params['uri'] ?? null));
}

/** The stream for an upstream that has none: what of the filter it can do, acknowledged first. */
async function made(exchange: Exchange, pooled: Pooled, filter: JsonObject): Promise<void> {
  const { request, reply } = exchange;
  const started = await pooled.start();
  const capabilities = started.ok ? started.value['capabilities'] : undefined;
  const honoured = honouredBy(isJsonObject(capabilities) ? capabilities : {}, filter);
  const wanted = wantedBy(honoured);
  const stamped = (method: string, params: JsonObject): string => {
    const meta = params['_meta'];
    const own = { ...(isJsonObject(meta) ? meta : {}), [protocolKeys.subscription]: request.id };
    return notificationText(method, { ...params, _meta: own });
  };
  reply.event(stamped(acknowledged, { notifications: honoured }));
  if (Object.keys(honoured).length === 0) return void reply.end(graceful(request.id));
  const stop = pooled.listen(({ method, params }) => {
    if (wanted(method, params)) reply.event(stamped(method, params));
  });
  const uris = isJsonArray(honoured['resourceSubscriptions']) ? honoured['resourceSubscriptions'] : [];
  await pooled.follow(uris.filter((uri) => typeof uri === 'string'));
  const ending = endingOf(exchange);
  const why = await ending.why;
  ending.letGo();
  stop();
  await pooled.unfollow(uris.filter((uri) => typeof uri === 'string'));
  if (why === 'closing') reply.end(graceful(request.id));
}

function honouredBy(capabilities: JsonObject, filter: JsonObject): JsonObject {
  const can = (name: string, what: string): boolean => {
    const said = capabilities[name];
    return isJsonObject(said) && said[what] === true;
  };
  const uris = filter['resourceSubscriptions'];
  return {
    ...(filter['toolsListChanged'] === true && can('tools', 'listChanged') ? { toolsListChanged: true } : {}),
    ...(filter['promptsListChanged'] === true && can('prompts', 'listChanged')
      ? { promptsListChanged: true }
      : {}),
    ...(filter['resourcesListChanged'] === true && can('resources', 'listChanged')
      ? { resourcesListChanged: true }
      : {}),
    ...(isJsonArray(uris) && uris.length > 0 && can('resources', 'subscribe')
      ? { resourceSubscriptions: uris }
      : {}),
  };
}
