/**
 * The demo's agent: a program of its own that knows the gate's address and its own token, and nothing else. A real MCP
 * client: it reads a ticket and then does what helps, whether that is wise or not. Told "call again", it calls again.
 *
 *     COUNTERSIGN_URL=… COUNTERSIGN_TOKEN=… node agent.ts
 */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CallToolResultSchema, type CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import type { AgentEvent, Step } from './events.ts';

/** One request may take as long as people take; progress tells that it lives. */
const requestMs = 24 * 3_600_000;
/** Between a "call again" and the next call. */
const againMs = 500;

const tell = (event: AgentEvent): void => void process.stdout.write(`${JSON.stringify(event)}\n`);

interface Wish {
  readonly step: Step;
  readonly tool: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** What it wants, for the story. */
  readonly words: string;
  /** What it tells the gate as its reason: unverified there. */
  readonly reason: string;
  /** What of the result the story tells. */
  readonly short: (result: CallToolResult) => string;
}

async function connect(url: string, token: string, server: string): Promise<Client> {
  const client = new Client({ name: 'countersign-demo-agent', version: '1.0.0' });
  const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp/${server}`), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  });
  await client.connect(transport);
  return client;
}

/** Asks until it has an answer: a result, or a no. */
async function wish(client: Client, one: Wish): Promise<void> {
  for (let again = false; ; again = true) {
    tell({ kind: 'asks', step: one.step, words: one.words, again });
    const result = await call(client, one);
    const code = result._meta?.['dev.countersign/code'];
    if (result.isError !== true) return tell({ kind: 'got', step: one.step, words: one.short(result) });
    if (code !== 'approval_pending') return tell({ kind: 'refused', step: one.step, words: textOf(result) });
    await new Promise((resolve) => setTimeout(resolve, againMs));
  }
}

async function call(client: Client, one: Wish): Promise<CallToolResult> {
  let told = '';
  const answer = await client.callTool(
    {
      name: one.tool,
      arguments: { ...one.input },
      _meta: { 'dev.countersign/reason': one.reason, 'dev.countersign/session': 'ticket-4711' },
    },
    CallToolResultSchema,
    {
      timeout: requestMs,
      onprogress: ({ message = '' }) => {
        if (message !== told && message.startsWith('Waiting for approval'))
          tell({ kind: 'waits', step: one.step, words: message });
        told = message;
      },
    },
  );
  return CallToolResultSchema.parse(answer);
}

const textOf = (result: CallToolResult): string =>
  result.content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join(' ');

/** A number or list somewhere in the structured result. */
const field = (result: CallToolResult, name: string): unknown => result.structuredContent?.[name];
const countOf = (value: unknown): number => (Array.isArray(value) ? value.length : 0);

const ticket: Wish = {
  step: 'ticket',
  tool: 'read_text_file',
  input: { path: 'tickets/4711.md' },
  words: 'read the file tickets/4711.md',
  reason: 'To know what ticket 4711 wants.',
  short: (result) => textOf(result).split('\n')[0]?.replace(/^# /, '') ?? '',
};
const customers: Wish = {
  step: 'customers',
  tool: 'list_customers',
  input: { limit: 3 },
  words: 'list three customers',
  reason: 'To see which fields there are.',
  short: (result) => `${countOf(field(result, 'customers'))} customers`,
};
const exportAll: Wish = {
  step: 'export',
  tool: 'export_rows',
  input: { table: 'customers', format: 'csv', destination: 'https://reports.example.com/churn' },
  words: 'export all customers to https://reports.example.com/churn',
  reason: 'Marketing needs the churn report by Monday (ticket 4711).',
  short: (result) =>
    `${Number(field(result, 'rows')).toLocaleString('en')} rows exported, ${Number(field(result, 'bytes')).toLocaleString('en')} bytes`,
};
const grantAdmin: Wish = {
  step: 'grant',
  tool: 'grant_role',
  input: { principal: 'crm-bot', role: 'admin', scope: 'prod' },
  words: 'give itself the admin role in prod',
  reason: 'With the admin role I would not have to ask so often.',
  short: () => 'crm-bot is admin in prod',
};
const deleteRegion: Wish = {
  step: 'delete',
  tool: 'delete_region',
  input: { region: 'us-east-1', confirm: 'us-east-1' },
  words: 'delete the region us-east-1',
  reason: 'It costs money.',
  short: () => 'us-east-1 is gone',
};
const calls: Wish = {
  step: 'calls',
  tool: 'list_calls',
  input: {},
  words: 'look at what really ran',
  reason: 'To report what was done.',
  short: (result) => {
    const made: unknown = field(result, 'calls');
    const tools = (Array.isArray(made) ? made : []).map((one: unknown) =>
      typeof one === 'object' && one !== null && 'tool' in one ? String(one.tool) : 'unknown',
    );
    return (
      [...new Set(tools)]
        .toSorted()
        .map((tool) => `${tool} ran ${times(tools.filter((other) => other === tool).length)}`)
        .join(', ') || 'nothing'
    );
  },
};

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

async function main(url: string, token: string): Promise<void> {
  const [files, ops] = await Promise.all([connect(url, token, 'files'), connect(url, token, 'ops')]);
  await wish(files, ticket);
  await wish(ops, customers);
  const held = [wish(ops, exportAll), wish(ops, grantAdmin)];
  await wish(ops, deleteRegion);
  await Promise.all(held);
  await wish(ops, calls);
  await Promise.all([files.close(), ops.close()]);
}

// A terminal's Ctrl-C is for whoever started it, and reaches us too.
process.on('SIGINT', () => undefined).on('SIGHUP', () => undefined);
// Whoever started it holds the other end of stdin: when that is gone, so is the reason to go on.
process.stdin.on('end', () => process.exit(1)).resume();

const { COUNTERSIGN_URL: url = '', COUNTERSIGN_TOKEN: token = '' } = process.env;
try {
  await main(url, token);
  process.exit(0);
} catch (error) {
  console.error(`agent: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
