/** The keys about people and agents, the groups that they are in, and the roles that groups have. */
import { id, short } from './schema-parts.ts';

const person = {
  type: 'object',
  required: ['id', 'name'],
  additionalProperties: false,
  properties: { id, name: short, groups: { type: 'array', items: id, uniqueItems: true } },
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
  },
} as const;

/** Properties of the whole (config/schema.ts). */
export const peopleKeys = {
  roles: {
    type: 'object',
    additionalProperties: false,
    properties: { operators: { ...id }, auditors: { ...id } },
  },
  people: { type: 'array', items: person },
  groups: {
    type: 'object',
    propertyNames: id,
    additionalProperties: {
      type: 'object',
      description: 'Where channels reach the group.',
      propertyNames: { enum: ['slack', 'teams'] },
      additionalProperties: short,
    },
  },
  agents: { type: 'array', items: agent },
} as const;
