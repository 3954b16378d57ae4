/**
 * Roles by policy (design §5): who reads and administers, as the default policies say it (roles-text.ts) and as the set's own
 * forbids narrow it. Promises: whatever fails is a no; an agent is nobody's principal here; without a usable set nobody sees
 * inputs, reads the log or changes how the gate stands, because the forbids that might keep them from it are not known.
 */
import { acts, unnarrowed, type Act, type Facts } from '../core/acts.ts';
import { adminsOf, agentIn, personIn, type Directory } from '../core/directory.ts';
import { asPolicyId, type AgentId, type PersonId } from '../core/ids.ts';
import type { LivePolicy, PolicyWorld } from '../ports/policy.ts';
import type { Compiled } from './compile.ts';
import { systemFields } from './context.ts';
import { followedIn, keyOf, type Entity } from './entities.ts';
import type { Evaluator } from './evaluator.ts';
import type { EntityName } from './expression.ts';
import { emptyRecord } from './input-type.ts';
import type { Live } from './prepare.ts';
import { readsOf } from './reads.ts';
import { entityTypeOf, rolesSchema } from './roles-schema.ts';
import { rolesFile, rolesText } from './roles-text.ts';
import type { Slice } from './slice.ts';
import { splitPolicies } from './split.ts';

/** One question: may this person do this to that? */
export interface Asking {
  readonly person: PersonId;
  readonly act: Act;
  readonly facts: Facts;
  readonly nowMs: number;
}

/** What goes on while no set is usable: looking at how things stand, and stopping them. */
const goesOnBroken: ReadonlySet<Act> = new Set<Act>([
  'read',
  'read_gate',
  'read_agent',
  'read_person',
  'stop',
  'cancel',
]);

export const mayWithoutSet = (act: Act): boolean => goesOnBroken.has(act);

const annotation = (text: string, name: string): string =>
  new RegExp(`@${name}\\("([^"]*)"\\)`).exec(text)?.[1] ?? '';

/** The defaults, one by one, as they are written. */
export const defaultRoles: readonly LivePolicy[] = splitPolicies(rolesFile, rolesText).policies.map(
  ({ file, line, text }) => ({
    id: asPolicyId(annotation(text, 'id')),
    title: annotation(text, 'title'),
    effect: 'permit',
    file,
    line,
    text: `${text};`,
    requirement: null,
  }),
);

/** Whether a policy of a set is about what people read and administer; told by its text, as it is shown. */
export const isOnRoles = ({ text }: Pick<LivePolicy, 'text'>): boolean =>
  acts.some((act) => text.includes(`Action::"${act}"`));

/** The slices of one set, each made when it is first needed. */
export class RoleSlices {
  readonly #compiled: Compiled;
  readonly #made = new Map<string, Slice>();
  readonly #narrowed: ReadonlySet<string>;

  constructor(compiled: Compiled) {
    this.#compiled = compiled;
    const named = new Set(compiled.statements.flatMap((statement) => statement.actions ?? []));
    this.#narrowed = new Set(acts.filter((act) => named.has(act) && !unnarrowed.has(act)));
  }

  /** Whether a forbid of the set is about this act. */
  narrows(act: Act): boolean {
    return this.#narrowed.has(act);
  }

