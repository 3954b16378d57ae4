/**
 * ops-server: a small, real MCP server (stdio) over a SQLite database, for the demo and for tests of the gate.
 *
 *     node server.ts [DBFILE]      without DBFILE the database is in memory and ends with the process
 *
 * This file wires: arguments, database, tools, one resource, one prompt, stdio. It never uses the network, and writes
 * nothing but DBFILE. The server itself asks nobody for permission; that is what the gate in front of it is for.
 */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import * as z from 'zod';
import { OpsDatabase } from './database.ts';
import { registerTools } from './tools.ts';

const RUNBOOK = `# Operations runbook

1. Look first: \`list_clusters\` and \`describe_region\` change nothing.
2. Restart one service at a time. A service with a volume (postgres, redis) restarts in the quiet hours only.
3. Never delete a region to fix an incident: its volumes go with it, and they cannot be brought back.
4. Customer data leaves only for a destination that the data owners know. Count the rows before you export them.
5. Ask for the smallest role that does the job, for the shortest time.
`;

const INSTRUCTIONS =
  'Operations of a small company: its customers, roles and clusters. Read ops://runbook before changing anything.';

function registerRunbook(server: McpServer): void {
  server.registerResource(
    'runbook',
    'ops://runbook',
    {
      title: 'Operations runbook',
      description: 'What to do, and what never to do',
      mimeType: 'text/markdown',
    },
    (uri) => ({ contents: [{ uri: uri.href, mimeType: 'text/markdown', text: RUNBOOK }] }),
  );
}

function registerTriage(server: McpServer): void {
  server.registerPrompt(
    'triage-incident',
    {
      title: 'Triage an incident',
      description: 'Finds the smallest safe step for a cluster in trouble',
      argsSchema: {
        cluster: z.string().min(1).describe('Name of the cluster'),
        symptom: z.string().optional().describe('What was seen, in one sentence'),
      },
    },
    ({ cluster, symptom }) => ({
      description: `Triage of ${cluster}`,
      messages: [
        { role: 'user', content: { type: 'text', text: triageText(cluster, symptom ?? 'not said') } },
        {
          role: 'user',
          content: {
            type: 'resource',
            resource: { uri: 'ops://runbook', mimeType: 'text/markdown', text: RUNBOOK },
          },
        },
      ],
    }),
  );
}

function triageText(cluster: string, symptom: string): string {
  return [
    `The cluster ${cluster} is in trouble. Symptom: ${symptom}.`,
    'Look at it with list_clusters, name the service that is most likely the cause and say why.',
    'Propose one step, the smallest that could help, and what you expect to see afterwards. Follow the runbook.',
  ].join('\n');
}

async function main(args: readonly string[]): Promise<void> {
  const [path = ':memory:', ...rest] = args;
  if (rest.length > 0 || path.startsWith('-')) {
    console.error('usage: ops-server [DBFILE]');
    process.exitCode = 2;
    return;
  }
  const database = new OpsDatabase(path);
  const server = new McpServer(
    { name: 'ops-server', title: 'Operations (example)', version: '1.0.0' },
    { capabilities: { logging: {} }, instructions: INSTRUCTIONS },
  );
  registerTools(server, database);
  registerRunbook(server);
  registerTriage(server);
  await server.connect(new StdioServerTransport());
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(`ops-server: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
