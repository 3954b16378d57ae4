/**
 * Whether an input fits the JSON Schema that its operation was declared or pinned with. The input is judged as it is: no
 * defaults are filled in, nothing is converted, nothing removed, because people and policies read what was asked.
 */
import { Ajv } from 'ajv';
import type { ErrorObject, Options, ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { JsonObject } from '../../core/json.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import { visibleLine } from '../../core/visible.ts';
import type { CatalogEntry } from '../../ports/catalog.ts';

/** Compiled schemas that are kept; a gate has a few hundred operations. */
const compiledMax = 1000;

/** By the schema's pinned hash, so that a changed one is compiled anew. Null: it cannot be compiled, and admits nothing. */
const compiled = new Map<string, ValidateFunction | null>();

/** `strict` is off because schemas of MCP servers hold keywords that ajv does not know; these then mean nothing. */
const options: Options = {
  strict: false,
  allErrors: false,
  coerceTypes: false,
  useDefaults: false,
  logger: false,
};

/** Undefined where it fits; else `input_invalid` with the place below `/input`. */
export function schemaRefusal(entry: CatalogEntry, input: JsonObject): Refusal | undefined {
  const validate = validatorOf(entry);
  if (validate === null) {
    return refuse(
      'input_invalid',
      `The schema of ${visibleLine(entry.operation)} cannot be read, so no input can fit it.`,
    );
  }
  if (validate(input)) return undefined;
  const [error] = validate.errors ?? [];
  const pointer = `/input${error?.instancePath ?? ''}`;
  return refuse(
    'input_invalid',
    `The input does not fit: ${visibleLine(pointer)} ${visibleLine(wordsOf(error))}.`,
    { pointer: visibleLine(pointer) },
  );
}

function validatorOf(entry: CatalogEntry): ValidateFunction | null {
  const { target } = entry;
  const key = target.kind === 'mcp' ? target.definition : target.declaration;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  if (compiled.size >= compiledMax) compiled.clear();
  const made = compile(entry.inputSchema);
  compiled.set(key, made);
  return made;
}

function compile(schema: JsonObject): ValidateFunction | null {
  // ajv's own keyword: the check would be a promise, which is true of every input.
  if (Object.hasOwn(schema, '$async')) return null;
  const named = schema['$schema'];
  // MCP's default is 2020-12; older drafts say so.
  const ajv =
    typeof named === 'string' && /draft-0[4-7]/.test(named) ? new Ajv(options) : new Ajv2020(options);
  addFormats.default(ajv);
  try {
    return ajv.compile(schema);
  } catch {
    return null;
  }
}

/** What ajv says, with the name of the property where it leaves that to its parameters. */
function wordsOf(error: ErrorObject | undefined): string {
  const params: Readonly<Record<string, unknown>> = error?.params ?? {};
  const named = params['additionalProperty'] ?? params['unevaluatedProperty'];
  const words = error?.message ?? 'is not what the schema describes';
  return typeof named === 'string' ? `${words}: "${named.slice(0, 40)}"` : words;
}
