/** One action as the log tells of it, and how the data of an entry is read, which the gate wrote and the model does not trust. */
import type { JsonValue } from '../../../src/core/json.ts';

export interface Wanted {
  readonly id: string;
  readonly quorum: number;
  readonly stepUp: boolean;
  readonly people: ReadonlySet<string>;
  readonly standIns: ReadonlySet<string>;
}

/** One action as the log tells of it. */
export interface Told {
  readonly id: string;
  readonly agent: string;
  readonly operation: string;
  readonly effect: string;
  readonly glass: string | null;
  readonly joinedFrom: number;
  approval: string | null;
  wanted: readonly Wanted[];
  conflict: ReadonlySet<string>;
  expiresAtMs: number;
  readonly approvers: Map<string, { readonly standsFor: string | null; readonly proven: boolean }>;
  readonly deniers: Set<string>;
  granted: { readonly index: number; readonly untilMs: number } | null;
  ended: string | null;
  execution: string | null;
  outcome: string | null;
}

export type Data = Readonly<Record<string, JsonValue | undefined>>;
export const dataOf = (value: JsonValue | undefined): Data =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Data) : {};
export const listOf = (value: JsonValue | undefined): readonly JsonValue[] =>
  Array.isArray(value) ? value : [];
/** A text as it is; anything else as JSON. */
export const textOf = (value: JsonValue | undefined): string =>
  typeof value === 'string' ? value : JSON.stringify(value ?? null);
export const textsOf = (value: JsonValue | undefined): readonly string[] => listOf(value).map(textOf);
