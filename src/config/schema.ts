/**
 * The JSON Schema of the configuration file: what `serve` validates with, and what docs/config.schema.json publishes for
 * editors (test/config/schema.test.ts keeps the two in step; scripts/config-schema.ts writes the file).
 *
 * Of patterns, constants and alternatives the `description` finishes the sentence "… must be" in an error message; of `not`
 * it is the message.
 */
import { channelKeys } from './schema-channels.ts';
import { issuerKeys } from './schema-issuers.ts';
import { logKeys } from './schema-log.ts';
import { operationKeys } from './schema-operations.ts';
import { count, duration, secret, text } from './schema-parts.ts';
import { peopleKeys } from './schema-people.ts';
import { providerKeys } from './schema-providers.ts';
import { telemetryKeys } from './schema-telemetry.ts';

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
    postgres: {
      type: 'object',
      additionalProperties: false,
      description: 'What PostgreSQL needs besides its URL.',
      properties: {
        direct: {
          ...secret,
          description:
            'a postgres:// URL, {fromEnv: NAME} or {fromFile: PATH}: the same database past the pooler that database names, such as PgBouncer in transaction mode',
        },
        standby: {
          enum: ['warn', 'required'],
          description: 'Where commits wait for no synchronous standby: it is said, or nothing is written.',
        },
      },
    },
    policies: { ...text, description: 'Folder of *.cedar, *.cedarschema and entities.json.' },
    timezone: {
      type: 'string',
      pattern: '^[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*$',
      maxLength: 64,
      description:
        'a name of the IANA time zone database, such as Europe/Berlin; policies and reports read hours and days in it',
    },
    ...peopleKeys,
    ...providerKeys,
    ...operationKeys,
    ...issuerKeys,
    ...channelKeys,
    ...logKeys,
    ...telemetryKeys,
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
    shutdown: {
      type: 'object',
      additionalProperties: false,
      description: 'How long a gate that was told to stop is still there.',
      properties: {
        drain: {
          ...duration,
          description:
            'an ISO 8601 duration, such as PT5S: how long everything is served on while /readyz says that the gate leaves',
        },
        grace: {
          ...duration,
          description: 'an ISO 8601 duration, such as PT30S: how long what runs is waited for after that',
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
        coolOff: duration,
      },
    },
  },
  dependentSchemas: {
    database: { not: { required: ['data'] }, description: 'Give data or database, not both.' },
    postgres: { required: ['database'] },
  },
} as const;
