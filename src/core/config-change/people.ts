/**
 * People, agents and roles: what differs, and what becomes of the accepted directory at once.
 *
 * Promises of the tightened directory: nobody may do what they could not do before; nobody disappears from it, so that ties
 * and the size of the organisation stay what people have accepted; agents keep owners and groups, roles stay as they are.
 */
import type { Agent, Directory, Person } from '../directory.ts';
import type { GroupId } from '../ids.ts';
import type { Difference, PolicyItem, Touched } from '../config-change.ts';
import { besides, keyed, listWords, literal, personWords, sameJson } from './words.ts';

export interface DirectoryChange {
  readonly differences: readonly Difference[];
  readonly directory: Directory;
}

/** Compares two directories. `items`: the accepted policies, which decide whose going out of a group could loosen one. */
export function directoryChange(
  accepted: Directory,
  found: Directory,
  items: readonly PolicyItem[],
): DirectoryChange {
  const isRead = (group: GroupId): boolean =>
    items.some(({ groups }) => groups === 'any' || groups.includes(group));
  const people = keyed(found.people, idOf);
  const agents = keyed(found.agents, idOf);
  // Apart: a person and an agent may have the same id.
  const [knownPeople, knownAgents] = [keyed(accepted.people, idOf), keyed(accepted.agents, idOf)];
  return {
    differences: [
      ...roleDifferences(accepted.roles, found.roles, 'roles.'),
      ...roleDifferences(besides(accepted, directoryFields), besides(found, directoryFields), ''),
      ...accepted.people.flatMap((one) => personDifferences(one, people.get(one.id), isRead)),
      ...found.people.filter(({ id }) => !knownPeople.has(id)).map(newPerson),
      ...accepted.agents.flatMap((one) => agentDifferences(one, agents.get(one.id))),
      ...found.agents.filter(({ id }) => !knownAgents.has(id)).map(newAgent),
    ],
    directory: {
      ...accepted,
      people: accepted.people.map((one) => tighterPerson(one, people.get(one.id), isRead)),
      agents: accepted.agents.map((one) => (isActive(agents.get(one.id)) ? one : { ...one, active: false })),
    },
  };
}

const idOf = ({ id }: { readonly id: string }): string => id;

type IsRead = (group: GroupId) => boolean;

/** A person or agent who is there, and active. */
const isActive = (one: { readonly active?: false } | undefined): boolean =>
  one !== undefined && one.active !== false;

function tighterPerson(one: Person, now: Person | undefined, isRead: IsRead): Person {
  const groups =
    now === undefined
      ? one.groups
      : one.groups.filter((group) => now.groups.includes(group) || isRead(group));
  return { ...one, groups, ...(isActive(now) ? {} : { active: false }) };
}

const directoryFields = ['people', 'agents', 'roles'];
const personFields = ['id', 'name', 'groups', 'email', 'active'];
const agentFields = ['id', 'owners', 'groups', 'active'];

function personDifferences(one: Person, now: Person | undefined, isRead: IsRead): readonly Difference[] {
  const words = personWords(one);
  if (now === undefined)
    return [
      personDifference([one, null], true, `removes ${words}${isActive(one) ? '' : ', deactivated already'}`),
    ];
  const found: Difference[] = [];
  if (isActive(one) !== isActive(now))
    found.push(
      personDifference([one, now], !isActive(now), `${isActive(now) ? 'activates' : 'deactivates'} ${words}`),
    );
  if (one.name !== now.name)
    found.push(personDifference([one, now], false, `renames ${words} to ${now.name}`));
  if (!sameJson(one.email ?? null, now.email ?? null))
    found.push(
      personDifference(
        [one, now],
        false,
        `sets the e-mail address of ${words} to ${now.email ?? 'none'} (was ${one.email ?? 'none'})`,
      ),
    );
  if (!sameJson(besides(one, personFields), besides(now, personFields)))
    found.push(personDifference([one, now], false, `changes what else is said of ${words}`));
  for (const group of one.groups)
    if (!now.groups.includes(group)) {
      const why = isRead(group) ? ', and a policy may forbid less then' : '';
      found.push(membership(one, group, { goes: true, tightens: !isRead(group), why }));
    }
  for (const group of now.groups)
    if (!one.groups.includes(group))
      found.push(membership(now, group, { goes: false, tightens: false, why: '' }));
  return found;
}

