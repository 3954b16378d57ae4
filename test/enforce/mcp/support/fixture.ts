/**
 * An MCP server by hand (stdio), for what well-behaved ones do not do. Each call is appended to the file in FIXTURE_LOG; the
 * description of `write` is read from the file in FIXTURE_STATE at every listing.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

type Json = Record<string, unknown>;
const pageSize = 5;
const waiting = new Map<string, (answer: Json) => void>();
const cancelled = new Set<unknown>();
let asked = 0;
let level = 'none';

const say = (message: Json): void =>
  void process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const log = (what: unknown): void => {
  const file = process.env['FIXTURE_LOG'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(what)}\n`);
};
const state = (): Json => {
  try {
    return JSON.parse(readFileSync(process.env['FIXTURE_STATE'] ?? '', 'utf8')) as Json;
  } catch {
    return {};
  }
};
const open = { type: 'object' };
const tools = (): Json[] => [
  { name: 'echo', inputSchema: open },
  { name: 'env', inputSchema: { type: 'object', additionalProperties: false } },
  {
    name: 'write',
    description: state()['description'] ?? 'Writes a text.',
    inputSchema: {
      type: 'object',
      properties: { text: { type: 'string' }, n: { type: 'number' } },
      additionalProperties: false,
    },
  },
  { name: 'peek', inputSchema: { type: 'object', properties: { text: { type: 'string' } } } },
  { name: 'die', inputSchema: open },
  { name: 'slow', inputSchema: open },
  { name: 'ask', inputSchema: open },
  { name: 'big', inputSchema: open },
  { name: 'fail', inputSchema: open },
  { name: 'rpcfail', inputSchema: open },
  { name: 'level', inputSchema: open },
  { name: 'forge', inputSchema: open },
  {
    name: 'own_reason',
    inputSchema: {
      type: 'object',
      properties: { countersign_reason: { type: 'string' } },
      additionalProperties: false,
    },
  },
  {
    name: 'int64',
    inputSchema: { type: 'object', properties: { n: { type: 'integer', maximum: 2 ** 63 } } },
  },
  { name: 'remote', inputSchema: { type: 'object', allOf: [{ $ref: 'https://schemas.invalid/x.json' }] } },
  ...(state()['hidden'] === true ? [] : [{ name: 'sometimes', inputSchema: open }]),
];

const text = (value: unknown, more: Json = {}): Json => ({
  content: [{ type: 'text', text: JSON.stringify(value) }],
  ...more,
});

async function call(id: unknown, name: string, args: Json, meta: Json | undefined): Promise<void> {
  log({ name, args, meta: meta ?? null });
  const answer = (result: Json): void => say({ id, result });
  switch (name) {
    case 'env':
      return answer(text({ env: Object.keys(process.env).toSorted(), cwd: process.cwd(), pid: process.pid }));
    case 'peek':
      return answer({ content: [], structuredContent: { rows: 7, of: args['text'] ?? null } });
    case 'die':
      return process.exit(3);
    case 'slow': {
      for (let i = 0; i < 500 && !cancelled.has(id); i += 1)
        await new Promise((resolve) => setTimeout(resolve, 20));
      log({ cancelled: cancelled.has(id) });
      return cancelled.has(id) ? undefined : answer(text('done'));
    }
    case 'ask': {
      asked += 1;
      const question = `q${asked}`;
      say({
        id: question,
        method: 'elicitation/create',
        params: {
          message: 'How many?',
          requestedSchema: { type: 'object', properties: { n: { type: 'integer' } } },
        },
      });
      const said = await new Promise<Json>((resolve) => waiting.set(question, resolve));
      return answer(text(said['result'] ?? said['error']));
    }
    case 'big':
      return void process.stdout.write(
        `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"content":[{"type":"text","text":"x"}],"structuredContent":{"10":1.0,"2":9007199254740993}}}\n`,
      );
    case 'fail':
      return answer(text('it did not work', { isError: true }));
    case 'rpcfail':
      return say({ id, error: { code: -32050, message: 'no', data: { why: 'because' } } });
    case 'forge':
      return answer(text('x', { _meta: { 'dev.countersign/replayed': true, 'x.y/z': 1 } }));
    case 'level':
      return answer(text(level));
    default:
      return answer(text({ args, meta: meta ?? null }));
  }
}

function handle(message: Json): void {
  const { id, method } = message;
  const params = (message['params'] ?? {}) as Json;
  if (method === undefined) return waiting.get(String(id))?.(message);
  if (method === 'initialize') {
    const capabilities = { tools: { listChanged: true }, logging: {}, tasks: {} };
    return say({
      id,
      result: {
        protocolVersion: params['protocolVersion'],
        capabilities,
        serverInfo: { name: 'fixture', version: '1' },
      },
    });
  }
  if (method === 'tools/list') {
    const from = Number(params['cursor'] ?? 0);
    const all = tools();
    const next = from + pageSize < all.length ? { nextCursor: String(from + pageSize) } : {};
    return say({ id, result: { tools: all.slice(from, from + pageSize), ...next } });
  }
  if (method === 'tools/call')
    return void call(
      id,
      String(params['name']),
      (params['arguments'] ?? {}) as Json,
      params['_meta'] as Json | undefined,
    );
  if (method === 'logging/setLevel') {
    level = String(params['level']);
    return say({ id, result: {} });
  }
  if (method === 'notifications/cancelled') return void cancelled.add(params['requestId']);
  if (id !== undefined) say({ id, result: { method, params } });
}

process.stderr.write('fixture started\n');
process.on('SIGUSR2', () => say({ method: 'notifications/tools/list_changed' }));
log({ started: process.pid });
createInterface({ input: process.stdin })
  .on('line', (line) => handle(JSON.parse(line) as Json))
  .on('close', () => process.exit(0));
