/** Says in sentences what a schema has against a configuration, each at its place in the file. */
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { ConfigDocument, Path, Problem } from './document.ts';
import { nearest } from './nearest.ts';
import { configSchema } from './schema.ts';

const ajv = new Ajv2020({ allErrors: true, verbose: true, strict: true, strictRequired: false });
const validate = ajv.compile(configSchema);

/** More problems than this are one problem: the file is no configuration. */
const problemsMax = 20;

/** All that the schema has against the document; empty where it fits. */
export function schemaProblems(document: ConfigDocument): readonly Problem[] {
  if (validate(document.value)) return [];
  const errors = validate.errors ?? [];
  return outermost(errors)
    .slice(0, problemsMax)
    .map((error) => problemOf(document, error));
}

/** Whether a value is a JSON Schema; the reason otherwise. */
export function schemaFault(schema: JsonObject): string | undefined {
  try {
    // Each one alone: two operations may use the same $id.
    new Ajv2020({ strict: false, logger: false, validateFormats: false }).compile(schema);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : 'not a JSON Schema';
  }
}

/** Where no alternative fits, the failures inside each say nothing more; nor do `propertyNames` and `if` beside what failed in them. */
function outermost(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const choices = errors.filter((error) => error.keyword === 'anyOf' || error.keyword === 'oneOf');
  const inside = (error: ErrorObject): boolean =>
    choices.some(
      (one) =>
        error !== one &&
        error.schemaPath.startsWith(`${one.schemaPath}/`) &&
        error.instancePath.startsWith(one.instancePath),
    );
  return errors.filter(
    (error) => !inside(error) && error.keyword !== 'propertyNames' && error.keyword !== 'if',
  );
}

function problemOf(document: ConfigDocument, error: ErrorObject): Problem {
  const path = steps(error.instancePath, document.value);
  const params: Readonly<Record<string, unknown>> = error.params;
  if (error.keyword === 'additionalProperties') {
    const key = String(params['additionalProperty']);
    return document.problem([...path, key], unknownKey(key, path, error), 'key');
  }
  if (error.propertyName !== undefined) {
    const message = `${inside(path)}the name ${JSON.stringify(error.propertyName)} ${must(error)}.`;
    return document.problem([...path, error.propertyName], message, 'key');
  }
  return document.problem(path, said(error, path, params));
}

function said(error: ErrorObject, path: Path, params: Readonly<Record<string, unknown>>): string {
  const name = nameOf(path);
  switch (error.keyword) {
    case 'required':
      return `${name} has no ${String(params['missingProperty'])}.`;
    case 'dependentRequired':
      return `${name}: ${String(params['property'])} belongs to a server with ${String(params['missingProperty'])}.`;
    case 'not':
      return described(error) ?? `${name} is not allowed.`;
    default:
      return `${name} ${must(error)}.`;
  }
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a text',
  object: 'a map of keys and values',
  array: 'a list',
  boolean: 'true or false',
  number: 'a number',
  integer: 'a whole number',
};

/** "must be …", from what the schema says at that place. */
function must(error: ErrorObject): string {
  const params: Readonly<Record<string, unknown>> = error.params;
  switch (error.keyword) {
    case 'type':
      return `must be ${typeNames[String(params['type'])] ?? String(params['type'])}${quoteHint(params['type'], error.data)}`;
    case 'enum':
      // ajv gives the list of the schema, which here holds only texts.
      return `must be one of: ${(params['allowedValues'] as readonly string[]).join(', ')}`;
    case 'minItems':
      return 'must not be empty';
    case 'minLength':
      return 'must not be empty';
    case 'maxLength':
      return `must be at most ${String(params['limit'])} characters long`;
    case 'uniqueItems':
      return 'must not name the same thing twice';
    default:
      return `must be ${described(error) ?? error.message ?? 'something else'}`;
  }
}

/** YAML reads `yes`-like words and digits as something else than text: say how to keep them text. */
const quoteHint = (type: unknown, data: unknown): string =>
  type === 'string' && (typeof data === 'number' || typeof data === 'boolean')
    ? `; put quotes around ${String(data)}`
    : '';

function described(error: ErrorObject): string | undefined {
  const description: unknown = error.parentSchema?.['description'];
  return typeof description === 'string' ? description : undefined;
}

function unknownKey(key: string, path: Path, error: ErrorObject): string {
  const properties: unknown = error.parentSchema?.['properties'];
  const known = typeof properties === 'object' && properties !== null ? Object.keys(properties) : [];
  const near = nearest(key, known);
  const hint = near === undefined ? `known keys here: ${known.join(', ')}` : `did you mean "${near}"?`;
  return `${inside(path)}${path.length === 0 ? 'Unknown' : 'unknown'} key ${JSON.stringify(key)}; ${hint}${near === undefined ? '.' : ''}`;
}

const inside = (path: Path): string => (path.length === 0 ? '' : `${nameOf(path)}: `);

/** `people[0].id`, as people would write the way there. */
export function nameOf(path: Path): string {
  if (path.length === 0) return 'The configuration';
  return path.reduce<string>(
    (name, step) => (typeof step === 'number' ? `${name}[${step}]` : name === '' ? step : `${name}.${step}`),
    '',
  );
}

/** A JSON pointer's steps, with indexes of lists as numbers. */
function steps(pointer: string, value: JsonValue): Path {
  const path: (string | number)[] = [];
  let here: JsonValue | undefined = value;
  for (const raw of pointer.split('/').slice(1)) {
    const step = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(here)) {
      // Array.isArray does not narrow a readonly list.
      here = (here as readonly JsonValue[])[Number(step)];
      path.push(Number(step));
    } else {
      here = isJsonObject(here) ? here[step] : undefined;
      path.push(step);
    }
  }
  return path;
}
