/**
 * The entities of a request: only the principal, the resource and what these lead to, since each one costs about 9 µs.
 * People and agents come from the directory, attributes of resources from entities.json, never from an agent.
 */
import type { CedarValueJson, EntityJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { AgentId } from '../core/ids.ts';
import type { Directory, Person } from '../core/directory.ts';
import { isJsonObject, type JsonValue } from '../core/json.ts';
import type { PolicyProblem } from '../ports/policy.ts';
import { partsOf, type Condition, type EntityName, type Expression } from './expression.ts';
import { ownTypes } from './types.ts';

/** An entity as Cedar takes it, with names in the one form that we compare. */
export interface Entity {
  readonly uid: EntityName;
  readonly attrs: Record<string, CedarValueJson>;
  readonly parents: EntityName[];
  readonly tags?: Record<string, CedarValueJson>;
}

/** Entities that one may lead to; a resource that needs more is evaluated without them, and reading one is an error. */
const entitiesMax = 1000;

export const keyOf = (name: EntityName): string => `${name.type}::${JSON.stringify(name.id)}`;

const named = (value: JsonValue | undefined): EntityName | null => {
  const name = isJsonObject(value) && value['__entity'] !== undefined ? value['__entity'] : value;
  return isJsonObject(name) && typeof name['type'] === 'string' && typeof name['id'] === 'string'
    ? { type: name['type'], id: name['id'] }
    : null;
};

/** Reads entities.json (Cedar's format). What else is wrong with it, Cedar tells when it is held against the types. */
export function readEntities(json: JsonValue): {
  readonly entities: readonly Entity[];
  readonly problems: readonly PolicyProblem[];
} {
  const entities: Entity[] = [];
  const problems: PolicyProblem[] = [];
  const wrong = (message: string): void =>
    void problems.push({ file: 'entities.json', line: 0, message, severity: 'error' });
  if (json !== null && !Array.isArray(json)) wrong('must be a list of entities');
  const seen = new Set<string>();
  for (const [index, item] of (Array.isArray(json) ? (json as readonly JsonValue[]) : []).entries()) {
    const entity = entityOf(item);
    if (entity === null) {
      wrong(`entity ${index + 1} must be {"uid": {"type", "id"}, "attrs": {…}, "parents": […]}`);
      continue;
    }
    const key = keyOf(entity.uid);
    if (ownTypes.has(entity.uid.type)) wrong(`${key}: people, agents and groups come from the configuration`);
    if (seen.has(key)) wrong(`${key} is there twice`);
    seen.add(key);
    entities.push(entity);
  }
  return { entities, problems };
}

function entityOf(json: JsonValue): Entity | null {
  if (!isJsonObject(json)) return null;
  const { uid, attrs = {}, parents = [], tags } = json;
  const name = named(uid);
  if (name === null || !isJsonObject(attrs) || !Array.isArray(parents)) return null;
  const above = (parents as readonly JsonValue[]).map(named);
  if (above.includes(null) || (tags !== undefined && !isJsonObject(tags))) return null;
  // JsonObject is Cedar's value type, but readonly; Cedar does not write to it.
  const values = attrs as unknown as Entity['attrs'];
  const found: Entity = { uid: name, attrs: values, parents: above.filter((each) => each !== null) };
  return tags === undefined ? found : { ...found, tags: tags as unknown as Entity['attrs'] }; // as above
}

const inGroups = (groups: Person['groups']): EntityName[] => groups.map((id) => ({ type: 'Group', id }));

/** Every entity that is known, and what it leads to. Made once for a set and a directory. */
export class EntityStore {
  private readonly byKey = new Map<string, Entity>();
  private readonly agents = new Map<AgentId, Entity>();
  private readonly closures = new Map<string, readonly Entity[]>();

  constructor(directory: Directory, entities: readonly Entity[]) {
    for (const entity of entities) this.byKey.set(keyOf(entity.uid), entity);
    for (const person of directory.people)
      this.add({ uid: { type: 'Person', id: person.id }, attrs: {}, parents: inGroups(person.groups) });
    for (const agent of directory.agents) {
      const owners = agent.owners.map((id) => ({ __entity: { type: 'Person', id } }));
      const entity = {
        uid: { type: 'Agent', id: agent.id },
        attrs: { owners },
        parents: inGroups(agent.groups),
      };
      this.agents.set(agent.id, entity);
      this.add(entity);
    }
  }

  private add(entity: Entity): void {
    this.byKey.set(keyOf(entity.uid), entity);
  }

  agent(id: AgentId): Entity | undefined {
    return this.agents.get(id);
  }

  has(name: EntityName): boolean {
    return this.byKey.has(keyOf(name));
  }

  /** The entity, its ancestors, and whatever their attributes name; empty where it is unknown. */
  reach(name: EntityName): readonly Entity[] {
    const key = keyOf(name);
    const known = this.closures.get(key);
    if (known !== undefined) return known;
    const start = this.byKey.get(key);
    if (start === undefined) return []; // not kept: unknown names come from agents
    const found = new Map<string, Entity>([[key, start]]);
    for (const entity of found.values()) {
      for (const next of [...entity.parents, ...Object.values(entity.attrs).flatMap(namesIn)]) {
        const nextKey = keyOf(next);
        const there = this.byKey.get(nextKey);
        if (there !== undefined && found.size < entitiesMax) found.set(nextKey, there);
      }
    }
    const closure = [...found.values()];
    this.closures.set(key, closure);
    return closure;
  }
}

/** Entities that an attribute names. Those in a set are left out: Cedar cannot follow them. */
function namesIn(value: CedarValueJson): readonly EntityName[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  // Cedar's values are JSON.
  const name = named(value as unknown as JsonValue);
  return name === null ? Object.values(value).flatMap((each: CedarValueJson) => namesIn(each)) : [name];
}

/** Entities that conditions name and look into, so that Cedar must know them: `Person::"sam" in Group::"sre"`. */
export function followedIn(conditions: Iterable<Condition>): readonly EntityName[] {
  const found = new Map<string, EntityName>();
  const visit = (expression: Expression, compared: boolean): void => {
    if (expression.op === 'entity' && !compared) found.set(keyOf(expression.name), expression.name);
    for (const part of partsOf(expression)) visit(part, isCompared(expression, part));
  };
  for (const { body } of conditions) visit(body, false);
  return [...found.values()];
}

function isCompared(outer: Expression, part: Expression): boolean {
  if (outer.op === 'set') return true;
  if (outer.op === 'is') return outer.within === part;
  if (outer.op !== 'binary') return false;
  return outer.name === 'in' ? outer.right === part : outer.name !== 'getTag' && outer.name !== 'hasTag';
}

/** Vendor's type of the same thing. */
export const forCedar = (entities: Iterable<Entity>): EntityJson[] => [...entities];
