/**
 * Reads requests of the AuthZEN Authorization API 1.0 (OpenID, final): the four members of an evaluation (§6.1), and many of
 * them with defaults (§7.1). What an agent says about itself or a resource in `properties` has the right form and no weight: attributes
 * come from the configuration (design §5).
 */
import { splitOperation, type Resource } from '../../core/action.ts';
import { claimsChain, refusesClaimedChain } from '../../core/claimed-chain.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { visibleLine } from '../../core/visible.ts';
import { operationCharsMax } from '../api/ask.ts';

export interface Evaluation {
  readonly subject: Resource;
  readonly operation: string;
  readonly resource: Resource | null;
  /** `context.input`; `{}` where there is none. */
  readonly input: JsonObject;
}

/** Evaluations in one request. */
export const evaluationsMax = 50;

const semantics = ['execute_all', 'deny_on_first_deny', 'permit_on_first_permit'] as const;
export type Semantic = (typeof semantics)[number];

export interface Evaluations {
  /** In their order, each read or refused by itself. */
  readonly items: readonly Result<Evaluation, Refusal>[];
  readonly semantic: Semantic;
}

const members = ['subject', 'action', 'resource', 'context'] as const;

/** One evaluation. */
export function readEvaluation(body: JsonObject): Result<Evaluation, Refusal> {
  const unknown = claimedChain(body) ?? unknownMember(body, members);
  if (unknown !== undefined) return err(unknown);
  const subject = entityOf(body, 'subject');
  if (!subject.ok) return subject;
  if (subject.value === null) return no('/subject', 'is missing');
  const operation = operationOf(valueOf(body, 'action'));
  if (!operation.ok) return operation;
  const resource = entityOf(body, 'resource');
  if (!resource.ok) return resource;
  const input = inputOf(valueOf(body, 'context') ?? {});
  if (!input.ok) return input;
  return ok({
    subject: subject.value,
    operation: operation.value,
    resource: resource.value,
    input: input.value,
  });
}

/** Many; null where the body is one evaluation, as it may be. */
export function readEvaluations(body: JsonObject): Result<Evaluations | null, Refusal> {
  const list = valueOf(body, 'evaluations') ?? [];
  if (!Array.isArray(list)) return no('/evaluations', 'must be a list');
  const semantic = semanticOf(valueOf(body, 'options') ?? {});
  if (!semantic.ok) return semantic;
  if (list.length > evaluationsMax)
    return no('/evaluations', `may have ${evaluationsMax} evaluations; send the others in another request`);
  const unknown = unknownMember(body, [...members, 'evaluations', 'options']);
  if (unknown !== undefined) return err(unknown);
  if (list.length === 0) return ok(null);
  const defaults = singleOf(body);
  // Array.isArray does not narrow a readonly list.
  const items = (list as readonly JsonValue[]).map((one) =>
    isJsonObject(one) ? readEvaluation({ ...defaults, ...one }) : no('/evaluations', 'must hold objects'),
  );
  return ok({ items, semantic: semantic.value });
}

/** The members that are one evaluation of a request that may hold many. */
export const singleOf = ({ evaluations: _evaluations, options: _options, ...one }: JsonObject): JsonObject =>
  one;

/** `options` may hold more, which means nothing here. */
function semanticOf(options: JsonValue): Result<Semantic, Refusal> {
  if (!isJsonObject(options)) return no('/options', 'must be an object');
  const said = valueOf(options, 'evaluations_semantic') ?? 'execute_all';
  const semantic = semantics.find((one) => one === said);
  return semantic === undefined
    ? no('/options/evaluations_semantic', `must be ${semantics.join(', ')}`)
    : ok(semantic);
}

/** `{type, id, properties?}`; null where it is absent. */
function entityOf(body: JsonObject, name: 'subject' | 'resource'): Result<Resource | null, Refusal> {
  const value = valueOf(body, name) ?? null;
  if (value === null) return ok(null);
  const { type, id, properties = {}, ...rest } = isJsonObject(value) ? value : {};
  const fits = typeof type === 'string' && type !== '' && typeof id === 'string' && id !== '';
  return fits && isJsonObject(properties) && Object.keys(rest).length === 0
    ? ok({ type, id })
    : no(`/${name}`, 'must be {"type": text, "id": text, "properties"?: object}');
}

function operationOf(action: JsonValue | undefined): Result<string, Refusal> {
  const { name, properties = {}, ...rest } = isJsonObject(action) ? action : {};
  if (typeof name !== 'string' || !isJsonObject(properties) || Object.keys(rest).length > 0)
    return no('/action', 'must be {"name": text, "properties"?: object}');
  return name.length <= operationCharsMax && splitOperation(name) !== undefined
    ? ok(name)
    : no('/action/name', 'must be an operation: TARGET___NAME, with three underscores');
}

/** Other members of the context mean nothing here: the gate has its own clock, and takes no attributes from agents. */
function inputOf(context: JsonValue): Result<JsonObject, Refusal> {
  if (!isJsonObject(context)) return no('/context', 'must be an object');
  const input = valueOf(context, 'input') ?? {};
  return isJsonObject(input) ? ok(input) : no('/context/input', 'must be an object');
}

const valueOf = (body: JsonObject, name: string): JsonValue | undefined =>
  Object.hasOwn(body, name) ? body[name] : undefined;

/** AuthZEN leaves room for attributes of whoever asks; whom they act for is never one of them. */
function claimedChain(body: JsonObject): Refusal | undefined {
  const { subject, action, context } = body;
  const places: readonly (readonly [string, JsonValue | undefined])[] = [
    ['', body],
    ['/context', context],
    ['/subject', subject],
    ['/subject/properties', isJsonObject(subject) ? subject['properties'] : undefined],
    ['/action/properties', isJsonObject(action) ? action['properties'] : undefined],
  ];
  for (const [place, value] of places) {
    const claimed = claimsChain(value);
    if (claimed !== undefined) return refusesClaimedChain(`${place}/${claimed}`);
  }
  return undefined;
}

function unknownMember(body: JsonObject, known: readonly string[]): Refusal | undefined {
  const name = Object.keys(body).find((one) => !known.includes(one));
  return name === undefined
    ? undefined
    : refuse('input_invalid', `Unknown member: ${visibleLine(name.slice(0, 40))}.`, { pointer: '' });
}

const no = (pointer: string, words: string): Result<never, Refusal> =>
  err(refuse('input_invalid', `"${pointer.slice(1).replaceAll('/', '.')}" ${words}.`, { pointer }));