const newPerson = (now: Person): Difference =>
  personDifference(
    [null, now],
    false,
    `adds ${personWords(now)}${now.groups.length === 0 ? '' : ` in ${listWords(now.groups)}`}`,
  );

const inGroups = (groups: readonly GroupId[]): readonly Touched[] =>
  groups.map((id) => ({ what: 'group', id }));

function personDifference(
  [one, now]: readonly [Person | null, Person | null],
  tightens: boolean,
  says: string,
): Difference {
  return {
    what: 'person',
    id: one?.id ?? now?.id ?? '',
    before: one === null ? null : literal(one),
    after: now === null ? null : literal(now),
    tightens,
    says,
    touches: inGroups([...new Set([...(one?.groups ?? []), ...(now?.groups ?? [])])]),
  };
}

function membership(
  person: Person,
  group: GroupId,
  how: { readonly goes: boolean; readonly tightens: boolean; readonly why: string },
): Difference {
  const id = `${person.id} in ${group}`;
  return {
    what: 'group membership',
    id,
    before: how.goes ? id : null,
    after: how.goes ? null : id,
    tightens: how.tightens,
    says: `${how.goes ? 'removes' : 'adds'} ${personWords(person)} ${how.goes ? 'from' : 'to'} ${group}${how.why}`,
    touches: inGroups([group]),
  };
}

function agentDifferences(one: Agent, now: Agent | undefined): readonly Difference[] {
  if (now === undefined)
    return [
      agentDifference(
        [one, null],
        true,
        `removes the agent ${one.id}${isActive(one) ? '' : ', deactivated already'}`,
      ),
    ];
  const found: Difference[] = [];
  if (isActive(one) !== isActive(now))
    found.push(
      agentDifference(
        [one, now],
        !isActive(now),
        `${isActive(now) ? 'activates' : 'deactivates'} the agent ${one.id}`,
      ),
    );
  // Whose it is first: that one is accountable.
  if (!sameJson(one.owners, now.owners))
    found.push(
      agentDifference(
        [one, now],
        false,
        `gives the agent ${one.id} to ${listWords(now.owners)} (was ${listWords(one.owners)})`,
      ),
    );
  if (!sameJson(one.groups.toSorted(), now.groups.toSorted()))
    found.push(
      agentDifference(
        [one, now],
        false,
        `puts the agent ${one.id} in ${listWords(now.groups, 'no group')} (was ${listWords(one.groups, 'in none')})`,
      ),
    );
  if (!sameJson(besides(one, agentFields), besides(now, agentFields)))
    found.push(agentDifference([one, now], false, `changes what else is said of the agent ${one.id}`));
  return found;
}

const newAgent = (now: Agent): Difference =>
  agentDifference(
    [null, now],
    false,
    `adds the agent ${now.id}, owned by ${listWords(now.owners)}${now.groups.length === 0 ? '' : `, in ${listWords(now.groups)}`}`,
  );

function agentDifference(
  [one, now]: readonly [Agent | null, Agent | null],
  tightens: boolean,
  says: string,
): Difference {
  const agent = one ?? now;
  return {
    what: 'agent',
    id: agent?.id ?? '',
    before: one === null ? null : literal(one),
    after: now === null ? null : literal(now),
    tightens,
    says,
    touches: agent === null ? [] : [{ what: 'agent', id: agent.id }],
  };
}

/** No change of a role tightens: whoever could do something less, somebody else can do more. */
function roleDifferences(before: object, after: object, path: string): readonly Difference[] {
  const one = new Map<string, unknown>(Object.entries(before));
  const now = new Map<string, unknown>(Object.entries(after));
  return [...new Set([...one.keys(), ...now.keys()])].toSorted().flatMap((id): readonly Difference[] => {
    const [was, is] = [literal(one.get(id) ?? null), literal(now.get(id) ?? null)];
    if (was === is) return [];
    return [
      {
        what: 'role',
        id,
        before: was === 'null' ? null : was,
        after: is === 'null' ? null : is,
        tightens: false,
        says: `sets ${path}${id} to ${roleWords(now.get(id))} (was ${roleWords(one.get(id))})`,
        touches: [],
      },
    ];
  });
}

function roleWords(role: unknown): string {
  if (role === null || role === undefined) return 'its default';
  return typeof role === 'string' || typeof role === 'number' ? String(role) : literal(role);
}
