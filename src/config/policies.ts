/**
 * Reads the policies folder as it is now: `*.cedar`, `*.cedarschema` and `entities.json`. What cannot be read is no exception
 * but a reason, naming file and line, for which everything is denied. Only reading: the policy engine says what is wrong inside.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import type { Proposed } from '../app/world-held.ts';
import type { JsonValue } from '../core/json.ts';
import type { PolicyTexts } from '../ports/policy.ts';
import { readRegularFile } from './read-file.ts';
import { codeOf } from './secrets.ts';

/** Files of one folder; more is another folder. */
export const policyFilesMax = 500;
/** Bytes of all of them together. */
export const policyBytesMax = 8 * 1_048_576;

/** A file that makes the whole folder unusable. */
class Unusable extends Error {}

/** What the folder proposes; never rejects. */
export async function readPolicies(folder: string): Promise<Proposed> {
  try {
    return { kind: 'texts', texts: await textsIn(folder) };
  } catch (error) {
    const reason =
      error instanceof Unusable
        ? error.message
        : `${folder}:0: the policies cannot be read (${codeOf(error)}).`;
    return { kind: 'unusable', reason };
  }
}

async function textsIn(folder: string): Promise<PolicyTexts> {
  // Hidden files are an editor's, not the operator's.
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.')).toSorted();
  const policies = names.filter((name) => name.endsWith('.cedar'));
  const schemas = names.filter((name) => name.endsWith('.cedarschema'));
  const entities = names.includes('entities.json') ? ['entities.json'] : [];
  if (policies.length === 0)
    throw new Unusable(`${folder}:0: there is no *.cedar file, so nothing is permitted.`);
  if (policies.length + schemas.length > policyFilesMax)
    throw new Unusable(`${folder}:0: there are more than ${policyFilesMax} files.`);
  await refuseLarge(folder, [...policies, ...schemas, ...entities]);
  const [json] = await Promise.all(entities.map((name) => readText(folder, name)));
  return {
    policies: await Promise.all(policies.map(async (file) => ({ file, text: await readText(folder, file) }))),
    schemas: await Promise.all(schemas.map(async (file) => ({ file, text: await readText(folder, file) }))),
    entities: json === undefined ? null : parseEntities(json),
  };
}

async function refuseLarge(folder: string, names: readonly string[]): Promise<void> {
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  if (sizes.reduce((sum, size) => sum + size, 0) > policyBytesMax) {
    throw new Unusable(`${folder}:0: the files are larger than ${policyBytesMax} bytes.`);
  }
}

async function readText(folder: string, name: string): Promise<string> {
  const bytes = await readRegularFile(join(folder, name), policyBytesMax).catch((error: unknown) => {
    throw new Unusable(`${name}:0: cannot be read (${codeOf(error)}).`);
  });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Unusable(`${name}:0: is not UTF-8 text.`);
  }
}

/**
 * Strict JSON with unique keys. Not core's door for agents' input, which refuses the `__entity` and `__extn` that Cedar's
 * entity format needs.
 */
function parseEntities(text: string): JsonValue {
  let value: JsonValue;
  try {
    // JSON.parse answers JSON.
    value = JSON.parse(text) as JsonValue;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const at = Number(/position (\d+)/.exec(said)?.[1] ?? (/end of JSON/.test(said) ? text.length : 0));
    throw new Unusable(`entities.json:${lineAt(text, at)}: ${said}.`);
  }
  // JSON is YAML; that parser tells where a key is there twice.
  const [twice] = parseDocument(text, { schema: 'json', uniqueKeys: true, prettyErrors: false }).errors;
  if (twice !== undefined)
    throw new Unusable(`entities.json:${lineAt(text, twice.pos[0])}: ${twice.message}.`);
  const reserved = /"__(?:proto__|expr)"\s*:/.exec(text);
  if (reserved !== null)
    throw new Unusable(`entities.json:${lineAt(text, reserved.index)}: the key ${reserved[0]} is reserved.`);
  return value;
}

const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;
