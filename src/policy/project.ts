/**
 * The part of an input that policies read, in Cedar's types. Promises:
 *
 * - a value that is read and does not fit its declared type is a misfit, and so a denial: Cedar never sees it;
 * - a value that is read but not declared is a misfit too, so that no `has` is false of something that is there;
 * - null is absent; what no policy reads is left out, whatever it is;
 * - what is passed holds no key that Cedar's JSON would read as an escape.
 */
import type { Type } from '@cedar-policy/cedar-wasm/nodejs';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { err, ok, type Result } from '../core/result.ts';
import { emptyRecord, type InputType, type RecordType } from './input-type.ts';
import type { Reads } from './reads.ts';

/** The fields that these reads leave of a type; opaque ones stay, so that their presence is noticed. */
export function projectType(type: InputType, reads: Reads): InputType {
  if (reads.whole || type.kind !== 'record') return type;
  const fields = [...reads.fields].flatMap(([name, below]) => {
    const field = type.fields.get(name);
    return field === undefined ? [] : [[name, { ...field, type: projectType(field.type, below) }] as const];
  });
  return { kind: 'record', fields: new Map(fields) };
}

/** A type in Cedar's schema language; opaque fields are left out. */
export function cedarTypeOf(type: InputType): Type<string> {
  switch (type.kind) {
    case 'string':
      return { type: 'String' };
    case 'long':
      return { type: 'Long' };
    case 'bool':
      return { type: 'Boolean' };
    case 'set':
      return { type: 'Set', element: cedarTypeOf(type.of) };
    case 'record': {
      const attributes = [...type.fields].flatMap(([name, field]) =>
        field.type.kind === 'opaque'
          ? []
          : [[name, { ...cedarTypeOf(field.type), required: field.required }] as const],
      );
      return { type: 'Record', attributes: Object.fromEntries(attributes) };
    }
    case 'opaque':
      return cedarTypeOf(emptyRecord); // never reached: opaque fields are left out, and lists of them are opaque
  }
}

/** Where a value does not fit, and why, without the value. */
export interface Misfit {
  readonly path: string;
  readonly why: string;
}

type Fitted = Result<JsonValue, Misfit>;

/** The input that Cedar gets. `type` is the declared one, not yet projected. */
export function projectInput(input: JsonObject, type: RecordType, reads: Reads): Result<JsonObject, Misfit> {
  return projectRecord(input, type, { reads, path: 'context.input' });
}

/** The same of any record of the context; `at.path` is how a misfit names it. */
export function projectRecord(value: JsonObject, type: RecordType, at: At): Result<JsonObject, Misfit> {
  const fitted = fitRecord(value, type, at);
  // fitRecord answers an object for a record.
  return fitted.ok ? ok(fitted.value as JsonObject) : fitted;
}

/** What is read of a value, and where it is. */
export interface At {
  readonly reads: Reads;
  readonly path: string;
}

const all: Reads = { whole: true, fields: new Map() };
const misfit = (at: At, why: string): Fitted => err({ path: at.path, why });

function fit(value: JsonValue, type: InputType, at: At): Fitted {
  switch (type.kind) {
    case 'string':
      return typeof value === 'string' ? ok(value) : misfit(at, 'is not a string');
    case 'bool':
      return typeof value === 'boolean' ? ok(value) : misfit(at, 'is not a boolean');
    case 'long':
      return Number.isSafeInteger(value) ? ok(value) : misfit(at, 'is not an integer');
    case 'set':
      return fitSet(value, type.of, at);
    case 'record':
      return isJsonObject(value) ? fitRecord(value, type, at) : misfit(at, 'is not an object');
    case 'opaque':
      return misfit(at, `cannot be read by a policy: ${type.why}`);
  }
}

function fitSet(value: JsonValue, of: InputType, at: At): Fitted {
  if (!Array.isArray(value)) return misfit(at, 'is not a list');
  const items: JsonValue[] = [];
  for (const item of value as readonly JsonValue[]) {
    // isArray does not know readonly arrays
    const fitted = fit(item, of, { reads: all, path: `${at.path}[]` });
    if (!fitted.ok) return fitted;
    items.push(fitted.value);
  }
  return ok(items);
}

function fitRecord(value: JsonObject, type: RecordType, at: At): Fitted {
  const fitted: Record<string, JsonValue> = {};
  const { reads } = at;
  // A record that is used as a whole has all its fields read, those that are not declared included.
  const names = reads.whole ? new Set([...type.fields.keys(), ...Object.keys(value)]) : reads.fields.keys();
  for (const name of names) {
    const path = `${at.path}.${name}`;
    const given = Object.hasOwn(value, name) ? (value[name] ?? null) : null;
    const field = type.fields.get(name);
    if (given === null) {
      if (field?.required === true && field.type.kind !== 'opaque') return err({ path, why: 'is missing' });
      continue;
    }
    if (field === undefined) return err({ path, why: 'is not in the declared input' });
    const below = reads.whole ? all : (reads.fields.get(name) ?? all);
    const part = fit(given, field.type, { reads: below, path });
    if (!part.ok) return part;
    fitted[name] = part.value;
  }
  return ok(fitted);
}
