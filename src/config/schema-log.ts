/** The keys about the log: its name and keys, witnesses, time-stamps, how long payloads are kept, where it is shipped. What a `description` must read like: config/schema.ts. */
import { count, duration, secret, text } from './schema-parts.ts';

const webUrl = {
  type: 'string',
  maxLength: 2000,
  pattern: '^https?://[^\\s]+$',
  description: 'an http or https URL',
} as const;

const witness = {
  type: 'object',
  required: ['key', 'url'],
  additionalProperties: false,
  properties: {
    key: {
      type: 'string',
      maxLength: 500,
      pattern: '^[^\\s+]+\\+[0-9a-f]{8}\\+[A-Za-z0-9+/=]+$',
      description: "the witness's verifier key, NAME+HASH+KEY",
    },
    url: webUrl,
  },
} as const;

const target = {
  type: 'object',
  additionalProperties: false,
  minProperties: 1,
  properties: {
    format: { enum: ['entry', 'ocsf'], description: 'entry or ocsf' },
    webhook: webUrl,
    secret: { ...secret, description: 'a text (whsec_…), {fromEnv: NAME} or {fromFile: PATH}' },
    syslog: {
      type: 'string',
      maxLength: 300,
      pattern: '^tls://(?:\\[[0-9A-Fa-f:.]+\\]|[^\\s:/\\[\\]]+)(?::\\d{1,5})?$',
      description: 'tls://HOST:PORT; without a port 6514',
    },
    ca: { ...secret, description: 'certificates in PEM: {fromFile: PATH}' },
    file: { ...text, description: 'Path of the file that is appended to.' },
  },
} as const;

export const logKeys = {
  log: {
    type: 'object',
    additionalProperties: false,
    description: 'The transparency log: how it is named, signed, witnessed, kept and shipped.',
    properties: {
      origin: {
        type: 'string',
        maxLength: 253,
        pattern: '^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$',
        description: 'a bare host name in lower case, such as audit.example.com; it names the log for ever',
      },
      keys: {
        type: 'object',
        additionalProperties: false,
        properties: {
          log: {
            ...secret,
            description: 'an Ed25519 private key in PEM: {fromFile: PATH} or {fromEnv: NAME}',
          },
          logBefore: {
            ...secret,
            description: 'the Ed25519 key before it, while both sign: {fromFile: PATH} or {fromEnv: NAME}',
          },
          receipt: {
            ...secret,
            description: 'an ECDSA P-256 private key in PEM: {fromFile: PATH} or {fromEnv: NAME}',
          },
        },
      },
      public: {
        type: 'boolean',
        description: 'Serves checkpoint and tiles to everybody, not only to auditors.',
      },
      heartbeat: duration,
      witnesses: { type: 'array', items: witness, maxItems: 20 },
      quorum: count(20),
      late: duration,
      timestamps: {
        type: 'object',
        required: ['url'],
        additionalProperties: false,
        properties: { url: webUrl, every: duration },
      },
      retention: { type: 'object', additionalProperties: false, properties: { payloads: duration } },
      ship: {
        type: 'object',
        maxProperties: 20,
        propertyNames: {
          pattern: '^[a-z0-9._-]{1,64}$',
          description: '1 to 64 of the characters a-z, 0-9, dot, underscore and hyphen',
        },
        additionalProperties: target,
      },
      ocsf: { enum: ['1.6.0', '1.8.0', '1.9.0'], description: '1.6.0, 1.8.0 or 1.9.0' },
    },
  },
} as const;
