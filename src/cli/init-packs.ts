/**
 * Packs: profiles and policies for well-known MCP servers, in `packs/` of the package (and of a checkout), each with the tool
 * list that it was made from. Promise: a server that does not offer exactly that list is told apart from it, tool by tool.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { canonicalize } from '../core/canonical.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { Profile } from '../core/profile.ts';
import { Failure } from './command.ts';

/** `two` reviewers; `denied` by a policy that nobody can lift. */
export type PackVerdict = 'allow' | 'held' | 'two' | 'denied';

export interface PackCase {
  /** Besides the required fields of the tool's schema. */
  readonly input: JsonObject;
  /** Actions of the same kind that were granted lately, this one included; default 1. */
  readonly recent?: number;
  readonly verdict: PackVerdict;
}

export interface Pack {
  readonly name: string;
  /** The npm package whose tools these are, and the version that listed them. */
  readonly package: string;
  readonly version: string;
  /** The day of that, YYYY-MM-DD. */
  readonly listed: string;
  /** As the server said them: name, description, annotations, inputSchema. */
  readonly tools: readonly JsonObject[];
  readonly profiles: Readonly<Record<string, Profile>>;
  /** Written for a server that is called as the pack is. */
  readonly policies: string;
  /** What the policies say of each tool: one verdict, or one for each kind of input. */
  readonly verdicts: Readonly<Record<string, PackVerdict | readonly PackCase[]>>;
}

/** Two folders up from src/cli/ and from dist/cli/ alike. */
const folder = new URL('../../packs/', import.meta.url);

/** The names of all packs, sorted. */
export const packNames = (): readonly string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted();

/** A pack by its name; fails where there is none of that name. */
export function readPack(name: string): Pack {
  const names = packNames();
  if (!names.includes(name)) throw new Failure(`There is no pack “${name}”; there are ${names.join(', ')}.`);
  const text = (file: string): string => readFileSync(new URL(`${name}/${file}`, folder), 'utf8');
  // These files are ours, and test/examples/packs.test.ts holds them to these types.
  const list = JSON.parse(text('tools.json')) as Pick<Pack, 'package' | 'version' | 'listed' | 'tools'>;
  return {
    name,
    package: list.package,
    version: list.version,
    listed: list.listed,
    tools: list.tools,
    profiles: parse(text('profiles.yaml')) as Pack['profiles'], // as above
    policies: text('policies.cedar'),
    verdicts: parse(text('verdicts.yaml')) as Pack['verdicts'], // as above
  };
}

/** A tool that is in both lists, and differs. */
export interface Changed {
  readonly name: string;
  /** The arguments that differ; empty where something else does. */
  readonly arguments: readonly string[];
}

/** A server's tools held against a pack's. */
export interface Compared {
  /** Names of tools that are as they were. */
  readonly same: readonly string[];
  readonly changed: readonly Changed[];
  /** Only the server has these. */
  readonly added: readonly string[];
  /** Only the pack has these. */
  readonly missing: readonly string[];
}

/** A tool's name; nothing where it has none, which no list of an upstream has. */
export const nameOf = ({ name }: JsonObject): string => (typeof name === 'string' ? name : '');

/** Holds what a server says today against a pack's list; words for people do not count. */
export function compare(pack: Pack, offered: readonly JsonObject[]): Compared {
  const known = new Map(pack.tools.map((tool) => [nameOf(tool), tool]));
  const names = offered.map(nameOf);
  const same: string[] = [];
  const changed: Changed[] = [];
  for (const tool of offered) {
    const before = known.get(nameOf(tool));
    if (before === undefined) continue;
    if (shapeOf(tool) === shapeOf(before)) same.push(nameOf(tool));
    else changed.push({ name: nameOf(tool), arguments: changedArguments(before, tool) });
  }
  return {
    same,
    changed,
    added: names.filter((name) => !known.has(name)),
    missing: [...known.keys()].filter((name) => !names.includes(name)),
  };
}

/** Share of a server's names that a pack must have for it to be the pack's server. */
const likeMin = 0.8;
/** Share of a pack's names that such a server must have: it may be told to offer fewer. */
const offeredMin = 0.5;
/** With so few tools, names alone give nothing away: the tools must be the same. */
const fewTools = 3;

/** The pack that was made for this server, as far as its tools tell; undefined where there is none. */
export function recognise(offered: readonly JsonObject[]): Pack | undefined {
  const names = new Set(offered.map(nameOf));
  if (names.size === 0) return undefined;
  const found = packNames()
    .map((name) => readPack(name))
    .map((pack) => {
      const { same, changed } = compare(pack, offered);
      const shared = pack.tools.length < fewTools ? same.length : same.length + changed.length;
      return { pack, ofServer: shared / names.size, ofPack: shared / pack.tools.length };
    })
    .filter(({ ofServer, ofPack }) => ofServer >= likeMin && ofPack >= offeredMin);
  return found.toSorted((a, b) => b.ofServer - a.ofServer)[0]?.pack;
}

/** All that could change what a call does: arguments, and whether the server says that it reads or destroys. */
function shapeOf(tool: JsonObject): string {
  const hints = isJsonObject(tool['annotations']) ? tool['annotations'] : {};
  return canonicalize({
    input: schemaShape(tool['inputSchema'] ?? {}),
    reads: hints['readOnlyHint'] === true,
    destroys: hints['destructiveHint'] !== false,
  });
}

/** Keywords of JSON Schema that are words for people or name a dialect. */
const words: ReadonlySet<string> = new Set([
  'description',
  'title',
  'examples',
  '$comment',
  '$schema',
  '$id',
]);
/** Keywords that hold schemas by names of the author's own: there `title` is a name. */
const named: ReadonlySet<string> = new Set(['properties', 'patternProperties', '$defs', 'definitions']);

function schemaShape(schema: JsonValue): JsonValue {
  if (Array.isArray(schema)) return schema.map((item: JsonValue) => schemaShape(item));
  if (!isJsonObject(schema)) return schema;
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key]) => !words.has(key))
      .map(([key, value]) => [
        key,
        named.has(key) && isJsonObject(value)
          ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, schemaShape(each)]))
          : schemaShape(value),
      ]),
  );
}

function changedArguments(before: JsonObject, now: JsonObject): readonly string[] {
  const [old, young] = [before, now].map((tool) => {
    const properties = isJsonObject(tool['inputSchema']) ? tool['inputSchema']['properties'] : undefined;
    return isJsonObject(properties) ? properties : {};
  });
  const shape = (of: JsonObject | undefined, name: string): string =>
    of === undefined || !Object.hasOwn(of, name) ? '' : canonicalize(schemaShape(of[name] ?? {}));
  const names = new Set([...Object.keys(old ?? {}), ...Object.keys(young ?? {})]);
  return [...names].filter((name) => shape(old, name) !== shape(young, name));
}
