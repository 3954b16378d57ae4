/**
 * The tools of ops-server: their schemas, annotations and answers. Every input is closed (an unknown argument is an
 * error), every answer is structured. What a tool throws reaches the client as a result with `isError`.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import type {
  CallToolResult,
  LoggingLevel,
  ServerNotification,
  ServerRequest,
  ToolAnnotations,
} from '@modelcontextprotocol/sdk/types.js';
import * as z from 'zod';
import { CALLS_MAX, type OpsDatabase } from './database.ts';
import { writeOut } from './export.ts';
import {
  call,
  cluster,
  column,
  customerRow,
  name,
  region,
  roleRow,
  table,
  volume,
  volumes,
  where,
} from './shapes.ts';

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

const CUSTOMERS_MAX = 50;
const READ: ToolAnnotations = { readOnlyHint: true, openWorldHint: false };

/** Registers all tools; a write is told as a log message too. */
export function registerTools(server: McpServer, database: OpsDatabase): void {
  registerCustomers(server, database);
  registerCount(server, database);
  registerExport(server, database);
  registerRoles(server, database);
  registerClusters(server, database);
  registerDeleteRegion(server, database);
  registerCalls(server, database);
}

function registerCustomers(server: McpServer, database: OpsDatabase): void {
  server.registerTool(
    'list_customers',
    {
      title: 'List customers',
      description: 'A few customers, by number, with personal data.',
      inputSchema: z.strictObject({
        country: z.string().length(2).optional().describe('ISO 3166-1 alpha-2, such as DE'),
        limit: z.int().min(1).max(CUSTOMERS_MAX).default(10),
      }),
      outputSchema: z.object({ customers: z.array(customerRow) }),
      annotations: READ,
    },
    ({ country, limit }) => answer({ customers: database.customers(limit, country) }),
  );
  server.registerTool(
    'get_customer',
    {
      title: 'Get a customer',
      description: 'One customer by number.',
      inputSchema: z.strictObject({ id: z.int().min(1) }),
      outputSchema: customerRow,
      annotations: READ,
    },
    ({ id }) => answer(database.customer(id)),
  );
}

function registerCount(server: McpServer, database: OpsDatabase): void {
  server.registerTool(
    'count_rows',
    {
      title: 'Count rows',
      description:
        'How many rows export_rows would write with the same table and filter, and what kind of data they hold.',
      inputSchema: z.strictObject({ table, where: where.optional() }),
      outputSchema: z.object({ rows: z.int(), columns: z.array(column) }),
      annotations: READ,
    },
    (args) => answer({ rows: database.count(args.table, args.where), columns: database.columns(args.table) }),
  );
}

function registerExport(server: McpServer, database: OpsDatabase): void {
  server.registerTool(
    'export_rows',
    {
      title: 'Export rows',
      description:
        'Exports rows of a table to a destination. (This example keeps the export in its own database and never uses the network.)',
      inputSchema: z.strictObject({
        table,
        where: where.optional(),
        format: z.enum(['csv', 'json']),
        destination: z.string().min(1).max(2000).describe('A URL or a file name'),
      }),
      outputSchema: z.object({ exportId: z.int(), rows: z.int(), bytes: z.int() }),
      annotations: {
        readOnlyHint: false,
        destructiveHint: false,
        idempotentHint: false,
        openWorldHint: true,
      },
    },
    async (args, extra) => {
      const rows = database.rows(args.table, args.where);
      const columns = database.columns(args.table).map((each) => each.name);
      const body = await writeOut(args.format, columns, rows, (done) =>
        reportProgress(extra, done, rows.length),
      );
      // From here to the stored export nothing waits, so a cancelled export leaves no trace and a stored one is whole.
      extra.signal.throwIfAborted();
      const written = database.recordExport(args, rows.length, body, executionOf(extra));
      await log(
        server,
        'notice',
        `export ${written.exportId}: ${written.rows} rows of ${args.table} to ${args.destination}`,
      );
      return answer(written);
    },
  );
}

async function reportProgress(extra: Extra, done: number, total: number): Promise<void> {
  const { _meta: meta } = extra;
  const progressToken = meta?.progressToken;
  if (progressToken !== undefined) {
    const message = `${done} of ${total} rows`;
    await extra.sendNotification({
      method: 'notifications/progress',
      params: { progressToken, progress: done, total, message },
    });
  }
  await nextTurn(); // lets a cancellation that has arrived be read
  extra.signal.throwIfAborted();
}

