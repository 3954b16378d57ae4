/**
 * Who may approve (design §5): membership of the approver group is core's to check, so that here stands a permit for all;
 * operators narrow it with forbids on `Action::"approve"`. Whatever fails keeps that person from that requirement. Whom a
 * forbid keeps from seeing the action, or what it holds, cannot approve it either: nobody approves what they were not shown.
 */
import { splitOperation } from '../core/action.ts';
import type { Facts } from '../core/acts.ts';
import type { MayApproveRows } from '../core/judged.ts';
import type { PersonId } from '../core/ids.ts';
import { agentIn } from '../core/directory.ts';
import type { Requirement } from '../core/verdict.ts';
import type { Judgeable, PolicyWorld } from '../ports/policy.ts';
import { systemFields } from './context.ts';
import { keyOf, type Entity } from './entities.ts';
import type { Evaluator } from './evaluator.ts';
import type { Live } from './prepare.ts';
import { mayDoWith, type RoleSlices } from './roles.ts';
import type { Slice } from './slice.ts';

/** What is asked about people: an action, and what it wants of them. */
export interface Approving {
  readonly action: Judgeable;
  readonly requirements: readonly Requirement[];
  readonly people: readonly PersonId[];
  readonly nowMs: number;
}

/** For each person the requirements that no forbid keeps them from. */
export function mayApproveWith(
  live: Live & { readonly world: PolicyWorld },
  evaluator: Evaluator,
  slices: { readonly approve: Slice | null; readonly roles: RoleSlices },
  asked: Approving,
): MayApproveRows {
  const sees = seeing(live, evaluator, slices.roles, asked);
  return approversOf(live, evaluator, slices.approve, asked).map((row) =>
    row.requirements.length === 0 || sees(row.person) ? row : { ...row, requirements: [] },
  );
}

/** Whether no forbid hides it from a person; without such forbids everybody sees what they are asked about. */
function seeing(
  live: Live & { readonly world: PolicyWorld },
  evaluator: Evaluator,
  roles: RoleSlices,
  { action, requirements, nowMs }: Approving,
): (person: PersonId) => boolean {
  const narrowed = (['read', 'read_input'] as const).filter((act) => roles.narrows(act));
  const facts: Facts = {
    kind: 'case',
    agent: action.agent,
    operation: action.operation,
    server: splitOperation(action.operation)?.target ?? '',
    resourceType: action.resource.type,
    approvers: requirements.flatMap((one) => [
      one.approvers,
      ...(one.escalate === null ? [] : [one.escalate.group]),
    ]),
    // Nobody was asked yet, and nobody has answered.
    asked: [],
    standIns: [],
    reviewers: [],
    approvedBy: [],
  };
  return (person) =>
    narrowed.every((act) =>
      mayDoWith(live, evaluator, roles.slice(act, 'forbids'), { person, facts, nowMs }),
    );
}

/** By forbids on `approve` alone. `slice` is null where the set has no such forbid. */
function approversOf(
  live: Live & { readonly world: PolicyWorld },
  evaluator: Evaluator,
  slice: Slice | null,
  { action, requirements, people, nowMs }: Approving,
): MayApproveRows {
  if (slice === null) {
    const all = requirements.map((requirement) => requirement.id);
    return people.map((person) => ({ person, requirements: all }));
  }
  const owner = agentIn(live.world.directory, action.agent)?.owners[0];
  const context = { system: systemFields(nowMs, live.zone) };
  const mayApprove = (person: PersonId, requirement: Requirement): boolean => {
    const [principal] = live.store.reach({ type: 'Person', id: person });
    if (owner === undefined || principal === undefined) return false;
    const approval = approvalEntity(action, requirement, owner);
    const entities = new Map(
      [
        approval,
        ...live.store.reach(approval.attrs.owner.__entity),
        ...live.store.reach(approval.attrs.agent.__entity),
        principal,
      ].map((entity) => [keyOf(entity.uid), entity]),
    );
    for (const name of slice.follows)
      for (const entity of live.store.reach(name)) entities.set(keyOf(entity.uid), entity);
    const answer = evaluator.evaluate(slice, {
      principal: principal.uid,
      resource: approval.uid,
      context,
      entities: [...entities.values()],
    });
    return answer.kind === 'allow';
  };
  return people.map((person) => ({
    person,
    requirements: requirements
      .filter((requirement) => mayApprove(person, requirement))
      .map((requirement) => requirement.id),
  }));
}

type Reference<Type extends string> = { readonly __entity: { type: Type; id: string } };

/** The resource of `approve`: one requirement of one action. */
function approvalEntity(
  action: Judgeable,
  requirement: Requirement,
  owner: PersonId,
): Entity & {
  readonly attrs: { readonly agent: Reference<'Agent'>; readonly owner: Reference<'Person'> };
} {
  return {
    uid: { type: 'Approval', id: requirement.id },
    attrs: {
      requirement: requirement.id,
      operation: action.operation,
      agent: { __entity: { type: 'Agent', id: action.agent } },
      owner: { __entity: { type: 'Person', id: owner } },
    },
    parents: [],
  };
}
