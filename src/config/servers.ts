/** MCP servers and operations of a configuration: the settings that enforcement points are built from. */
import type { Mode } from '../core/case.ts';
import { gateName } from '../core/gate.ts';
import type { JsonObject } from '../core/json.ts';
import type { Look, Profile } from '../core/profile.ts';
import type { OperationSettings, ServerSettings, Source, Upstream } from '../ports/settings.ts';
import type { ConfigDocument, Path, Problem } from './document.ts';
import { nameOf, schemaFault } from './problems.ts';
import type { Secrets } from './secrets.ts';
import type { Written, WrittenSecret, WrittenServer } from './written.ts';

/** The servers; secrets that are missing are collected by `secrets`. */
export function serversOf(written: Written, secrets: Secrets, folder: string): readonly ServerSettings[] {
  return Object.entries(written.servers ?? {}).map(([name, server]) => ({
    name,
    upstream: upstreamOf(server, ['servers', name], secrets, folder),
    sources: sourcesOf({ ...server.env, ...server.headers }),
    pin: server.pin ?? 'first-sight',
    mode: server.mode ?? 'enforce',
    modes: modesOf(server),
    tools: profilesOf(server),
  }));
}

const sourcesOf = (written: Readonly<Record<string, WrittenSecret>>): Readonly<Record<string, Source>> =>
  Object.fromEntries(
    Object.entries(written).map(([name, one]): [string, Source] => {
      if (typeof one === 'string') return [name, { from: 'literal' }];
      return [
        name,
        'fromEnv' in one ? { from: 'env', name: one.fromEnv } : { from: 'file', path: one.fromFile },
      ];
    }),
  );

/** A tool's mode stands beside its profile in the file, and is no part of it: observing changes no pin. */
const modesOf = ({ tools = {} }: WrittenServer): Readonly<Record<string, Mode>> =>
  Object.fromEntries(
    Object.entries(tools).flatMap(([tool, { mode }]) => (mode === undefined ? [] : [[tool, mode]])),
  );

const profilesOf = ({ tools = {} }: WrittenServer): Readonly<Record<string, Profile>> =>
  Object.fromEntries(
    Object.entries(tools).flatMap(([tool, written]) => {
      if (written.verb === undefined) return [];
      const { mode: _mode, ...profile } = written;
      return [[tool, profile]];
    }),
  );

function upstreamOf(server: WrittenServer, path: Path, secrets: Secrets, folder: string): Upstream {
  return server.url === undefined
    ? {
        kind: 'command',
        argv: server.command ?? [],
        cwd: folder,
        env: secrets.readAll(server.env ?? {}, [...path, 'env']),
      }
    : { kind: 'url', url: server.url, headers: secrets.readAll(server.headers ?? {}, [...path, 'headers']) };
}

/** The operations that are asked for through the HTTP API. */
export const operationsOf = (written: Written): readonly OperationSettings[] =>
  Object.entries(written.operations ?? {}).map(([operation, one]) => ({
    operation,
    input: one.input,
    profile: one.profile ?? null,
    mode: one.mode ?? 'enforce',
  }));

/** URLs that are none, looks that would change something, operations that a server owns, schemas that are none. */
export function serverProblems(written: Written, document: ConfigDocument): readonly Problem[] {
  const problems: Problem[] = [];
  for (const [name, server] of Object.entries(written.servers ?? {})) {
    const path = ['servers', name];
    if (name === gateName) problems.push(document.problem(path, reserved('a server'), 'key'));
    if (server.url !== undefined) problems.push(...urlProblems(server.url, [...path, 'url'], document));
    const profiles = profilesOf(server);
    for (const [tool, profile] of Object.entries(profiles)) {
      problems.push(...lookProblems(profile, profiles, [...path, 'tools', tool], document));
    }
  }
  for (const [operation, one] of Object.entries(written.operations ?? {})) {
    const target = operation.split('___')[0] ?? '';
    if (target === gateName)
      problems.push(document.problem(['operations', operation], reserved('an operation'), 'key'));
    if (Object.hasOwn(written.servers ?? {}, target)) {
      problems.push(
        document.problem(
          ['operations', operation],
          `The operation ${operation} belongs to the MCP server ${target}, which declares its own tools.`,
          'key',
        ),
      );
    }
    problems.push(...schemaProblemsOf(one.input, ['operations', operation, 'input'], document));
  }
  return problems;
}

const reserved = (what: string): string =>
  `${what} cannot be named ${gateName}: that is what the gate itself goes by.`;

/** A URL with a host, and without a password in it: that would end in logs. */
export function urlProblems(url: string, path: Path, document: ConfigDocument): readonly Problem[] {
  const parsed = URL.parse(url);
  if (parsed === null) return [document.problem(path, `${nameOf(path)} is not a URL.`)];
  const secret = parsed.username !== '' || parsed.password !== '';
  return secret ? [document.problem(path, `${nameOf(path)} must not hold a user name or a password.`)] : [];
}

function lookProblems(
  profile: Profile,
  tools: Readonly<Record<string, Profile>>,
  path: Path,
  document: ConfigDocument,
): readonly Problem[] {
  const looks: readonly (readonly [string, Look | undefined])[] = [
    ['before', profile.before],
    ['preview', profile.preview],
  ];
  return looks.flatMap(([key, look]) => {
    const effect = look !== undefined && Object.hasOwn(tools, look.tool) ? tools[look.tool]?.effect : 'read';
    if (look === undefined || effect === 'read') return [];
    const message = `${nameOf([...path, key])} calls ${look.tool}, whose effect is ${effect ?? 'unknown'}; a look must only read.`;
    return [document.problem([...path, key, 'tool'], message)];
  });
}

function schemaProblemsOf(schema: JsonObject, path: Path, document: ConfigDocument): readonly Problem[] {
  const fault = schemaFault(schema);
  return fault === undefined
    ? []
    : [document.problem(path, `${nameOf(path)} is not a JSON Schema: ${fault}.`)];
}
