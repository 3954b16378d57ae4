/**
 * One change of a question, and the question with it: what follows from it by the configuration follows here too. An input field
 * that a profile adds up changes the sums of `context.recent`; one that names the resource changes the resource; another hour is
 * another time. So what is judged is what would really be asked.
 */
import type { CedarValueJson } from '@cedar-policy/cedar-wasm/nodejs';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { splitOperation } from '../core/action.ts';
import { fill } from '../core/profile.ts';
import type { Recent, Scope, Window } from '../core/recent.ts';
import type { Judgeable } from '../ports/policy.ts';
import type { Membership, Place } from './atoms.ts';
import { keyOf, type Entity } from './entities.ts';
import type { EntityName } from './expression.ts';
import { serverType } from './operations.ts';
import type { Live, Question } from './prepare.ts';

export type Change =
  /** `undefined`: the value is not given. */
  | { readonly kind: 'value'; readonly place: Place; readonly value: JsonValue | undefined }
  | { readonly kind: 'member'; readonly of: Membership; readonly isIn: boolean };

/** The question with one change; null where it cannot be made. */
export function changed(live: Live, question: Question, change: Change): Question | null {
  if (change.kind === 'member') return member(live, question, change);
  const { place, value } = change;
  switch (place.root) {
    case 'input':
      return withInput(live, question, place.names, value);
    case 'recent': {
      if (question.recent === null || value === undefined) return null;
      // Counts are plain JSON, and stay of that shape: only numbers that are there are replaced.
      const recent = put(question.recent as unknown as JsonObject, place.names, value);
      return { ...question, recent: recent as unknown as Recent };
    }
    case 'system':
      return typeof value === 'number' ? at(live, question, place.names, value) : null;
    case 'resource':
      return withAttribute(live, question, place.names, value);
    case 'principal':
      return null; // its owners are people's to change, and no reason to ask anew
  }
}

/** The value at a place as it is; undefined where there is none. */
export function valueAt(live: Live, question: Question, { root, names }: Place): JsonValue | undefined {
  switch (root) {
    case 'input':
      return look(question.action.input, names) ?? undefined; // null is absent (project.ts)
    case 'recent':
      return look(question.recent as unknown as JsonObject | null, names);
    case 'system': {
      const [what, part] = names;
      if (what === 'now' && part === undefined) return question.nowMs;
      return what === 'local' ? look({ ...live.zone.at(question.nowMs) }, names.slice(1)) : undefined;
    }
    case 'resource':
      // Cedar's values are JSON.
      return look(entityOf(live, question, question.action.resource).attrs as unknown as JsonObject, names);
    case 'principal':
      return undefined;
  }
}

function look(value: JsonValue, names: readonly string[]): JsonValue | undefined {
  let here: JsonValue | undefined = value;
  for (const name of names) here = isJsonObject(here) && Object.hasOwn(here, name) ? here[name] : undefined;
  return here;
}

/** A copy with one value replaced, or left out; records on the way there are made where they are missing. */
function put(record: JsonObject, names: readonly string[], value: JsonValue | undefined): JsonObject {
  const [name = '', ...below] = names;
  const { [name]: before, ...others } = record;
  if (below.length > 0) return { ...record, [name]: put(isJsonObject(before) ? before : {}, below, value) };
  return value === undefined ? others : { ...record, [name]: value };
}

/** Whether a profile's template reads a place of the input, or something inside or around it. */
export const isFrom = (template: string | undefined, names: readonly string[]): boolean => {
  if (template === undefined || !template.startsWith('input.')) return false;
  const path = template.slice('input.'.length).split('.');
  return path.every((step, index) => index >= names.length || step === names[index]);
};

