/** The keys about how people sign in: OpenID providers, sessions, one-time links. */
import { duration, id, secret, short, text } from './schema-parts.ts';

const issuer = {
  type: 'string',
  maxLength: 500,
  pattern: '^https?://[^/?#\\s@]+(?:/[^?#\\s]*)?$',
  description: 'an https URL without a query, exactly as the provider writes it',
} as const;

const provider = {
  type: 'object',
  required: ['id', 'name', 'issuer', 'clientId', 'clientSecret'],
  additionalProperties: false,
  properties: {
    id,
    name: { ...short, description: 'What people call it: the sign-in page says “Continue with …”.' },
    issuer,
    clientId: { ...text, maxLength: 500 },
    clientSecret: { ...secret, description: 'a text, {fromEnv: NAME} or {fromFile: PATH}' },
    scopes: {
      type: 'array',
      items: {
        type: 'string',
        pattern: '^[\\x21\\x23-\\x5b\\x5d-\\x7e]{1,200}$',
        description: 'a scope (RFC 6749 §3.3)',
      },
      maxItems: 50,
      uniqueItems: true,
    },
    groups: {
      type: 'object',
      required: ['claim', 'map'],
      additionalProperties: false,
      description:
        'Which groups the provider may claim: a new claim counts for approving after limits.coolOff.',
      properties: {
        claim: { ...short, description: 'The claim of the ID token that lists them.' },
        map: {
          type: 'object',
          minProperties: 1,
          maxProperties: 1000,
          description: 'Names of the provider to groups of this gate; others are ignored.',
          additionalProperties: id,
        },
      },
    },
    maxAge: {
      ...duration,
      description:
        'an ISO 8601 duration: how long ago somebody may have proven themself to the provider; default PT12H',
    },
    linkByEmail: {
      const: 'dangerous-match-by-email',
      description:
        '"dangerous-match-by-email": an account that nobody has is attached to the one person of its verified address',
    },
  },
} as const;

/** Properties of the whole (config/schema.ts). */
export const providerKeys = {
  providers: { type: 'array', items: provider, maxItems: 20 },
  sessions: {
    type: 'object',
    additionalProperties: false,
    properties: {
      idle: {
        ...duration,
        description: 'an ISO 8601 duration: unused for so long, a session ends; default PT1H',
      },
      absolute: { ...duration, description: 'an ISO 8601 duration: a session ends after it; default PT12H' },
    },
  },
  signInLinks: {
    type: 'boolean',
    description: 'False: one-time sign-in links do nothing. They are for the demo and the first set-up.',
  },
} as const;
