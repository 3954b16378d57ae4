/**
 * `init SERVER -- COMMAND…` and `init SERVER URL`: asks an MCP server for its tools and proposes a configuration and policies
 * that start as they are. Cautious: nothing runs unasked unless the operator said so, and no file is ever overwritten.
 */
import { dirname, join } from 'node:path';
import type { JsonObject } from '../core/json.ts';
import { visibleLine } from '../core/visible.ts';
import { listTools } from '../enforce/mcp/inspect.ts';
import type { Upstream } from '../ports/settings.ts';
import { Failure, UsageError, type Args, type Command } from './command.ts';
import { configName, exists } from './files.ts';
import { settle } from './init-ask.ts';
import { choosePack, packLines } from './init-choose.ts';
import type { Proposal } from './init-files.ts';
import { nextSteps } from './init-next.ts';
import { packProfiles } from './init-pack-policies.ts';
import { nameOf, readPack } from './init-packs.ts';
import { proposeTools } from './init-profile.ts';
import { writeFiles } from './init-write.ts';
import { Interrupted, type Io } from './io.ts';

export const initCommand: Command = {
  name: 'init',
  summary: 'Proposes a configuration and policies for an MCP server.',
  usage: [
    'init SERVER -- COMMAND…',
    'init SERVER URL',
    'init files -- npx @modelcontextprotocol/server-filesystem ./shared',
    'init files --pack filesystem -- npx @modelcontextprotocol/server-filesystem ./shared',
  ],
  options: {
    config: { value: 'FILE', help: `where the configuration goes; default ./${configName}` },
    env: {
      value: 'A,B',
      help: 'environment variables that the command needs; their values stay where they are',
    },
    header: {
      value: 'NAME=VARIABLE',
      help: 'a header that the URL needs, and the environment variable with its value',
    },
    pack: {
      value: 'NAME',
      help: 'the profiles and policies of a pack that comes with this (see --list-packs)',
    },
    'list-packs': { help: 'lists the packs, and the servers that they are for' },
    observe: { help: 'writes mode: observe: every call passes, and what the policies say of it is recorded' },
    yes: {
      help: 'asks nothing: without --pack every tool is held for a reviewer, and people get names to be changed',
    },
  },
  details: [
    'SERVER is the name that the server gets: agents reach it at /mcp/SERVER, and policies call its tools SERVER___TOOL.',
    'A server whose tools are those of a pack is recognised, and its pack proposed. What differs from the pack is held.',
    'It writes the configuration and policies/SERVER.cedar beside it; files that exist are left alone.',
  ],
  run: async (args, io) => {
    if (args.switches.has('list-packs')) {
      for (const line of packLines()) io.out(line);
      return 0;
    }
    const { server, typed } = wordsOfInit(args);
    const named = args.values['pack'] === undefined ? undefined : readPack(args.values['pack']);
    if (!args.switches.has('yes') && !io.interactive)
      throw new UsageError('Without a terminal, init needs --yes.');
    const config = io.path(args.values['config'] ?? configName);
    const policies = join(dirname(config), 'policies', `${server}.cedar`);
    for (const file of [config, policies]) {
      if (await exists(file))
        throw new Failure(
          `${io.typed(file)} exists already, and init writes over nothing. For a second server name another --config (its end says how to join the two); or call it in another folder.`,
        );
    }
    const { upstream, fromEnv } = upstreamOf(args, typed, dirname(config), io);
    io.say(`Asking ${upstream.kind === 'url' ? upstream.url : upstream.argv.join(' ')} for its tools…`);
    const definitions = (await askTools(upstream)).filter((one) => fits(one, io));
    if (definitions.length === 0) throw new Failure('The server has no tools, so there is nothing to guard.');
    const yes = args.switches.has('yes');
    const pack = await choosePack({ named, yes, offered: definitions }, io);
    const tools = proposeTools(definitions, pack === null ? {} : packProfiles(pack));
    const observe = args.switches.has('observe');
    const proposal = await settle({ server, upstream, fromEnv, tools, pack, observe }, yes, io);
    const files = { config, policies };
    nextSteps(await writeFiles(proposal, definitions, files, io), files, io);
    return 0;
  },
};

