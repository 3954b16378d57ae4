/**
 * What reads: lists, resources, prompts, completions. They are not judged; a list of tools is pinned and shows what is
 * enabled. What an upstream asks before it answers one of them passes as its parameters do, because nothing was approved
 * that an answer could change; roots do not (docs/decisions/007).
 */
import { isJsonObject, type JsonObject } from '../../../core/json.ts';
import { refuse } from '../../../core/refusal.ts';
import type { Classified } from '../classify.ts';
import { shownDefinition } from '../definitions.ts';
import { unavailable } from '../link.ts';
import { errorText, notificationText, rpcCodes, type Answer } from '../message.ts';
import { findTool, seenTools } from '../pins.ts';
import { questionMethods, recordQuestion } from '../questions.ts';
import { methodOf, methodsOf, questionMs } from './conversation.ts';
import { statusOfError } from './envelope.ts';
import { refusalText, refuseInput, type Exchange } from './request.ts';
import { digestOfParams, seal, unseal, useUp, type SealedFor } from './request-state.ts';
import { cached, typed, unmarked, withResult } from './rewrite.ts';
import { cacheable } from './translate.ts';
import { linkTo, type Side } from './upstreams.ts';

type Reading = Classified & { readonly kind: 'list' | 'pass' };

/** Passes a request on, and its answer back. */
export async function readOn(exchange: Exchange, reading: Reading): Promise<void> {
  const { upstreams, agent, server, request, reply } = exchange;
  const side = await upstreams.of(agent, server);
  if (!side.ok) return void reply.end(refusalText(request.id, side.error));
  const params = await retried(exchange, reading.params ?? {});
  if (params === undefined) return;
  const { link, close } = linkTo(side.value, {
    heard: ({ text }) => void reply.event(text),
    // A question of an older upstream here belongs to no call that policy could permit it for.
    asking: ({ id }) =>
      void tellLater(side.value, errorText(id, { code: rpcCodes.gate, message: 'refused: nothing runs' })),
  });
  const live = await link.live();
  if (!live.ok) return void reply.end(refusalText(request.id, live.error));
  const gone = Promise.withResolvers<null>();
  if (!reply.open) gone.resolve(null);
  reply.gone.addEventListener('abort', () => gone.resolve(null), { once: true });
  const answer = await Promise.race([live.value.request(request.id, request.method, params), gone.promise]);
  if (answer === null) {
    await live.value.tell(notificationText('notifications/cancelled', { requestId: request.id }));
    live.value.forget(request.id);
  } else if (!answer.ok) {
    reply.end(refusalText(request.id, unavailable(answer.error.detail)));
  } else {
    await handOver(exchange, side.value, answer.value);
  }
  close();
}

const tellLater = (side: Side, text: string): Promise<void> =>
  side.kind === 'legacy' ? side.pooled.link({ heard: () => undefined }).tell(text) : Promise.resolve();

async function handOver(exchange: Exchange, side: Side, answer: Answer): Promise<void> {
  const { request, reply } = exchange;
  if (answer.kind === 'error') {
    reply.end(answer.text, statusOfError(answer.error.code));
    return;
  }
  if (answer.result['resultType'] === 'input_required') return asked(exchange, answer);
  if (request.method === 'tools/list') return listed(exchange, side, answer);
  const { result: said } = answer;
  // Nothing of ours to say: as it was written.
  if (!cacheable.has(request.method) && typeof said['resultType'] === 'string' && unmarked(said) === said)
    return void reply.end(answer.text);
  const change = (result: JsonObject): JsonObject =>
    cacheable.has(request.method) ? cached(typed(unmarked(result))) : typed(unmarked(result));
  reply.end(withResult(answer, request.id, change));
}

/** One page of tools: pinned, those that are not enabled left out, and the reason argument added. */
async function listed(
  { parts, server, log, request, reply }: Exchange,
  side: Side,
  answer: Answer & { readonly kind: 'result' },
): Promise<void> {
  const seen = seenTools(answer.result['tools'], log);
  const pinned = await (side.kind === 'modern' ? side.relay.page(seen) : side.pooled.page(seen));
  if (!pinned.ok) return void reply.end(refusalText(request.id, pinned.error));
  const tools = seen.flatMap((tool) => {
    const found = findTool(parts, server, tool.name, tool.hash);
    return found.kind === 'enabled' ? [shownDefinition(tool.definition, found.entry)] : [];
  });
  reply.end(withResult(answer, request.id, (result) => cached(typed(unmarked({ ...result, tools })))));
}

const sealedFor = ({ agent, chain, server, request }: Exchange): SealedFor => ({
  agent,
  server,
  method: request.method,
  digest: digestOfParams(request.params, chain),
});

/** Hands over what an upstream asks, with its state inside one of the gate's. */
async function asked(exchange: Exchange, answer: Answer & { readonly kind: 'result' }): Promise<void> {
  const { parts, agent, request, reply } = exchange;
  const { inputRequests, requestState: state } = answer.result;
  const requests = isJsonObject(inputRequests) ? inputRequests : {};
  const passes = Object.values(requests).every((one) => questionMethods.has(methodOf(one)));
  if (!passes) {
    const question = { method: methodsOf(requests), params: requests, agent, cases: [] };
    await recordQuestion(parts, 'question.refused', question, null);
    const no = refuse('not_permitted', 'The server asks for something that the gate does not pass.');
    reply.end(refusalText(request.id, no));
    return;
  }
  const body = { kind: 'read', state: typeof state === 'string' ? state : null };
  const expiresAtMs = parts.clock.nowMs() + questionMs;
  const requestState = seal(parts, 'state', sealedFor(exchange), { body, expiresAtMs });
  reply.end(withResult(answer, request.id, (result) => unmarked({ ...result, requestState })));
}

/** Parameters with the upstream's own state in the place of ours; undefined where they were refused, and that is answered. */
async function retried(exchange: Exchange, params: JsonObject): Promise<JsonObject | undefined> {
  const { parts, agent, request, reply } = exchange;
  const { inputResponses: answers, requestState: state, ...rest } = params;
  if (answers === undefined && state === undefined) return params;
  const opened = typeof state === 'string' ? unseal(parts, 'state', sealedFor(exchange), state) : undefined;
  const wrong =
    (answers !== undefined && !isJsonObject(answers)) || (state !== undefined && opened === undefined)
      ? refuse('input_invalid', 'inputResponses has to be an object, and requestState a text.')
      : isJsonObject(answers) && Object.values(answers).some(namesRoots)
        ? refuse('input_invalid', 'Roots do not pass.')
        : opened?.ok === false
          ? opened.error
          : opened?.ok === true && typeof state === 'string'
            ? await useUp(parts, state, opened.value).then((used) => (used.ok ? undefined : used.error))
            : undefined;
  if (wrong !== undefined) {
    await refuseInput(exchange, wrong);
    return undefined;
  }
  if (isJsonObject(answers)) {
    const question = { method: request.method, params: {}, agent, cases: [] };
    if (!(await recordQuestion(parts, 'question.passed', question, answers))) {
      const no = refuse('audit_unavailable', 'The log cannot be written, so the answer may not pass.');
      reply.end(refusalText(request.id, no));
      return undefined;
    }
  }
  const inner = opened?.ok === true ? opened.value.body['state'] : undefined;
  return {
    ...rest,
    ...(answers === undefined ? {} : { inputResponses: answers }),
    ...(typeof inner === 'string' ? { requestState: inner } : {}),
  };
}

const namesRoots = (answer: JsonObject[string]): boolean => isJsonObject(answer) && 'roots' in answer;
