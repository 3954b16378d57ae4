/**
 * The JSON Schema of the configuration file: what `serve` validates with, and what docs/config.schema.json publishes for
 * editors (test/config/schema.test.ts keeps the two in step; scripts/config-schema.ts writes the file).
 *
 * Of patterns, constants and alternatives the `description` finishes the sentence "… must be" in an error message; of `not`
 * it is the message.
 */
import { effects } from '../core/profile.ts';

/** Names that people and agents, groups and roles go by. */
const id = {
  type: 'string',
  pattern: '^[a-z0-9._-]{1,64}$',
  description: '1 to 64 of the characters a-z, 0-9, dot, underscore and hyphen',
} as const;

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

const environmentName = {
  type: 'string',
  pattern: '^[A-Za-z_][A-Za-z0-9_]{0,127}$',
  description: 'the name of an environment variable',
} as const;

const text = { type: 'string', minLength: 1, maxLength: 2000 } as const;
const short = { type: 'string', minLength: 1, maxLength: 120 } as const;

/** A literal, or where the literal is to be found. */
const secret = {
  anyOf: [
    { type: 'string', maxLength: 8192 },
    {
      type: 'object',
      required: ['fromEnv'],
      additionalProperties: false,
      properties: { fromEnv: environmentName },
    },
    { type: 'object', required: ['fromFile'], additionalProperties: false, properties: { fromFile: text } },
  ],
  description: 'a text, {fromEnv: NAME} or {fromFile: PATH}',
} as const;

const duration = {
  type: 'string',
  pattern: '^P(?=.)(?:\\d{1,3}W)?(?:\\d{1,4}D)?(?:T(?=\\d)(?:\\d{1,5}H)?(?:\\d{1,6}M)?(?:\\d{1,7}S)?)?$',
  description: 'an ISO 8601 duration, such as PT50S or PT10M',
} as const;

const mode = {
  enum: ['enforce', 'observe'],
  description:
    'observe: what policies say is recorded and nothing is held or denied. Default: enforce; a tool: as its server.',
} as const;

/** A whole number from 1; more than the most is a mistake and no wish. */
const count = <const Most extends number>(maximum: Most) =>
  ({ type: 'integer', minimum: 1, maximum, description: `a whole number from 1 to ${maximum}` }) as const;

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

const callbackHost = {
  type: 'string',
  maxLength: 300,
  pattern: '^(?:[a-z0-9_-]+|\\*\\.[a-z0-9_-]+\\.[a-z0-9_-]+)(?:\\.[a-z0-9_-]+)*(?::[1-9]\\d{0,4})?$',
  description:
    'a host name in lower case, such as wf.example.com, "*.flows.example.com" for every name below it, or with a port, wf.example.com:8443',
} as const;

/** The whole schema, JSON Schema 2020-12. */
export const configSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'https://countersign.dev/schema/config.json',
  title: 'Countersign configuration',
  type: 'object',
  additionalProperties: false,
  properties: {
    listen: {
      type: 'string',
      pattern: '^(?:\\[[0-9A-Fa-f:.]+\\]|[^\\s:/\\[\\]]+):\\d{1,5}$',
      description: 'HOST:PORT, such as 127.0.0.1:7788',
    },
    url: {
      type: 'string',
      pattern: '^https?://[^/?#\\s]+/?$',
      description: 'an http or https origin without a path, such as https://gate.example.com',
    },
    data: { ...text, description: 'Folder of the embedded store.' },
    database: { ...secret, description: 'a postgres:// URL, {fromEnv: NAME} or {fromFile: PATH}' },
    policies: { ...text, description: 'Folder of *.cedar, *.cedarschema and entities.json.' },
    timezone: {
      type: 'string',
      pattern: '^[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*$',
      maxLength: 64,
      description:
        'a name of the IANA time zone database, such as Europe/Berlin; policies and reports read hours and days in it',
    },
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
    channels: {
      type: 'object',
      additionalProperties: false,
      properties: {
        webhook: {
          type: 'object',
          required: ['url', 'secret'],
          additionalProperties: false,
          properties: {
            url: { type: 'string', pattern: '^https?://', description: 'an http or https URL' },
            secret: { ...secret, description: 'a text (whsec_…), {fromEnv: NAME} or {fromFile: PATH}' },
          },
        },
      },
    },
    callbacks: {
      type: 'object',
      required: ['hosts', 'secret'],
      additionalProperties: false,
      description: 'Where agents may have themselves called back when their wait for people ends.',
      properties: {
        hosts: { type: 'array', items: callbackHost, minItems: 1, maxItems: 1000, uniqueItems: true },
        secret: { ...secret, description: 'a text (whsec_…), {fromEnv: NAME} or {fromFile: PATH}' },
        dangerouslyAllowPrivateAddresses: {
          type: 'boolean',
          description:
            'Lets callbacks reach loopback and private networks, and go over plain http. Agents choose what is called.',
        },
      },
    },
    limits: {
      type: 'object',
      additionalProperties: false,
      properties: {
        replay: duration,
        hold: duration,
        holdProgress: duration,
        cooldown: duration,
        unsafeWindow: duration,
        unsafe: count(1000),
        pendingPerAgent: count(100_000),
        inbox: count(100_000),
        creationsPerMinute: count(100_000),
      },
    },
  },
  dependentSchemas: {
    database: { not: { required: ['data'] }, description: 'Give data or database, not both.' },
  },
} as const;
