/**
 * What Cedar can know of an operation's input: its JSON Schema as Cedar types. Cedar has no unions, no null and no
 * floating numbers, so:
 *
 * - `string` (enums and formats too) is String, `boolean` Bool; `integer` and `number` are Long, and a number with a
 *   fraction is then a value that does not fit;
 * - `array` is Set, of what `items` says; `object` is a record of its `properties`;
 * - null is absent: `["string", "null"]`, and `anyOf` with a `null`, is an optional String;
 * - whatever is none of these is *opaque*: policies cannot read it, and are told why.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';

export type InputType =
  | { readonly kind: 'string' | 'long' | 'bool' }
  | { readonly kind: 'set'; readonly of: InputType }
  | RecordType
  | { readonly kind: 'opaque'; readonly why: string };

export interface RecordType {
  readonly kind: 'record';
  readonly fields: ReadonlyMap<string, Field>;
}

export interface Field {
  readonly type: InputType;
  readonly required: boolean;
}

export const emptyRecord: RecordType = { kind: 'record', fields: new Map() };

/** Schemas inside each other that are followed, `$ref`s included: a recursive schema ends here. */
const depthMax = 16;

/** Keys that are escapes in Cedar's JSON; no input has them (core/json.ts), so no schema may declare them. */
const reserved: ReadonlySet<string> = new Set(['__entity', '__extn', '__expr', '__proto__']);

const opaque = (why: string): InputType => ({ kind: 'opaque', why });

/** The record that an input schema declares; a schema that declares no object is the empty record. */
export function inputTypeOf(schema: JsonValue | undefined): RecordType {
  const type = typeOf(schema, { root: isJsonObject(schema) ? schema : {}, depth: 0 });
  return type.kind === 'record' ? type : emptyRecord;
}

interface Within {
  readonly root: JsonObject;
  readonly depth: number;
}

function typeOf(schema: JsonValue | undefined, within: Within): InputType {
  if (within.depth > depthMax) return opaque('its schema is nested too deep or recursive');
  if (!isJsonObject(schema)) return opaque('its schema allows anything');
  const deeper = { ...within, depth: within.depth + 1 };
  if (typeof schema['$ref'] === 'string') return typeOf(referred(schema['$ref'], within.root), deeper);
  const choices = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(choices))
    return same(
      choices.filter((choice: JsonValue) => !isNull(choice)),
      deeper,
    );
  if (Array.isArray(schema['allOf'])) {
    return schema['allOf'].length === 1 && schema['properties'] === undefined
      ? typeOf(schema['allOf'][0] as JsonValue, deeper) // an item of a JSON array
      : opaque('its schema is an allOf');
  }
  const names = typeNames(schema).filter((name) => name !== 'null');
  const [name] = names;
  if (name === undefined) return opaque('its schema names no type');
  if (names.length > 1) return opaque(`it may be ${names.join(' or ')}`);
  return named(name, schema, deeper);
}

function named(name: string, schema: JsonObject, deeper: Within): InputType {
  switch (name) {
    case 'string':
      return { kind: 'string' };
    case 'boolean':
      return { kind: 'bool' };
    case 'integer':
    case 'number':
      return { kind: 'long' };
    case 'array': {
      const of = typeOf(schema['items'], deeper);
      return of.kind === 'opaque' ? opaque(`it is a list, and of an item ${of.why}`) : { kind: 'set', of };
    }
    case 'object':
      return record(schema, deeper);
    default:
      return opaque(`its type is "${name}"`);
  }
}

/** What `type` says; without it, what its constants or keywords show. */
function typeNames(schema: JsonObject): readonly string[] {
  const { type } = schema;
  if (typeof type === 'string') return [type];
  if (Array.isArray(type)) return type.filter((name: JsonValue) => typeof name === 'string');
  const constants = schema['const'] === undefined ? schema['enum'] : [schema['const']];
  if (Array.isArray(constants)) return [...new Set(constants.map(nameOfConstant))];
  if (schema['properties'] !== undefined) return ['object'];
  return [];
}

function nameOfConstant(value: JsonValue): string {
  if (value === null) return 'null';
  if (typeof value === 'number') return 'integer';
  return Array.isArray(value) ? 'list' : typeof value;
}

/** The one type of all choices. */
function same(choices: readonly JsonValue[], within: Within): InputType {
  const [first, ...others] = choices.map((choice) => typeOf(choice, within));
  if (first === undefined) return opaque('its schema allows only null');
  if (others.length === 0) return first;
  const isPlain = first.kind === 'string' || first.kind === 'long' || first.kind === 'bool';
  return isPlain && others.every((other) => other.kind === first.kind)
    ? first
    : opaque('it may be one of several types');
}

const isNull = (schema: JsonValue): boolean =>
  isJsonObject(schema) && (schema['type'] === 'null' || ('const' in schema && schema['const'] === null));

const mayBeNull = (schema: JsonValue): boolean => {
  if (!isJsonObject(schema)) return true;
  const choices = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(choices)) return choices.some(mayBeNull);
  return isNull(schema) || typeNames(schema).includes('null');
};

function record(schema: JsonObject, within: Within): InputType {
  const { properties, required } = schema;
  if (properties === undefined) return emptyRecord;
  if (!isJsonObject(properties)) return opaque('its schema is not valid');
  const names: readonly JsonValue[] = Array.isArray(required) ? required : [];
  const fields = new Map<string, Field>();
  for (const [name, value] of Object.entries(properties)) {
    const type = reserved.has(name) ? opaque('its name is reserved') : typeOf(value, within);
    // A `$ref` may lead to null; what is not sure to be there is optional.
    const isRequired = names.includes(name) && !mayBeNull(value) && !(isJsonObject(value) && '$ref' in value);
    fields.set(name, { type, required: isRequired });
  }
  return { kind: 'record', fields };
}

/** What a local reference such as `#/$defs/Address` names; undefined for any other. */
function referred(reference: string, root: JsonObject): JsonValue | undefined {
  if (!reference.startsWith('#/')) return undefined;
  let here: JsonValue | undefined = root;
  for (const step of reference.slice(2).split('/')) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    here = isJsonObject(here) && Object.hasOwn(here, key) ? here[key] : undefined;
  }
  return here;
}