function registerRoles(server: McpServer, database: OpsDatabase): void {
  server.registerTool(
    'list_roles',
    {
      title: 'List roles',
      description: 'The roles that hold now, of everybody or of one principal.',
      inputSchema: z.strictObject({ principal: name.optional() }),
      outputSchema: z.object({ roles: z.array(roleRow) }),
      annotations: READ,
    },
    ({ principal }) => answer({ roles: database.roles(principal) }),
  );
  server.registerTool(
    'grant_role',
    {
      title: 'Grant a role',
      description: 'Gives a principal a role in a scope, until it expires or for good.',
      inputSchema: z.strictObject({
        principal: name,
        role: z.enum(['viewer', 'editor', 'admin']),
        scope: name.describe('Where the role holds, such as prod, staging or customers'),
        expires: z.iso
          .datetime({ offset: true })
          .optional()
          .describe('RFC 3339; without it the role does not expire'),
      }),
      outputSchema: z.object({ roles: z.array(roleRow).describe('What the principal holds now') }),
      annotations: {
        readOnlyHint: false,
        destructiveHint: false,
        idempotentHint: true,
        openWorldHint: false,
      },
    },
    async (args, extra) => {
      database.grantRole(args, executionOf(extra));
      await log(server, 'notice', `${args.principal} is ${args.role} in ${args.scope}`);
      return answer({ roles: database.roles(args.principal) });
    },
  );
}

function registerClusters(server: McpServer, database: OpsDatabase): void {
  server.registerTool(
    'list_clusters',
    {
      title: 'List clusters',
      description:
        'All clusters with their services. A stateful cluster has volumes that cannot be brought back.',
      inputSchema: z.strictObject({}),
      outputSchema: z.object({ clusters: z.array(cluster) }),
      annotations: READ,
    },
    () => answer({ clusters: database.clusters() }),
  );
  server.registerTool(
    'describe_region',
    {
      title: 'Describe a region',
      description: 'What delete_region would destroy: clusters by name, and the volumes that would be lost.',
      inputSchema: z.strictObject({ region }),
      outputSchema: z.object({ region, clusters: z.array(cluster), statefulVolumes: z.array(volume) }),
      annotations: READ,
    },
    (args) => {
      const clusters = database.clusters(args.region);
      return answer({ region: args.region, clusters, statefulVolumes: volumes(clusters) });
    },
  );
  server.registerTool(
    'restart_service',
    {
      title: 'Restart a service',
      description: 'Restarts one service of one cluster.',
      inputSchema: z.strictObject({ cluster: name, service: name }),
      outputSchema: z.object({ cluster: z.string(), service: z.string(), restarts: z.int(), at: z.string() }),
      annotations: {
        readOnlyHint: false,
        destructiveHint: false,
        idempotentHint: false,
        openWorldHint: false,
      },
    },
    async (args, extra) => {
      const restarted = database.restartService(args, executionOf(extra));
      await log(server, 'info', `${args.service} on ${args.cluster} restarted`);
      return answer({ ...args, ...restarted });
    },
  );
}

function registerDeleteRegion(server: McpServer, database: OpsDatabase): void {
  server.registerTool(
    'delete_region',
    {
      title: 'Delete a region',
      description: 'Deletes every cluster of a region with all services and volumes. Cannot be undone.',
      inputSchema: z.strictObject({
        region,
        confirm: z.string().max(200).describe('The name of the region once more'),
      }),
      outputSchema: z.object({ region, clusters: z.array(z.string()), volumes: z.array(volume) }),
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
    },
    async (args, extra) => {
      if (args.confirm !== args.region) throw new Error('confirm has to be the name of the region');
      const gone = database.deleteRegion(args, executionOf(extra));
      await log(server, 'warning', `region ${args.region} deleted`);
      return answer({ region: args.region, clusters: gone.map((each) => each.name), volumes: volumes(gone) });
    },
  );
}

function registerCalls(server: McpServer, database: OpsDatabase): void {
  server.registerTool(
    'list_calls',
    {
      title: 'List executed writes',
      description: `Every write that really ran here, oldest first; at most the newest ${CALLS_MAX}. A test counts "once" with it.`,
      inputSchema: z.strictObject({ tool: name.optional() }),
      outputSchema: z.object({ total: z.int(), calls: z.array(call) }),
      annotations: READ,
    },
    ({ tool }) => answer(database.calls(tool)),
  );
}

/** The id that a gate in front of this server leaves with each call (docs/reconcile.md); undefined where there is no gate. */
function executionOf({ _meta: meta }: Extra): string | undefined {
  const id = meta?.['dev.countersign/execution'];
  return typeof id === 'string' ? id.slice(0, 64) : undefined;
}

/** The value twice: structured, and as text for clients that know no structured content. */
function answer(value: Readonly<Record<string, unknown>>): CallToolResult {
  return { content: [{ type: 'text', text: JSON.stringify(value) }], structuredContent: { ...value } };
}

async function log(server: McpServer, level: LoggingLevel, text: string): Promise<void> {
  await server.sendLoggingMessage({ level, logger: 'ops-server', data: text });
}
