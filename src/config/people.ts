/** People, groups and agents of a configuration: the directory, and what is wrong between its parts. */
import type { Agent, Directory, Person } from '../core/directory.ts';
import { gateName } from '../core/gate.ts';
import { asAgentId, asGroupId, asPersonId } from '../core/ids.ts';
import type { ConfigDocument, Problem } from './document.ts';
import { nearest } from './nearest.ts';
import type { Written } from './written.ts';

/** The directory as written; groups exist because somebody is in them. */
export function directoryOf(written: Written): Directory {
  const people = (written.people ?? []).map((one): Person => ({
    id: asPersonId(one.id),
    name: one.name,
    groups: (one.groups ?? []).map(asGroupId),
    ...(one.email === undefined ? {} : { email: one.email }),
    ...(one.active === false ? { active: false as const } : {}),
  }));
  const agents = (written.agents ?? []).map((one): Agent => ({
    id: asAgentId(one.id),
    owners: one.owners.map(asPersonId),
    groups: (one.groups ?? []).map(asGroupId),
    ...(one.active === false ? { active: false as const } : {}),
  }));
  const { operators, auditors, admins, breakGlass } = written.roles ?? {};
  const { people: quorum, proposers } = written.changes ?? {};
  return {
    people,
    agents,
    roles: {
      operators: operators === undefined ? null : asGroupId(operators),
      auditors: auditors === undefined ? null : asGroupId(auditors),
      ...(admins === undefined ? {} : { admins: asGroupId(admins) }),
      ...(breakGlass === undefined ? {} : { breakGlass: asGroupId(breakGlass) }),
      ...(quorum === undefined ? {} : { adminsQuorum: quorum }),
      ...(proposers === undefined ? {} : { proposers: proposers.map(asAgentId) }),
    },
  };
}

/** Ids used twice, and owners who are no people. */
export function peopleProblems(written: Written, document: ConfigDocument): readonly Problem[] {
  const people = (written.people ?? []).map((one) => one.id);
  const agents = (written.agents ?? []).map((one) => one.id);
  const problems = [
    ...twice('people', people, document),
    ...twice('agents', agents, document),
    ...reservedAgents(agents, document),
    ...proposerProblems(written, agents, document),
  ];
  for (const [index, agent] of (written.agents ?? []).entries()) {
    for (const [at, owner] of agent.owners.entries()) {
      if (people.includes(owner)) continue;
      const near = nearest(owner, people);
      const hint = near === undefined ? 'an owner is one of the people' : `did you mean "${near}"?`;
      problems.push(
        document.problem(
          ['agents', index, 'owners', at],
          `The agent ${agent.id} has an owner "${owner}" who is not among the people; ${hint}${near === undefined ? '.' : ''}`,
        ),
      );
    }
  }
  return problems;
}

const reservedAgents = (agents: readonly string[], document: ConfigDocument): readonly Problem[] =>
  agents.flatMap((id, index) =>
    id === gateName
      ? [
          document.problem(
            ['agents', index, 'id'],
            `an agent cannot be named ${gateName}: the gate itself goes by it.`,
          ),
        ]
      : [],
  );

const proposerProblems = (
  written: Written,
  agents: readonly string[],
  document: ConfigDocument,
): readonly Problem[] =>
  (written.changes?.proposers ?? []).flatMap((id, index) =>
    agents.includes(id)
      ? []
      : [
          document.problem(
            ['changes', 'proposers', index],
            `changes.proposers: "${id}" is not among the agents.`,
          ),
        ],
  );

function twice(list: 'people' | 'agents', ids: readonly string[], document: ConfigDocument): Problem[] {
  return ids.flatMap((id, index) =>
    ids.indexOf(id) === index
      ? []
      : [document.problem([list, index, 'id'], `${list}: the id "${id}" is there twice.`)],
  );
}

/** What is allowed, but probably not meant: groups and roles without anybody. */
export function peopleWarnings(written: Written): readonly string[] {
  const inhabited = new Set((written.people ?? []).flatMap((one) => one.groups ?? []));
  const roles = Object.entries(written.roles ?? {});
  return [
    ...roles
      .filter(([role, group]) => role !== 'admins' && !inhabited.has(group))
      .map(([role, group]) => `roles.${role} is the group "${group}", and nobody is in it.`),
    ...Object.keys(written.groups ?? {})
      .filter((group) => !inhabited.has(group))
      .map((group) => `The group "${group}" has no people.`),
  ];
}
