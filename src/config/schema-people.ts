/** The keys about people and agents, the groups that they are in, and the roles that groups have. */
import { groupRoutes } from './schema-channels.ts';
import { count, id, short } from './schema-parts.ts';

const active = { type: 'boolean' } as const;

const person = {
  type: 'object',
  required: ['id', 'name'],
  additionalProperties: false,
  properties: {
    id,
    name: short,
    groups: { type: 'array', items: id, uniqueItems: true },
    email: { ...short, description: 'For providers with linkByEmail alone.' },
    active: {
      ...active,
      description: 'False: may do nothing any more, and keeps the name for what is past.',
    },
  },
} as const;

const agent = {
  type: 'object',
  required: ['id', 'owners'],
  additionalProperties: false,
  properties: {
    id,
    owners: {
      type: 'array',
      items: id,
      minItems: 1,
      uniqueItems: true,
      description: 'Ids of people; the first is accountable.',
    },
    groups: { type: 'array', items: id, uniqueItems: true },
    active: {
      ...active,
      description: 'False: may do nothing any more; its owners stay tied to what it asked.',
    },
  },
} as const;

/** Properties of the whole (config/schema.ts). */
export const peopleKeys = {
  roles: {
    type: 'object',
    additionalProperties: false,
    properties: { operators: { ...id }, auditors: { ...id }, admins: { ...id }, breakGlass: { ...id } },
  },
  changes: {
    type: 'object',
    additionalProperties: false,
    description: 'Who accepts what loosens this configuration or its policies: the group roles.admins.',
    properties: {
      people: { ...count(20), description: 'a whole number from 1 to 20: how many of them; default 2' },
      proposers: {
        type: 'array',
        items: id,
        uniqueItems: true,
        description: 'Agents that may name the author of a change: the identity of a CI system.',
      },
    },
  },
  people: { type: 'array', items: person },
  groups: {
    type: 'object',
    propertyNames: id,
    additionalProperties: groupRoutes,
  },
  agents: { type: 'array', items: agent },
  passkeys: {
    type: 'object',
    additionalProperties: false,
    properties: {
      allowVirtualAuthenticator: {
        type: 'boolean',
        description: 'Takes the virtual authenticator of a browser that a program drives; for tests only.',
      },
    },
  },
} as const;
