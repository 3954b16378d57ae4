/** A report as a gate's API answers it, read at the door: what answers may be another version, or no gate at all. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { JsonObject } from '../core/json.ts';
import type { Report } from '../core/report.ts';
import { Failure } from './command.ts';

export type ReportView = Report & { readonly next: readonly string[] };

const text = { type: 'string' } as const;
const count = { type: 'integer', minimum: 0 } as const;
const byCode = { type: 'object', additionalProperties: count } as const;
const ends = ['approved', 'denied', 'expired', 'cancelled', 'pending', 'changed'];
const tally = {
  actions: count,
  observed: count,
  glass: count,
  allowed: count,
  asked: count,
  wouldAsk: count,
  denied: byCode,
  wouldDeny: byCode,
  ends: {
    type: 'object',
    required: ends,
    properties: Object.fromEntries(ends.map((end) => [end, count])),
  },
};
const took = {
  anyOf: [
    {
      type: 'object',
      required: ['decisions', 'medianMs', 'slowMs'],
      properties: { decisions: count, medianMs: { type: 'number' }, slowMs: { type: 'number' } },
    },
    { type: 'null' },
  ],
};

const object = (properties: object) =>
  ({ type: 'object', required: Object.keys(properties), properties }) as const;
const list = (properties: object) => ({ type: 'array', items: object(properties) }) as const;
const day = { type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}$' };

const validate = new Ajv2020({
  strict: true,
  strictRequired: false,
  allowUnionTypes: true,
}).compile<ReportView>(
  object({
    from: text,
    to: text,
    timezone: text,
    agents: count,
    total: object({ ...tally, took }),
    operations: list({
      ...tally,
      took,
      operation: { type: ['string', 'null'] },
      days: list({ ...tally, day }),
    }),
    days: list({ ...tally, day }),
    groups: list({ group: text, asked: count, people: count }),
    people: list({
      person: text,
      asked: count,
      perDay: { type: 'number' },
      busiest: object({ day, asked: count }),
    }),
    policies: list({ policy: text, title: text, asked: count, denied: count }),
    next: { type: 'array', items: text },
  }),
);

export function reportOf(answer: JsonObject): ReportView {
  const read: unknown = answer;
  if (validate(read)) return read;
  throw new Failure('What answered is no report: the gate may be of another version.');
}
