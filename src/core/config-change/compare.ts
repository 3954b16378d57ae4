/**
 * What lies between what is accepted and what was found: every difference, and what of it is in force at once. Both come from
 * one comparison, so that what is said to tighten is what is taken over.
 */
import type { AcceptedPolicies, Difference, Itemised, PolicyDecision, Tightened } from '../config-change.ts';
import { isJsonArray, isJsonObject, type JsonValue } from '../json.ts';
import { directoryChange } from './people.ts';
import { policyChange, type PolicyChange } from './policies.ts';
import { serversChange } from './servers.ts';
import { keyed, literal, sameJson } from './words.ts';

/**
 * Every difference, in a fixed order. Empty where both say the same: order, comments, lay-out and the files that policies
 * stand in say nothing, so texts may differ then. Policies are compared where both have some.
 */
export function differenceOf(accepted: Itemised, found: Itemised): readonly Difference[] {
  return [
    ...policiesOf(accepted, found).differences,
    ...otherTexts(accepted.policies, found.policies),
    ...directoryChange(accepted.directory, found.directory, accepted.items).differences,
    ...serversChange(accepted.servers, found.servers).differences,
  ];
}

/** Accepted, with only what tightens of what was found: it permits nothing that was not permitted. */
export function tightened(accepted: Itemised, found: Itemised): Tightened {
  const { decision, items } = policiesOf(accepted, found);
  return {
    policies: decision,
    items,
    directory: directoryChange(accepted.directory, found.directory, accepted.items).directory,
    servers: serversChange(accepted.servers, found.servers).servers,
  };
}

/** What waits for people; nobody is asked where it is empty. */
export const waitingOf = (differences: readonly Difference[]): readonly Difference[] =>
  differences.filter((one) => !one.tightens);

const nothing: PolicyDecision = { withdraw: [], replace: [], add: [] };

function policiesOf(accepted: Itemised, found: Itemised): PolicyChange {
  if (accepted.policies === null || found.policies === null)
    return { differences: [], decision: nothing, items: accepted.items };
  return policyChange(accepted.items, found.items, accepted.servers);
}

/** Types and attributes: what a policy makes of them cannot be told without asking Cedar, so that none tightens. */
function otherTexts(
  accepted: AcceptedPolicies | null,
  found: AcceptedPolicies | null,
): readonly Difference[] {
  if (accepted === null || found === null) return [];
  const text = (set: AcceptedPolicies): ReadonlyMap<string, string> =>
    new Map(set.schemas.map((one) => [one.file, one.text]));
  return [
    ...differing(text(accepted), text(found), 'schema', (id) => id),
    ...entityDifferences(accepted.entities, found.entities),
  ];
}

function entityDifferences(before: JsonValue, after: JsonValue): readonly Difference[] {
  if (sameJson(before, after)) return [];
  const [one, now] = [entities(before), entities(after)];
  // What cannot be told apart by name is shown whole.
  if (one === null || now === null)
    return differing(
      new Map(before === null ? [] : [['entities.json', literal(before)]]),
      new Map(after === null ? [] : [['entities.json', literal(after)]]),
      'entities',
      (id) => id,
    );
  return differing(one, now, 'entities', (id) => `the entity ${id}`);
}

/** Each entity literally, by `Type::"id"`; null where one has no name of its own. */
function entities(json: JsonValue): ReadonlyMap<string, string> | null {
  if (json === null) return new Map();
  if (!isJsonArray(json)) return null;
  const named = json.map((one) => ({ name: entityName(one), text: literal(one) }));
  const map = new Map([...keyed(named, ({ name }) => name)].map(([name, { text }]) => [name, text]));
  return map.size === json.length && !map.has('') ? map : null;
}

/** Empty where it has none. */
function entityName(json: JsonValue): string {
  const uid = isJsonObject(json) ? json['uid'] : undefined;
  const name = isJsonObject(uid) && isJsonObject(uid['__entity']) ? uid['__entity'] : uid;
  if (!isJsonObject(name)) return '';
  const { type, id } = name;
  return typeof type === 'string' && typeof id === 'string' ? `${type}::${JSON.stringify(id)}` : '';
}

function differing(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  what: 'schema' | 'entities',
  words: (id: string) => string,
): readonly Difference[] {
  return [...new Set([...before.keys(), ...after.keys()])].toSorted().flatMap((id): readonly Difference[] => {
    const [one, now] = [before.get(id) ?? null, after.get(id) ?? null];
    if (one === now) return [];
    const verb = one === null ? 'adds' : now === null ? 'removes' : 'changes';
    return [
      { what, id, before: one, after: now, tightens: false, says: `${verb} ${words(id)}`, touches: [] },
    ];
  });
}
