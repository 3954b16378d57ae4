/**
 * `init SERVER -- COMMAND…` and `init SERVER URL`: asks an MCP server for its tools and proposes a configuration and policies
 * that start as they are. Cautious: nothing runs unasked unless the operator said so, and no file is ever overwritten.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseSettings } from '../config.ts';
import { problemText } from '../config/document.ts';
import { visibleLine } from '../core/visible.ts';
import { listTools } from '../enforce/mcp/inspect.ts';
import { Failure, UsageError, type Args, type Command } from './command.ts';
import { configName, exists } from './files.ts';
import { configText, policyText, type Proposal } from './init-files.ts';
import { settle } from './init-ask.ts';
import { proposeTools, type ProposedTool } from './init-profile.ts';
import type { Io } from './io.ts';

export const initCommand: Command = {
  name: 'init',
  summary: 'Proposes a configuration and policies for an MCP server.',
  usage: [
    'init SERVER -- COMMAND…',
    'init SERVER URL',
    'init files -- npx @modelcontextprotocol/server-filesystem ./shared',
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
    yes: { help: 'asks nothing: every tool is held for a reviewer, and people get names to be changed' },
  },
  details: [
    'SERVER is the name that the server gets: agents reach it at /mcp/SERVER, and policies call its tools SERVER___TOOL.',
    'It writes the configuration and policies/SERVER.cedar beside it; files that exist are left alone.',
  ],
  run: async (args, io) => {
    const { server, typed } = wordsOfInit(args);
    if (!args.switches.has('yes') && !io.interactive)
      throw new UsageError('Without a terminal, init needs --yes.');
    const config = io.path(args.values['config'] ?? configName);
    const policies = join(dirname(config), 'policies', `${server}.cedar`);
    for (const file of [config, policies]) {
      if (await exists(file))
        throw new Failure(
          `${io.typed(file)} exists already, and init writes over nothing. Call it in another folder, or name another --config.`,
        );
    }
    const { upstream, fromEnv } = upstreamOf(args, typed, dirname(config), io);
    io.say(`Asking ${upstream.kind === 'url' ? upstream.url : upstream.argv.join(' ')} for its tools…`);
    const found = await listTools(upstream);
    if (!found.ok) throw new Failure(`The server did not tell its tools: ${visibleLine(found.error)}`);
    const tools = proposeTools(found.value).filter((one) => fits(one, io));
    if (tools.length === 0) throw new Failure('The server has no tools, so there is nothing to guard.');
    const proposal = await settle({ server, upstream, fromEnv, tools }, args.switches.has('yes'), io);
    await write(config, policies, proposal);
    nextSteps(proposal, { config, policies }, io);
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

/** Names that a configuration cannot hold stay out of it, loudly; without a policy they are denied. */
function fits(tool: ProposedTool, io: Io): boolean {
  if (/^(?!__proto__$)[!-~]{1,128}$/.test(tool.name)) return true;
  io.say(
    `The tool ${visibleLine(tool.name).slice(0, 80)} has a name that no policy can hold; it stays denied.`,
  );
  return false;
}

async function write(config: string, policies: string, proposal: Proposal): Promise<void> {
  const text = configText(proposal);
  // What we propose must be what we accept.
  const check = parseSettings(text, config, { secrets: 'ignored' });
  if (!check.ok)
    throw new Error(
      `init made a configuration that is not valid: ${check.error.map(problemText).join('; ')}`,
    );
  await mkdir(dirname(policies), { recursive: true });
  await writeFile(policies, policyText(proposal), { flag: 'wx' });
  await writeFile(config, text, { flag: 'wx' });
}

function nextSteps(
  proposal: Proposal,
  files: { readonly config: string; readonly policies: string },
  io: Io,
): void {
  const { server, agent, owner, reviewer, free, tools } = proposal;
  const { strong, soft } = io.paint;
  const config = `--config ${io.typed(files.config)}`;
  const step = (what: string, how: string): void => io.out(`  ${strong(what.padEnd(22))}  ${how}`);
  io.out(
    `Wrote ${io.typed(files.config)} and ${io.typed(files.policies)}: ${free.size} of ${tools.length} tools run without asking, the others wait for ${reviewer.id}.`,
  );
  io.out('Read both, and put real people in. Then:');
  io.out('');
  step('run the gate', io.command(`serve ${config}`));
  step(
    'sign people in',
    `${io.command(`link person ${reviewer.id} ${config}`)}   ${soft(`and the same for ${owner.id}`)}`,
  );
  step('give the agent a token', io.command(`token agent ${agent} ${config}`));
  io.out('');
  io.out('And point the agent at the gate, not at the server:');
  io.out('');
  step(
    'Streamable HTTP',
    `http://localhost:7788/mcp/${server}   ${soft('with the header Authorization: Bearer TOKEN')}`,
  );
  step(
    'or stdio',
    `${io.program(`mcp ${server} --url http://localhost:7788`)}   ${soft('with COUNTERSIGN_TOKEN=TOKEN in its environment')}`,
  );
}
