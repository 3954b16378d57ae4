/**
 * Entity types: those built in, and the operator's from `*.cedarschema`. One text for Cedar, so that the operator's types
 * may name ours (`entity Dataset = { steward: Person }`) and each other's across files.
 */
import type { NamespaceDefinition, SchemaJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { PolicyProblem, PolicyTexts } from '../ports/policy.ts';
import type { Cedar } from './cedar.ts';
import { lineAtByte } from './split.ts';

/** The types that every policy may use. An agent's owners are people; `Server` is an MCP server or a configured target. */
export const builtInTypes = `entity Group;
entity Person in [Group];
entity Agent in [Group] = { owners: Set<Person> };
entity Server;
entity Approval = { requirement: String, operation: String, agent: Agent, owner: Person };
type System = { now: datetime, local: { weekday: Long, hour: Long, minute: Long } };
type Approvals = { satisfied: Set<String> };
`;

/** Types whose entities come from the directory or the gate, never from entities.json. */
export const ownTypes: ReadonlySet<string> = new Set(['Group', 'Person', 'Agent', 'Approval', 'Action']);

/** Entity and common types by namespace; no actions. */
export type Types = SchemaJson<string>;

/** A name that Cedar's schema takes as an entity type, with or without namespaces. */
const entityTypeName = /^[A-Za-z_]\w*(?:::[A-Za-z_]\w*)*$/;

/**
 * Reads the operator's types on top of the built-in ones. `implicit` are types that profiles name: where no file declares
 * one, it is an entity type without attributes.
 */
export function readTypes(
  cedar: Cedar,
  files: PolicyTexts['schemas'],
  implicit: Iterable<string>,
): { readonly types: Types | null; readonly problems: readonly PolicyProblem[] } {
  let text = builtInTypes;
  const places: { readonly file: string; readonly text: string; readonly from: number }[] = [];
  for (const file of files) {
    places.push({ ...file, from: Buffer.byteLength(text) });
    text += `${file.text}\n`;
  }
  const answer = cedar.schemaToJsonWithResolvedTypes(text);
  if (answer.type === 'failure') {
    return {
      types: null,
      problems: answer.errors.map((error): PolicyProblem => {
        const at = (error.sourceLocations ?? []).map((location) => location.start).at(-1) ?? 0;
        const place = places.findLast((each) => each.from <= at) ?? places[0];
        const line = place === undefined ? 0 : lineAtByte(place.text, at - place.from);
        const message = error.message.replace(
          /^failed to parse schema from string: (?:error parsing schema: )?/,
          '',
        );
        return {
          file: place?.file ?? '',
          line,
          message: error.help === null ? message : `${message} (${error.help})`,
          severity: 'error',
        };
      }),
    };
  }
  const types: Record<string, NamespaceDefinition<string>> = { ...answer.json };
  const problems = actionsIn(types, files);
  for (const type of implicit) {
    if (hasEntityType(types, type) || !entityTypeName.test(type)) continue;
    const [namespace, name] = splitName(type);
    const into = types[namespace] ?? { entityTypes: {}, actions: {} };
    types[namespace] = { ...into, entityTypes: { ...into.entityTypes, [name]: {} } };
  }
  return { types, problems };
}

/** Actions are the gate's to declare: they come from tools, operations and the names in policies. */
function actionsIn(types: Types, files: PolicyTexts['schemas']): readonly PolicyProblem[] {
  const names = Object.values(types).flatMap((namespace) => Object.keys(namespace.actions));
  return names.map((name): PolicyProblem => {
    const line = (text: string): number =>
      text.split('\n').findIndex((each) => /\baction\b/.test(each) && each.includes(name)) + 1;
    const file = files.find((each) => line(each.text) > 0) ?? files[0];
    return {
      file: file?.file ?? '',
      line: file === undefined ? 0 : line(file.text),
      message: `action "${name}": actions are declared by the gate, from tools and operations`,
      severity: 'error',
    };
  });
}

/** `["A::B", "C"]` of `A::B::C`. */
function splitName(type: string): readonly [namespace: string, name: string] {
  const at = type.lastIndexOf('::');
  return at < 0 ? ['', type] : [type.slice(0, at), type.slice(at + 2)];
}

export const hasEntityType = (types: Types, type: string): boolean => {
  const [namespace, name] = splitName(type);
  return Object.hasOwn(types[namespace]?.entityTypes ?? {}, name);
};

/** The attributes that an entity of this type must have. */
export function requiredAttributes(types: Types, type: string): readonly string[] {
  const [namespace, name] = splitName(type);
  const declared = types[namespace]?.entityTypes[name];
  if (
    declared === undefined ||
    !('shape' in declared) ||
    declared.shape === undefined ||
    !('attributes' in declared.shape)
  )
    return [];
  return Object.entries(declared.shape.attributes).flatMap(([attribute, of]) =>
    of.required === false ? [] : [attribute],
  );
}
