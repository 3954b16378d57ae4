/**
 * A gate as an operator runs it: the command line, a configuration, a policy folder and the embedded store, in a process of its
 * own; behind it the fixture upstream, once by URL and once by command.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inputSchema } from './policy-texts.ts';
import { cli, fileOf, serving, type Serving } from './process.ts';
import type { LogPems } from './scale-organisation.ts';

const policies = `
@id("bench.read") @title("Support may read")
permit (principal in Group::"support-agents", action in [Action::"web___read_rows", Action::"pipe___read_rows"], resource)
when { context.input.table == "customers" };

@id("bench.export") @title("Support may export")
permit (principal in Group::"support-agents", action == Action::"web___export_rows", resource);

@id("bench.bulk") @title("Bulk export of customer data needs a data owner") @approvers("data-owners")
forbid (principal, action == Action::"web___export_rows", resource)
when { context.input has limit && context.input.limit > 1000 };
`;

const profile = (verb: string, effect: string) => ({
  verb,
  effect,
  environment: 'prod',
  resource: { type: 'Dataset', id: 'input.table' },
});

const schema = 'entity Dataset;\n';

function configuration(upstream: string, options: GateOptions): object {
  const { operations = [], channels, owners = [], database } = options;
  const tools = { read_rows: profile('Read', 'read'), export_rows: profile('Export', 'export') };
  return {
    listen: '127.0.0.1:0',
    ...(database === undefined
      ? { data: './data' }
      : { database: database.url, log: { keys: database.keys } }),
    policies: './policies',
    roles: { operators: 'platform', auditors: 'audit' },
    people: [
      { id: 'sam', name: 'Sam Lee', groups: ['data-owners', 'platform'] },
      { id: 'rosa', name: 'Rosa Diaz', groups: ['data-owners'] },
      { id: 'mia', name: 'Mia Chen', groups: ['data-owners'] },
      { id: 'oz', name: 'Oz Tal', groups: ['audit'] },
      ...owners.map((id) => ({ id, name: id, groups: ['data-owners'] })),
    ],
    agents: [{ id: 'crm-bot', owners: ['sam'], groups: ['support-agents'] }],
    servers: {
      web: { url: upstream, tools },
      pipe: { command: [process.execPath, fileOf('upstream.ts'), 'stdio'], tools },
    },
    operations: Object.fromEntries(operations.map((name) => [name, { input: inputSchema }])),
    ...(channels === undefined ? {} : { channels }),
    // One agent asks here for more than people would let it.
    limits: { creationsPerMinute: 100_000, pendingPerAgent: 100_000, inbox: 100_000 },
  };
}

export interface Gate {
  /** Where agents reach the upstream that the gate reaches by URL. */
  readonly web: string;
  /** The same for the one that it starts by command. */
  readonly pipe: string;
  readonly origin: string;
  readonly agentToken: string;
  readonly personToken: string;
  stop(): Promise<void>;
}

export interface GateOptions {
  /** Of its folder in the scratch folder. */
  readonly name?: string;
  /** Further policies. */
  readonly more?: string;
  /** Operations that those policies are about. */
  readonly operations?: readonly string[];
  /** Of the configuration. */
  readonly channels?: object;
  /** Further data owners. */
  readonly owners?: readonly string[];
  /** A PostgreSQL in the place of the embedded store, and what signs its log. */
  readonly database?: { readonly url: string; readonly keys: LogPems };
  /** Of another gate on the same database. */
  readonly tokens?: Pick<Gate, 'agentToken' | 'personToken'>;
  /** Another program than the command line: `script CONFIG ...args`. */
  readonly program?: { readonly script: string; readonly args: readonly string[] };
}

export async function startGate(folder: string, upstream: string, options: GateOptions = {}): Promise<Gate> {
  const { name = 'gate', more = '', program } = options;
  const home = join(folder, name);
  mkdirSync(join(home, 'policies'), { recursive: true });
  const file = join(home, 'countersign.yaml');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(configuration(upstream, options), null, 2));
  writeFileSync(join(home, 'policies', 'bench.cedar'), `${policies}\n${more}`);
  writeFileSync(join(home, 'policies', 'types.cedarschema'), schema);
  const agentToken =
    options.tokens?.agentToken ?? (await cli(['token', 'agent', 'crm-bot', '--config', file]));
  const personToken =
    options.tokens?.personToken ?? (await cli(['token', 'person', 'rosa', '--config', file]));
  const gate: Serving =
    program === undefined
      ? await serving('../src/cli.ts', ['serve', '--config', file, '--port', '0'], profiling())
      : await serving(program.script, [file, ...program.args], profiling());
  return {
    origin: gate.url,
    web: `${gate.url}/mcp/web`,
    pipe: `${gate.url}/mcp/pipe`,
    agentToken,
    personToken,
    stop: () => gate.stop(),
  };
}

/** `BENCH_GATE_PROFILE=FOLDER` writes a CPU profile of the gate there. */
function profiling(): readonly string[] {
  const folder = process.env['BENCH_GATE_PROFILE'];
  return folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`];
}
