/**
 * Checks a call's input against the pinned schema of its tool. The schema comes from the upstream and is hostile until
 * proven otherwise: nothing is fetched, and neither compiling it nor a pattern in it can hold up the gate.
 */
import { createContext, Script } from 'node:vm';
import { Ajv, type ErrorObject, type Options, type ValidateFunction } from 'ajv';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { JsonObject, JsonValue } from '../../core/json.ts';
import { isJsonArray, isJsonObject } from '../../core/json.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { visibleLine } from '../../core/visible.ts';
import { messageOf } from './pipe.ts';

/** Largest schema, in UTF-16 units of its JSON. */
const schemaCharsMax = 256 * 1024;
/** How long compiling one schema may take. */
const compileMs = 2000;
/** How long checking one input may take where the schema has patterns, which can backtrack for ever. */
const checkMs = 250;
/** How many compiled schemas are kept. */
const keptMax = 1000;

/** Checks an input: `input_invalid` says where it does not fit, `tool_disabled` that the schema is not usable. */
export type InputCheck = (input: JsonObject) => Result<null, Refusal>;

export interface InputChecks {
  /** @param hash of the tool's definition: compiled once for each. */
  of(hash: string, schema: JsonObject): InputCheck;
}

/** `formats` is a CommonJS module whose function is its default export. */
const addFormats = formats.default;

export function createInputChecks(): InputChecks {
  const kept = new Map<string, InputCheck>();
  return {
    of: (hash, schema) => {
      const known = kept.get(hash);
      if (known !== undefined) return known;
      const made = checkOf(schema);
      if (kept.size >= keptMax) kept.delete(kept.keys().next().value ?? '');
      kept.set(hash, made);
      return made;
    },
  };
}

function checkOf(schema: JsonObject): InputCheck {
  const compiled = compile(schema);
  if (!compiled.ok) return () => compiled;
  const validate = compiled.value;
  // Watching the clock costs 0.1 ms a call, so only where there is something to watch.
  const bounded = hasPattern(schema);
  return (input) => {
    try {
      if (bounded ? within(checkMs, () => validate(input)) : validate(input)) return ok(null);
      return err(refuse('input_invalid', sentence(validate.errors?.[0])));
    } catch {
      return err(
        refuse(
          'input_invalid',
          'The arguments could not be checked against the tool’s input schema in time.',
        ),
      );
    }
  };
}

function compile(schema: JsonObject): Result<ValidateFunction, Refusal> {
  try {
    if (JSON.stringify(schema).length > schemaCharsMax) throw new Error('it is too large');
    // ajv's own keyword: the check would be a promise, which is true of every input.
    if (Object.hasOwn(schema, '$async')) throw new Error('it is asynchronous');
    return ok(within(compileMs, () => engineOf(schema).compile(withoutDialect(schema))));
  } catch (error) {
    const why = visibleLine(messageOf(error).toWellFormed().slice(0, 200));
    return err(
      refuse(
        'tool_disabled',
        `The tool’s input schema cannot be used (${why}), so its calls cannot be checked.`,
      ),
    );
  }
}

/** Never changes the input, never fetches, never logs. */
const options: Options = {
  strict: false,
  logger: false,
  allErrors: false,
  useDefaults: false,
  coerceTypes: false,
  removeAdditional: false,
  code: { regExp: Object.assign(patternOf, { code: 'new RegExp' }) },
};

/** JSON Schema asks for Unicode patterns; many servers write some that only the older syntax takes. */
function patternOf(pattern: string): RegExp {
  try {
    return new RegExp(pattern, 'u');
  } catch {
    return new RegExp(pattern);
  }
}

/** A new engine for each schema: one that is interrupted while it compiles is thrown away. MCP's default is 2020-12. */
function engineOf(schema: JsonObject): Ajv {
  const dialect = typeof schema['$schema'] === 'string' ? schema['$schema'] : '';
  const engine = /draft-0[3467]/.test(dialect)
    ? new Ajv(options)
    : dialect.includes('2019-09')
      ? new Ajv2019(options)
      : new Ajv2020(options);
  addFormats(engine);
  return engine;
}

/** The dialect is chosen above; ajv would refuse a spelling of it that it does not know. */
function withoutDialect(schema: JsonObject): JsonObject {
  const { $schema: _dialect, ...rest } = schema;
  return rest;
}

/** Runs a function that V8 interrupts when its time is over: loops and backtracking patterns too. Throws then. */
function within<T>(ms: number, work: () => T): T {
  let value: { readonly made: T } | undefined;
  const context = createContext({
    run: () => {
      value = { made: work() };
    },
  });
  runIt.runInContext(context, { timeout: ms });
  if (value === undefined) throw new Error('it did not run');
  return value.made;
}

const runIt = new Script('run()');

const patternKeys: ReadonlySet<string> = new Set(['pattern', 'patternProperties', 'format']);

function hasPattern(value: JsonValue): boolean {
  if (isJsonArray(value)) return value.some(hasPattern);
  return (
    isJsonObject(value) &&
    Object.entries(value).some(([key, item]) => patternKeys.has(key) || hasPattern(item))
  );
}

/** One sentence; names what the schema says, not what the input holds. */
function sentence(error: ErrorObject | undefined): string {
  if (error === undefined) return 'The arguments do not fit the tool’s input schema.';
  const extra: unknown = error.params['additionalProperty'] ?? error.params['unevaluatedProperty'];
  const named = typeof extra === 'string' ? `: ${JSON.stringify(extra.slice(0, 80))}` : '';
  const where = error.instancePath === '' ? 'the arguments' : error.instancePath.slice(0, 200);
  return visibleLine(
    `The arguments do not fit the tool’s input schema: ${where} ${error.message ?? 'is not valid'}${named}.`,
  );
}
