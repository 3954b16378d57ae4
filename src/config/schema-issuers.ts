/** The key about whose workload tokens are taken in place of the gate's own (docs/agents.md). */
import { id, text } from './schema-parts.ts';

/** An origin with or without a path; how `iss` and `jwks_uri` are written. */
const address = {
  type: 'string',
  maxLength: 1000,
  pattern: '^https?://[^?#\\s]+$',
  description: 'an https URL without a query',
} as const;

const claimValue = {
  anyOf: [{ type: 'string', minLength: 1, maxLength: 1000 }, { type: 'integer' }, { type: 'boolean' }],
  description: 'a text, a whole number, true or false, which the claim must be exactly',
} as const;

/** What the gate checks by itself; as a claim of an agent it would mean nothing. */
const checkedClaims = ['iss', 'aud', 'exp', 'nbf', 'iat', 'jti', 'act', 'may_act'] as const;

const claimName = {
  type: 'string',
  minLength: 1,
  maxLength: 200,
  not: { enum: checkedClaims },
  description: `a claim other than ${checkedClaims.join(', ')}`,
} as const;

const issuer = {
  type: 'object',
  required: ['issuer', 'agents'],
  additionalProperties: false,
  properties: {
    issuer: { ...address, description: 'an https URL, exactly as the claim "iss" has it' },
    audience: { ...text, description: 'What the claim "aud" must be; default: the gate’s url.' },
    jwks: {
      anyOf: [
        address,
        {
          type: 'object',
          required: ['fromFile'],
          additionalProperties: false,
          properties: { fromFile: text },
        },
      ],
      description:
        'an https URL of the issuer’s public keys, or {fromFile: PATH}; default: where its metadata says',
    },
    accessTokens: { type: 'boolean', description: 'Whether the header must say typ: at+jwt (RFC 9068).' },
    authorizationServer: {
      type: 'boolean',
      description: 'Whether MCP clients are told that they may get tokens there (RFC 9728).',
    },
    agents: {
      type: 'array',
      minItems: 1,
      maxItems: 1000,
      items: {
        type: 'object',
        required: ['agent', 'claims'],
        additionalProperties: false,
        properties: {
          agent: id,
          claims: {
            type: 'object',
            minProperties: 1,
            maxProperties: 20,
            propertyNames: claimName,
            additionalProperties: claimValue,
          },
        },
      },
    },
    people: {
      type: 'object',
      additionalProperties: false,
      description: 'Whom its tokens are for: the claim that names a person, and people by its value.',
      properties: {
        claim: { ...claimName, description: 'a claim; default sub' },
        ids: { type: 'object', maxProperties: 10_000, additionalProperties: id },
      },
    },
  },
} as const;

/** Properties of the whole (config/schema.ts). */
export const issuerKeys = {
  issuers: { type: 'array', maxItems: 100, items: issuer },
} as const;
