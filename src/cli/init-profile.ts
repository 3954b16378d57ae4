/**
 * What a tool probably does, from its name and what its server says of it. Only a proposal: a server's `readOnlyHint` is a
 * hint (MCP 2025-11-25, ToolAnnotations: "clients should never make tool use decisions based on annotations from untrusted
 * servers"), so that the operator confirms every read, and a name that says otherwise outweighs it.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { Effect, Profile } from '../core/profile.ts';

export interface ProposedTool {
  readonly name: string;
  readonly profile: Profile;
  /** Its server's first words about it, for the operator; theirs, not ours. */
  readonly description: string;
}

/** Words that give an effect away, the more dangerous first: `get_and_delete` deletes. */
const words: readonly (readonly [Effect, readonly string[]])[] = [
  [
    'delete',
    [
      'delete',
      'remove',
      'drop',
      'destroy',
      'purge',
      'erase',
      'truncate',
      'terminate',
      'uninstall',
      'wipe',
      'clear',
    ],
  ],
  ['grant', ['grant', 'revoke', 'invite', 'assign', 'authorize', 'permit', 'impersonate']],
  ['export', ['export', 'download', 'dump', 'backup', 'send', 'email', 'share', 'publish', 'upload', 'post']],
  [
    'execute',
    [
      'run',
      'exec',
      'execute',
      'eval',
      'restart',
      'start',
      'stop',
      'deploy',
      'invoke',
      'trigger',
      'apply',
      'kill',
      'query',
      'sql',
    ],
  ],
  [
    'write',
    [
      'create',
      'add',
      'update',
      'edit',
      'write',
      'set',
      'put',
      'patch',
      'insert',
      'move',
      'rename',
      'copy',
      'merge',
      'close',
      'push',
      'commit',
      'toggle',
    ],
  ],
  [
    'read',
    [
      'get',
      'list',
      'read',
      'search',
      'find',
      'describe',
      'show',
      'count',
      'fetch',
      'view',
      'lookup',
      'check',
      'status',
      'echo',
      'tree',
      'info',
    ],
  ],
];

/** Words that are said of looking and of changing: the server's hint decides, and the operator confirms it. */
const unclear: readonly string[] = ['open'];

/** Inputs that name what a tool is about, best first. */
const subjects = [
  'path',
  'table',
  'name',
  'id',
  'title',
  'repo',
  'key',
  'url',
  'database',
  'region',
  'query',
];

/** Proposals for all tools of a server, in its order. `known` are the profiles of a pack, for tools that are as it knows them. */
export function proposeTools(
  definitions: readonly JsonObject[],
  known: Readonly<Record<string, Profile>> = {},
): readonly ProposedTool[] {
  return definitions.flatMap((definition) => {
    const name = definition['name'];
    if (typeof name !== 'string') return [];
    const profile = Object.hasOwn(known, name) ? known[name] : undefined;
    const description = typeof definition['description'] === 'string' ? definition['description'] : '';
    return [{ name, description, profile: profile ?? guess(name, definition) }];
  });
}

function guess(name: string, definition: JsonObject): Profile {
  const effect = effectOf(name, definition);
  const object = subjectOf(definition['inputSchema']);
  const destructive = hint(definition, 'destructiveHint') === true;
  return {
    verb: verbOf(name),
    effect,
    ...(object === undefined ? {} : { object: `input.${object}` }),
    // Whether a change can be undone nobody has said; what destroys cannot.
    ...(effect === 'read'
      ? { reversible: true }
      : effect === 'delete' || destructive
        ? { reversible: false }
        : {}),
  };
}

/** The name's words, whether camelCase or with underscores, in lower case. */
const wordsOf = (name: string): readonly string[] =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '')
    .map((word) => word.toLowerCase());

function effectOf(name: string, definition: JsonObject): Effect {
  const said = wordsOf(name);
  const byName = words.find(([, list]) => said.some((word) => list.includes(word)))?.[0];
  const readOnly = hint(definition, 'readOnlyHint');
  if (byName === undefined && said.some((word) => unclear.includes(word)))
    return readOnly === true ? 'read' : 'write';
  if (byName === 'read') return readOnly === false ? 'execute' : 'read';
  if (byName !== undefined) return byName;
  return readOnly === true ? 'read' : 'execute';
}

function verbOf(name: string): string {
  const [first = name] = wordsOf(name);
  return (first.charAt(0).toUpperCase() + first.slice(1)).slice(0, 40);
}

function hint(definition: JsonObject, name: string): JsonValue | undefined {
  const annotations = definition['annotations'];
  return isJsonObject(annotations) ? annotations[name] : undefined;
}

function subjectOf(schema: JsonValue | undefined): string | undefined {
  if (!isJsonObject(schema)) return undefined;
  const properties = schema['properties'];
  const required: JsonValue = schema['required'] ?? [];
  if (!isJsonObject(properties) || !Array.isArray(required)) return undefined;
  const typeOf = (name: JsonValue | undefined): JsonValue | undefined => {
    const property =
      typeof name === 'string' && Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (!isJsonObject(property)) return undefined;
    const { type, items } = property;
    return type === 'array' && isJsonObject(items) && items['type'] === 'string' ? 'strings' : type;
  };
  const [only, ...others] = required;
  return (
    subjects.find((one) => required.includes(one) && typeOf(one) === 'string') ??
    // A list of names that is all that a tool wants is what it is about: `delete_entities` of `entityNames`.
    (typeof only === 'string' &&
    others.length === 0 &&
    typeOf(only) === 'strings' &&
    /^[A-Za-z_][A-Za-z0-9_]*$/.test(only)
      ? only
      : undefined)
  );
}
