/**
 * The OpenID AuthZEN Authorization API 1.0 (final): a policy decision point for agents that ask before they ask. Evaluation,
 * evaluations, and the metadata that says where they are (§9). A decision is always a 200; other statuses mean that there is
 * none.
 *
 * Promise: it only reads. What is asked here leaves no entry, so it is limited by how often it may be asked.
 */
import type { AgentPrincipal } from '../../core/directory.ts';
import type { JsonObject } from '../../core/json.ts';
import { refuse, statusOf, type Refusal } from '../../core/refusal.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Parts } from '../../app/parts.ts';
import type { Identity } from '../../ports/identity.ts';
import { otherMethod } from '../api/api.ts';
import { readBody } from '../api/body.ts';
import { problem } from '../api/problems.ts';
import { notAuthenticated } from '../resource-metadata.ts';
import { evaluate, type Evaluated } from './evaluate.ts';
import { readEvaluation, readEvaluations, singleOf, type Evaluation, type Evaluations } from './read.ts';

/** Where the metadata is (AuthZEN 1.0 §9.2). */
export const metadataPath = '/.well-known/authzen-configuration';
const evaluationPath = '/access/v1/evaluation';
const evaluationsPath = '/access/v1/evaluations';

/** Evaluations that one agent may ask for within a minute. */
export const evaluationsPerMinute = 600;

export interface AccessParts {
  readonly parts: Parts;
  readonly identity: Identity;
}

/** Answers everything below `/access`, and the metadata. The answer bears the `X-Request-ID` of its request. */
export function createAccess({ parts, identity }: AccessParts): (request: Request) => Promise<Response> {
  return async (request) => {
    const response = await route({ parts, identity }, request);
    const id = request.headers.get('x-request-id');
    if (id !== null) response.headers.set('x-request-id', id);
    return response;
  };
}

async function route({ parts, identity }: AccessParts, request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === metadataPath)
    return request.method === 'GET' || request.method === 'HEAD'
      ? json(metadata(parts.origin))
      : otherMethod(request.method, 'GET, HEAD, OPTIONS');
  if (pathname !== evaluationPath && pathname !== evaluationsPath)
    return problem(refuse('not_found', 'There is no such call.'));
  if (request.method !== 'POST') return otherMethod(request.method, 'POST, OPTIONS');
  const by = await identity.bearer(request);
  if (!by.ok) return notAuthenticated(by.error, request, parts.origin);
  if (by.value.kind !== 'agent')
    return problem(refuse('not_an_agent', 'Only agents are judged; use an agent’s token.'));
  const body = await readBody(request);
  if (!body.ok) return problem(body.error);
  const asked: Asked = { parts, by: by.value, body: body.value };
  const answer = await (pathname === evaluationPath ? one(asked, body.value) : many(asked));
  return answer.ok ? json(answer.value) : problem(answer.error);
}

const json = (body: object): Response =>
  new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json' } });

const metadata = (origin: string): object => ({
  policy_decision_point: origin,
  access_evaluation_endpoint: `${origin}${evaluationPath}`,
  access_evaluations_endpoint: `${origin}${evaluationsPath}`,
});

interface Asked {
  readonly parts: Parts;
  readonly by: AgentPrincipal;
  readonly body: JsonObject;
}

async function one(asked: Asked, body: JsonObject): Promise<Result<Evaluated, Refusal>> {
  const read = readEvaluation(body);
  if (!read.ok) return read;
  return inPace(asked, 1) ? evaluate(asked.parts, asked.by, read.value) : err(tooFast);
}

const inPace = ({ parts, by }: Asked, times: number): boolean =>
  parts.pace.evaluated.takes(by.id, { times, max: evaluationsPerMinute }, parts.clock.nowMs());

const tooFast = refuse(
  'quota',
  `An agent may ask for ${evaluationsPerMinute} evaluations within a minute; ask more slowly.`,
);

async function many(asked: Asked): Promise<Result<object, Refusal>> {
  const read = readEvaluations(asked.body);
  if (!read.ok) return read;
  if (read.value === null) return one(asked, singleOf(asked.body));
  const { items } = read.value;
  if (!inPace(asked, items.length)) return err(tooFast);
  return ok({ evaluations: await each(asked, read.value) });
}

/** One after another, until the semantic is satisfied. What is wrong with one is a denial of that one alone. */
async function each({ parts, by }: Asked, { items, semantic }: Evaluations): Promise<readonly Evaluated[]> {
  const answers: Evaluated[] = [];
  for (const item of items) {
    const answer = await itemOf(parts, by, item);
    answers.push(answer);
    if (semantic === 'deny_on_first_deny' && !answer.decision) break;
    if (semantic === 'permit_on_first_permit' && answer.decision) break;
  }
  return answers;
}

async function itemOf(
  parts: Parts,
  by: AgentPrincipal,
  item: Result<Evaluation, Refusal>,
): Promise<Evaluated> {
  const answer = item.ok ? await evaluate(parts, by, item.value) : item;
  if (answer.ok) return answer.value;
  const { code, detail } = answer.error;
  return { decision: false, context: { error: { status: statusOf(code), message: detail, code } } };
}
