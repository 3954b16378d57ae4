/** The keys about what agents can call: MCP servers with their tools, and operations that are asked for over HTTP. */
import { effects } from '../core/profile.ts';
import { environmentName, secret, short } from './schema-parts.ts';

/** Half of an operation's name: three underscores divide the halves, so that none may stand in the first, nor end it. */
const serverName = {
  type: 'string',
  maxLength: 64,
  pattern: '^[A-Za-z0-9][A-Za-z0-9.-]*(?:_{1,2}[A-Za-z0-9.-]+)*$',
  description:
    'up to 64 letters, digits, dots, hyphens and single underscores, beginning with a letter or digit',
} as const;

const toolName = {
  type: 'string',
  pattern: '^(?!__proto__$)[!-~]{1,128}$',
  description: 'the name of a tool: up to 128 characters without spaces',
} as const;

const mode = {
  enum: ['enforce', 'observe'],
  description:
    'observe: what policies say is recorded and nothing is held or denied. Default: enforce; a tool: as its server.',
} as const;

const look = {
  type: 'object',
  required: ['tool', 'input'],
  additionalProperties: false,
  properties: {
    tool: toolName,
    input: {
      type: 'object',
      description: 'The input of the call; a text `input.PATH` stands for a part of the action’s input.',
    },
    count: { ...short, description: 'Path in the answer to the number that the headline shows.' },
  },
} as const;

const profile = {
  type: 'object',
  required: ['verb', 'effect'],
  additionalProperties: false,
  properties: {
    verb: { ...short, description: 'A verb in the imperative: Export, Grant, Delete.' },
    effect: { enum: effects, description: 'What kind of thing it does.' },
    environment: short,
    resource: {
      type: 'object',
      required: ['type', 'id'],
      additionalProperties: false,
      properties: {
        type: {
          type: 'string',
          pattern: '^(?=.{1,128}$)[A-Za-z_]\\w*(?:::[A-Za-z_]\\w*)*$',
          description: 'the name of a Cedar entity type',
        },
        id: { ...short, description: 'A literal, or `input.PATH`.' },
      },
    },
    object: { ...short, description: 'What the headline names: a literal or `input.PATH`.' },
    reversible: { type: 'boolean' },
    consequence: {
      type: 'string',
      minLength: 1,
      maxLength: 300,
      description: 'One sentence for people: what happens.',
    },
    sum: {
      type: 'string',
      pattern: '^input\\.[^.]+(?:\\.[^.]+)*$',
      maxLength: 120,
      description:
        'the place of a whole number in the input, written input.PATH, that context.recent adds up',
    },
    before: { ...look, description: 'A read-only call that shows the state before.' },
    preview: { ...look, description: 'A read-only call that shows what the action would do.' },
  },
} as const;

/** A profile, a mode beside it, or only a mode. */
const tool = {
  type: 'object',
  additionalProperties: false,
  properties: { mode, ...profile.properties },
  if: { required: ['mode'], maxProperties: 1 },
  else: { required: profile.required },
} as const;

const server = {
  type: 'object',
  additionalProperties: false,
  properties: {
    command: {
      type: 'array',
      items: { type: 'string', maxLength: 8192 },
      minItems: 1,
      description: 'Program and arguments; no shell reads them.',
    },
    env: { type: 'object', propertyNames: environmentName, additionalProperties: secret },
    url: { type: 'string', pattern: '^https?://', description: 'an http or https URL' },
    headers: {
      type: 'object',
      propertyNames: {
        type: 'string',
        pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$",
        description: 'the name of an HTTP header',
      },
      additionalProperties: secret,
    },
    mode,
    pin: {
      enum: ['first-sight', 'manual'],
      description: 'Whether a new tool is enabled by itself or waits for an operator.',
    },
    tools: { type: 'object', propertyNames: toolName, additionalProperties: tool },
  },
  dependentRequired: { env: ['command'], headers: ['url'] },
  oneOf: [{ required: ['command'] }, { required: ['url'] }],
  description: 'an MCP server that is started by `command` or reached at `url`, one of the two',
} as const;

const operation = {
  type: 'object',
  required: ['input'],
  additionalProperties: false,
  properties: {
    input: { type: 'object', description: 'JSON Schema of the input.' },
    profile,
    mode,
  },
} as const;

/** Properties of the whole (config/schema.ts). */
export const operationKeys = {
  servers: { type: 'object', propertyNames: serverName, additionalProperties: server },
  operations: {
    type: 'object',
    propertyNames: {
      type: 'string',
      maxLength: 200,
      pattern: '^[A-Za-z0-9][A-Za-z0-9.-]*(?:_{1,2}[A-Za-z0-9.-]+)*___[!-~]+$',
      description: 'TARGET___NAME, with three underscores',
    },
    additionalProperties: operation,
  },
} as const;
