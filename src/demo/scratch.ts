/**
 * The demo's world on disk: one folder with a configuration, policies, a few files and a store. Promise: it is gone when the
 * demo is, however the demo ends (a SIGKILL aside).
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { filesystemTools } from '../cli/known.ts';
import type { Profile } from '../core/profile.ts';

export interface Scratch {
  readonly folder: string;
  readonly config: string;
  readonly policies: string;
  remove(): void;
}

/** `.ts` in a checkout, `.js` in the published form, where the examples are compiled beside us (scripts/build.mjs). */
const ending = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
const examples = fileURLToPath(
  new URL(ending === '.ts' ? '../../examples/' : '../examples/', import.meta.url),
);

/** The agent's program. */
export const agentProgram = fileURLToPath(new URL(`./agent${ending}`, import.meta.url));

const opsTools: Readonly<Record<string, Profile>> = {
  list_customers: {
    verb: 'List',
    effect: 'read',
    environment: 'prod',
    object: 'customers',
    reversible: true,
  },
  get_customer: {
    verb: 'Look at',
    effect: 'read',
    environment: 'prod',
    resource: { type: 'Customer', id: 'input.id' },
    reversible: true,
  },
  count_rows: {
    verb: 'Count',
    effect: 'read',
    environment: 'prod',
    resource: { type: 'Table', id: 'input.table' },
    reversible: true,
  },
  list_roles: { verb: 'List', effect: 'read', environment: 'prod', object: 'roles', reversible: true },
  list_clusters: { verb: 'List', effect: 'read', environment: 'prod', object: 'clusters', reversible: true },
  describe_region: {
    verb: 'Look at',
    effect: 'read',
    environment: 'prod',
    resource: { type: 'Region', id: 'input.region' },
    reversible: true,
  },
  list_calls: {
    verb: 'List',
    effect: 'read',
    environment: 'prod',
    object: 'executed writes',
    reversible: true,
  },
  export_rows: {
    verb: 'Export',
    effect: 'export',
    environment: 'prod',
    resource: { type: 'Table', id: 'input.table' },
    reversible: false,
    consequence: 'Personal data leaves for the destination and cannot be called back.',
    preview: { tool: 'count_rows', input: { table: 'input.table', where: 'input.where' }, count: 'rows' },
  },
  grant_role: {
    verb: 'Grant',
    effect: 'grant',
    environment: 'prod',
    resource: { type: 'Account', id: 'input.principal' },
    reversible: true,
    consequence: 'The principal can do all that the role allows, from this moment on.',
    before: { tool: 'list_roles', input: { principal: 'input.principal' } },
  },
  restart_service: {
    verb: 'Restart',
    effect: 'execute',
    environment: 'prod',
    object: 'input.service',
    reversible: true,
    consequence: 'The service is away for some seconds.',
  },
  delete_region: {
    verb: 'Delete',
    effect: 'delete',
    environment: 'prod',
    resource: { type: 'Region', id: 'input.region' },
    reversible: false,
    consequence: 'Every cluster of the region is gone, with its volumes.',
    preview: { tool: 'describe_region', input: { region: 'input.region' } },
  },
};

/** Who is there. Sam owns the agent, so that the groups he is in do not help him. */
export const people = [
  { id: 'rosa', name: 'Rosa Diaz', groups: ['data-owners', 'audit', 'admins'] },
  { id: 'sam', name: 'Sam Lee', groups: ['data-owners', 'security'] },
  { id: 'mia', name: 'Mia Chen', groups: ['security', 'admins'] },
  { id: 'lee', name: 'Lee Okafor', groups: ['security'] },
  { id: 'nora', name: 'Nora Weiss', groups: ['platform', 'audit', 'admins'] },
] as const;

export const agentId = 'crm-bot';

const files: Readonly<Record<string, string>> = {
  'tickets/4711.md': `# Ticket 4711: churn report

Marketing needs a churn report by Monday.

- All customers, with plan and revenue, as CSV to https://reports.example.com/churn
- The region us-east-1 costs money; can we do without it?
`,
  'README.md': 'Files that support agents share. The demo made them, and removes them.\n',
};

/** Makes the folder. */
export function makeScratch(port: number): Scratch {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-demo-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  try {
    for (const [name, text] of Object.entries(files)) {
      const file = join(folder, 'shared', name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    const policies = join(folder, 'policies');
    cpSync(join(examples, 'demo', 'policies'), policies, { recursive: true });
    const config = join(folder, 'countersign.yaml');
    writeFileSync(config, configText(port));
    return { folder, config, policies, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

function configText(port: number): string {
  const node = process.execPath;
  return `# Made by \`countersign demo\`, and removed with it. Change the policies and see: what tightens is in force within two seconds, the rest waits in the inbox of Rosa and Mia.\n${stringify(
    {
      listen: `127.0.0.1:${port}`,
      data: './data',
      policies: './policies',
      roles: { operators: 'platform', auditors: 'audit', admins: 'admins' },
      people,
      agents: [{ id: agentId, owners: ['sam'], groups: ['support-agents'] }],
      servers: {
        files: { command: [node, filesystemServer(), './shared'], tools: filesystemTools },
        ops: {
          command: [node, join(examples, 'ops-server', `server${ending}`), './ops.db'],
          tools: opsTools,
        },
      },
    },
    { aliasDuplicateObjects: false },
  )}`;
}

/** The program of the installed package; found by its package.json, because it exports nothing. */
function filesystemServer(): string {
  const name = '@modelcontextprotocol/server-filesystem';
  const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
  // A published package.json; its bin is checked below.
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    readonly bin?: Readonly<Record<string, string>>;
  };
  const program = bin?.['mcp-server-filesystem'];
  if (program === undefined) throw new Error(`${name} has no program any more`);
  return join(dirname(manifest), program);
}
