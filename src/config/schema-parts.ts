/** What several keys of the configuration are made of. What a `description` must read like: config/schema.ts. */

/** Names that people and agents, groups and roles go by. */
export const id = {
  type: 'string',
  pattern: '^[a-z0-9._-]{1,64}$',
  description: '1 to 64 of the characters a-z, 0-9, dot, underscore and hyphen',
} as const;

/** As a shell can set it. */
export const environmentName = {
  type: 'string',
  pattern: '^[A-Za-z_][A-Za-z0-9_]{0,127}$',
  description: 'the name of an environment variable',
} as const;

/** Whatever a person writes: a path, a sentence. */
export const text = { type: 'string', minLength: 1, maxLength: 2000 } as const;

/** A name or a word or two, shown on one line. */
export const short = { type: 'string', minLength: 1, maxLength: 120 } as const;

/** A literal, or where the literal is to be found. */
export const secret = {
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

/** Weeks to seconds; the largest that a key takes is decided where it is read (config/limits.ts). */
export const duration = {
  type: 'string',
  pattern: '^P(?=.)(?:\\d{1,3}W)?(?:\\d{1,4}D)?(?:T(?=\\d)(?:\\d{1,5}H)?(?:\\d{1,6}M)?(?:\\d{1,7}S)?)?$',
  description: 'an ISO 8601 duration, such as PT50S or PT10M',
} as const;

/** A whole number from 1; more than the most is a mistake and no wish. */
export const count = <const Most extends number>(maximum: Most) =>
  ({ type: 'integer', minimum: 1, maximum, description: `a whole number from 1 to ${maximum}` }) as const;