function wordsOfInit(args: Args): {
  readonly server: string;
  readonly typed: { readonly url: string } | { readonly command: readonly string[] };
} {
  const [server, url, surplus] = args.words;
  if (server === undefined)
    throw new UsageError('SERVER is missing: a short name for the MCP server, such as files.');
  if (surplus !== undefined)
    throw new UsageError(`“${surplus}” is one word too many; a command follows after --.`);
  if (!/^[A-Za-z0-9][A-Za-z0-9.-]*(?:_{1,2}[A-Za-z0-9.-]+)*$/.test(server) || server.length > 64) {
    throw new UsageError(
      `“${server}” cannot be a server’s name: letters, digits, dots, hyphens and single underscores.`,
    );
  }
  if (args.rest !== undefined) {
    if (url !== undefined) throw new UsageError('Say a URL, or a command after --, not both.');
    if (args.rest.length === 0) throw new UsageError('The command after -- is missing.');
    return { server, typed: { command: args.rest } };
  }
  if (url === undefined)
    throw new UsageError('Say how to reach the server: its URL, or -- and the command that starts it.');
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol))
    throw new UsageError(`“${url}” is not an http or https URL; a command follows after --.`);
  return { server, typed: { url } };
}

/** How to reach it now, with values, and what the configuration will say instead of them. */
function upstreamOf(
  args: Args,
  typed: { readonly url: string } | { readonly command: readonly string[] },
  cwd: string,
  io: Io,
): Pick<Proposal, 'upstream' | 'fromEnv'> {
  const valueOf = (variable: string): string => {
    const value = io.env[variable] ?? '';
    if (value === '') throw new Failure(`The environment variable ${variable} is not set.`);
    return value;
  };
  const fromEnv: Record<string, string> = {};
  if ('command' in typed) {
    if (args.values['header'] !== undefined)
      throw new UsageError('--header is for servers with a URL; a command has --env.');
    for (const name of (args.values['env'] ?? '').split(',').filter((one) => one !== ''))
      fromEnv[name] = name;
    const env = Object.fromEntries(Object.keys(fromEnv).map((name) => [name, valueOf(name)]));
    return { upstream: { kind: 'command', argv: typed.command, cwd, env }, fromEnv };
  }
  if (args.values['env'] !== undefined)
    throw new UsageError('--env is for servers with a command; a URL has --header.');
  const header = args.values['header'];
  const at = header?.indexOf('=') ?? -1;
  if (header !== undefined && at < 1)
    throw new UsageError('--header is NAME=VARIABLE, such as authorization=CRM_TOKEN.');
  if (header !== undefined) fromEnv[header.slice(0, at).toLowerCase()] = header.slice(at + 1);
  const headers = Object.fromEntries(
    Object.entries(fromEnv).map(([name, variable]) => [name, valueOf(variable)]),
  );
  return { upstream: { kind: 'url', url: typed.url, headers }, fromEnv };
}

/** Whether a configuration can hold the name; what it cannot hold stays out of it, loudly, and without a policy is denied. */
function fits(definition: JsonObject, io: Io): boolean {
  const name = nameOf(definition);
  if (/^(?!__proto__$)[!-~]{1,128}$/.test(name)) return true;
  io.say(`The tool ${visibleLine(name).slice(0, 80)} has a name that no policy can hold; it stays denied.`);
  return false;
}

/** The server's tools. Ctrl-C while it is asked ends it first: it is in a process group of its own, which no terminal signals. */
async function askTools(upstream: Upstream): Promise<readonly JsonObject[]> {
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  for (const signal of signals) process.on(signal, interrupt);
  try {
    const found = await listTools(upstream, stop.signal);
    if (stop.signal.aborted) throw new Interrupted();
    if (!found.ok)
      throw new Failure(
        `The server did not tell its tools: ${visibleLine(found.error)}${upstream.kind === 'command' ? environmentHint : ''}`,
      );
    return found.value;
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
  }
}

/** What a command lacks most often: proxies, certificates, folders of its data, tokens. */
const environmentHint =
  '\nOf the environment it is given PATH and HOME only, here and later by the gate. What else it needs, name with --env A,B.';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
