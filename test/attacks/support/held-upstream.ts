/**
 * An MCP server (stdio) whose calls a test can keep running: each is appended to the file in HELD_CALLS, and `work` answers only
 * once the file in HELD_RELEASE is there. `quick` answers at once.
 */
import { appendFileSync, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';

type Json = Record<string, unknown>;

const say = (message: Json): void =>
  void process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);

async function call(id: unknown, name: string, what: string): Promise<void> {
  appendFileSync(process.env['HELD_CALLS'] ?? '', `${name} ${what}\n`);
  if (name === 'work')
    while (!existsSync(process.env['HELD_RELEASE'] ?? ''))
      await new Promise((resolve) => setTimeout(resolve, 20));
  say({ id, result: { content: [{ type: 'text', text: `done ${what}` }] } });
}

function handle({ id, method, params = {} }: Json & { readonly params?: Json }): void {
  if (method === 'initialize') {
    const serverInfo = { name: 'held', version: '1' };
    const { protocolVersion } = params;
    return say({ id, result: { protocolVersion, capabilities: { tools: {} }, serverInfo } });
  }
  const inputSchema = { type: 'object', properties: { what: { type: 'string' } } };
  if (method === 'tools/list')
    return say({ id, result: { tools: ['work', 'quick'].map((name) => ({ name, inputSchema })) } });
  if (method === 'tools/call')
    return void call(id, String(params['name']), String((params['arguments'] as Json)['what']));
  if (id !== undefined) say({ id, result: {} });
}

createInterface({ input: process.stdin })
  .on('line', (line) => handle(JSON.parse(line) as Json))
  .on('close', () => process.exit(0));