  /** Defaults and forbids; `only`: the forbids alone, with a permit that stands for whatever else lets somebody. */
  slice(act: Act, only: 'forbids' | null = null): Slice {
    const key = `${act} ${only ?? ''}`;
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const made = sliceOf(this.#compiled, act, only);
    this.#made.set(key, made);
    return made;
  }
}

function sliceOf(compiled: Compiled, act: Act, only: 'forbids' | null): Slice {
  const statements = compiled.statements.filter((one) => one.actions?.includes(act) === true);
  const permits =
    only === 'forbids'
      ? { 'roles.any': `permit (principal, action == Action::"${act}", resource);` }
      : Object.fromEntries(
          defaultRoles
            .filter((one) => one.text.includes(`Action::"${act}"`))
            .map((one) => [`default ${one.id}`, one.text]),
        );
  return {
    action: act,
    statements: new Map(statements.map((one) => [one.id, one])),
    // An id of a set has no space, so that no forbid replaces a permit or is replaced by one.
    texts: { ...permits, ...Object.fromEntries(statements.map((one) => [one.id, one.text])) },
    schema: rolesSchema(compiled.types, [act]),
    reads: { ...readsOf([]), now: true },
    input: emptyRecord,
    hasRequirements: false,
    follows: followedIn(statements.flatMap((one) => one.conditions)),
  };
}

/** Asks Cedar; anything but a clean allow is a no. */
export function mayDoWith(
  live: Live & { readonly world: PolicyWorld },
  evaluator: Evaluator,
  slice: Slice,
  { person, facts, nowMs }: Omit<Asking, 'act'>,
): boolean {
  const { directory } = live.world;
  const [principal] = live.store.reach({ type: 'Person', id: person });
  if (principal === undefined || personIn(directory, person) === undefined) return false;
  const [resource, ...beside] = entitiesOf(live, facts);
  const about = [resource, ...beside, principal];
  const entities = new Map(about.map((entity) => [keyOf(entity.uid), entity]));
  for (const name of slice.follows)
    for (const entity of live.store.reach(name))
      if (!entities.has(keyOf(entity.uid))) entities.set(keyOf(entity.uid), entity);
  const answer = evaluator.evaluate(slice, {
    principal: principal.uid,
    resource: resource.uid,
    context: { system: systemFields(nowMs, live.zone), roles: rolesIn(directory) },
    entities: [...entities.values()],
  });
  return answer.kind === 'allow';
}

const reference = (type: string, id: string): { readonly __entity: EntityName } => ({
  __entity: { type, id },
});

/** A role that the configuration gives no group has one without a name, in which nobody can be. */
const rolesIn = (directory: Directory) => ({
  operators: reference('Group', directory.roles.operators ?? ''),
  auditors: reference('Group', directory.roles.auditors ?? ''),
  admins: reference('Group', adminsOf(directory)),
});

/** The entity that stands for the subject, and what it leads to. */
function entitiesOf(
  live: Live & { readonly world: PolicyWorld },
  facts: Facts,
): readonly [Entity, ...Entity[]] {
  switch (facts.kind) {
    case 'case': {
      const set = (type: string, ids: readonly string[]) => ids.map((id) => reference(type, id));
      const attrs = {
        agent: reference('Agent', facts.agent),
        operation: facts.operation,
        server: facts.server,
        resource_type: facts.resourceType,
        approvers: set('Group', facts.approvers),
        asked: set('Person', facts.asked),
        stand_ins: set('Person', facts.standIns),
        reviewers: set('Person', facts.reviewers),
        approved_by: set('Person', facts.approvedBy),
      };
      return [
        { uid: { type: 'Case', id: facts.operation }, attrs, parents: [] },
        ...agentEntities(live, facts.agent),
      ];
    }
    case 'agent':
      return agentEntities(live, facts.agent);
    case 'person':
      return knownOr(live, { type: entityTypeOf.person, id: facts.person });
    case 'server':
      return knownOr(live, { type: entityTypeOf.server, id: facts.server });
    case 'gate':
      return [{ uid: { type: 'Gate', id: 'gate' }, attrs: {}, parents: [] }];
  }
}

/** An agent that has left the directory is nobody's; what it did is still read. */
function agentEntities(
  live: Live & { readonly world: PolicyWorld },
  agent: AgentId,
): readonly [Entity, ...Entity[]] {
  const uid = { type: 'Agent', id: agent };
  const [first, ...more] = live.store.reach(uid);
  return first === undefined || agentIn(live.world.directory, agent) === undefined
    ? [{ uid, attrs: { owners: [] }, parents: [] }]
    : [first, ...more];
}

function knownOr({ store }: Live, uid: EntityName): readonly [Entity, ...Entity[]] {
  const [first, ...more] = store.reach(uid);
  return first === undefined ? [{ uid, attrs: {}, parents: [] }] : [first, ...more];
}