function withInput(
  live: Live,
  question: Question,
  names: readonly string[],
  value: JsonValue | undefined,
): Question {
  const { operation } = question.action;
  const input = put(question.action.input, names, value);
  const { sum, resource } = live.profiles[operation] ?? {};
  const action: Judgeable = { ...question.action, input };
  const after = { ...question, action };
  const id = resource === undefined || !isFrom(resource.id, names) ? undefined : fill(resource.id, input);
  // A resource that cannot be named is the server itself, and so none that these policies know.
  const moved: Question =
    resource === undefined || !isFrom(resource.id, names)
      ? after
      : { ...after, action: { ...action, resource: resourceFrom(operation, resource.type, id) } };
  if (sum === undefined || question.recent === null || !isFrom(sum, names)) return moved;
  return {
    ...moved,
    recent: summed(question.recent, amountIn(question.action.input, sum), amountIn(input, sum)),
  };
}

const resourceFrom = (operation: string, type: string, id: JsonValue | undefined): Judgeable['resource'] =>
  typeof id === 'string' || typeof id === 'number'
    ? { type, id: String(id) }
    : { type: serverType, id: splitOperation(operation)?.target ?? '' };

function amountIn(input: JsonObject, template: string): number | null {
  const value = fill(template, input);
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

/** The counts, had this action another amount. */
function summed(recent: Recent, before: number | null, after: number | null): Recent {
  const window = ({ count, sum }: Window): Window => ({
    count,
    sum:
      sum === null || before === null || after === null
        ? null
        : Math.min(sum - before + after, Number.MAX_SAFE_INTEGER),
  });
  const scope = ({ hour, day, ever }: Scope): Scope => ({
    hour: window(hour),
    day: window(day),
    ever: window(ever),
  });
  return { agent: scope(recent.agent), owner: scope(recent.owner), operation: scope(recent.operation) };
}

const minuteMs = 60_000;
const steps = { minute: minuteMs, hour: 60 * minuteMs, weekday: 24 * 60 * minuteMs } as const;

/** Another time: `now` itself, or the nearest at which only this part of the local time is another. */
function at(live: Live, question: Question, names: readonly string[], value: number): Question | null {
  const [what, part] = names;
  if (what === 'now') return { ...question, nowMs: value };
  if (what !== 'local' || (part !== 'minute' && part !== 'hour' && part !== 'weekday')) return null;
  const local = live.zone.at(question.nowMs);
  const wanted = { ...local, [part]: value };
  const ahead = value - local[part];
  // The next such day, not the last one.
  const nowMs = question.nowMs + (part === 'weekday' ? (ahead + 7) % 7 : ahead) * steps[part];
  // Where the clock is put forward or back in between, the answer is an hour off; such a time is left out.
  const there = live.zone.at(nowMs);
  const holds =
    there.weekday === wanted.weekday && there.hour === wanted.hour && there.minute === wanted.minute;
  return holds ? { ...question, nowMs } : null;
}

/** An entity as the question takes it to be. */
function entityOf(live: Live, question: Question, name: EntityName): Entity {
  const key = keyOf(name);
  const { type, id } = name;
  const known = question.instead?.get(key) ?? live.store.reach(name).find((each) => keyOf(each.uid) === key);
  return known ?? { uid: { type, id }, attrs: {}, parents: [] };
}

const instead = (question: Question, entity: Entity): Question => ({
  ...question,
  instead: new Map([...(question.instead ?? []), [keyOf(entity.uid), entity]]),
});

function withAttribute(
  live: Live,
  question: Question,
  names: readonly string[],
  value: JsonValue | undefined,
): Question {
  const entity = entityOf(live, question, question.action.resource);
  // Cedar's values are JSON.
  const attrs = put(entity.attrs as unknown as JsonObject, names, value) as unknown as Record<
    string,
    CedarValueJson
  >;
  return instead(question, { ...entity, attrs });
}

function member(
  live: Live,
  question: Question,
  { of: { who, group }, isIn }: Change & { readonly kind: 'member' },
): Question {
  const { agent, resource } = question.action;
  const entity = entityOf(live, question, who === 'resource' ? resource : { type: 'Agent', id: agent });
  const key = keyOf(group);
  // Out of a group is also out of whatever leads there.
  const others = entity.parents.filter(
    (parent) => !live.store.reach(parent).some((each) => keyOf(each.uid) === key) && keyOf(parent) !== key,
  );
  return instead(question, { ...entity, parents: isIn ? [...entity.parents, group] : others });
}
