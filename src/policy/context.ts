/**
 * What the gate itself puts into `context`, beside the input: the time, and what was granted lately. Of both only what the
 * policies of an action read is passed, since every field costs time in Cedar; whoever reads neither pays for neither.
 */
import type { CedarValueJson, Type } from '@cedar-policy/cedar-wasm/nodejs';
import type { JsonObject } from '../core/json.ts';
import type { Recent } from '../core/recent.ts';
import type { Result } from '../core/result.ts';
import { rfc3339 } from '../core/time.ts';
import type { InputType, RecordType } from './input-type.ts';
import { cedarTypeOf, projectRecord, projectType, type Misfit } from './project.ts';
import { readsField, type Reads } from './reads.ts';

const long: InputType = { kind: 'long' };
const record = (fields: Readonly<Record<string, InputType>>): RecordType => ({
  kind: 'record',
  fields: new Map(Object.entries(fields).map(([name, type]) => [name, { type, required: true }])),
});

const window = record({ count: long, sum: long });
const scope = record({ hour: window, day: window, ever: window });

/** `context.recent`. A `sum` is never optional: a guard with `has` would let an action pass that gives no number. */
export const recentType: RecordType = record({ agent: scope, owner: scope, operation: scope });
const localType: RecordType = record({ weekday: long, hour: long, minute: long });

const everything: Reads = { whole: true, fields: new Map() };

/** The type of `context.recent` in an evaluation that reads this much of it. */
export const recentTypeOf = (reads: Reads): Type<string> =>
  // A projected record is a record.
  cedarTypeOf(projectType(recentType, reads));

/** The type of `context.system` in an evaluation that reads this much of it. */
export const systemTypeOf = (reads: Reads = everything): Type<string> => ({
  type: 'Record',
  attributes: {
    ...(readsField(reads, 'now') ? { now: { type: 'Extension', name: 'datetime' } } : {}),
    ...(readsField(reads, 'local') ? { local: cedarTypeOf(localType) } : {}),
  },
});

/** `context.recent` with what is read of it; the error names a `sum` that this action gives no number for. */
export const recentFields = (recent: Recent, reads: Reads): Result<JsonObject, Misfit> =>
  // Counts are plain JSON.
  projectRecord(recent as unknown as JsonObject, recentType, { reads, path: 'context.recent' });

/** `context.system` with what is read of it. */
export function systemFields(
  nowMs: number,
  zone: LocalTime,
  reads: Reads = everything,
): Record<string, CedarValueJson> {
  return {
    ...(readsField(reads, 'now') ? { now: { __extn: { fn: 'datetime', arg: rfc3339(nowMs) } } } : {}),
    ...(readsField(reads, 'local') ? { local: { ...zone.at(nowMs) } } : {}),
  };
}

/** `context.system.local`. */
export interface Local {
  /** 1 = Monday … 7 = Sunday (ISO 8601). */
  readonly weekday: number;
  /** 0 to 23. */
  readonly hour: number;
  readonly minute: number;
}

const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const minuteMs = 60_000;

/** The clock on the wall in one time zone. */
export class LocalTime {
  readonly zone: string;
  readonly #format: Intl.DateTimeFormat;
  // Zones differ from UTC by whole minutes, so all times of a minute have the same answer.
  #minute = Number.NaN;
  #local: Local = { weekday: 1, hour: 0, minute: 0 };

  /** @param zone a name of the IANA time zone database, such as `Europe/Berlin`; throws where there is no such zone. */
  constructor(zone: string) {
    this.zone = zone;
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      weekday: 'short',
      hour: 'numeric',
      minute: 'numeric',
    });
  }

  at(nowMs: number): Local {
    const minute = Math.floor(nowMs / minuteMs);
    if (minute !== this.#minute) {
      const parts = new Map(this.#format.formatToParts(nowMs).map(({ type, value }) => [type, value]));
      this.#local = {
        weekday: weekdays.indexOf(parts.get('weekday') ?? '') + 1,
        hour: Number(parts.get('hour')),
        minute: Number(parts.get('minute')),
      };
      this.#minute = minute;
    }
    return this.#local;
  }
}
