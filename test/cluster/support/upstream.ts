/**
 * A real MCP server whose tools have an effect that can be counted: each appends a line, with fsync, to a file of its own. What
 * an agent does by itself is counted in the same file.
 */
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { once } from 'node:events';
import * as z from 'zod';
import { metaKeys } from '../../../src/enforce/mcp/classify.ts';
import { pause } from './random.ts';

export interface Effect {
  readonly action: string;
  readonly execution: string;
  readonly by: 'gate' | 'agent';
}

/** What happened in the world, and stays there. */
export class Effects {
  readonly #file: number;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    this.#file = openSync(path, 'a');
  }

  /** Durable when it returns. */
  happen(effect: Effect): void {
    writeSync(this.#file, `${JSON.stringify(effect)}\n`);
    fsyncSync(this.#file);
  }

  all(): readonly Effect[] {
    const lines = readFileSync(this.#path, 'utf8').split('\n');
    // `happen` wrote them.
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Effect);
  }

  close(): void {
    closeSync(this.#file);
  }
}

export interface Upstream {
  readonly port: number;
  close(): Promise<void>;
}

const tools = ['open', 'one', 'two'] as const;

/** What a tool answers, and so what its agent learns. */
export const ranText = (action: string, execution: string): string => JSON.stringify({ action, execution });

function serverOf(effects: Effects): McpServer {
  const server = new McpServer({ name: 'work', version: '1' });
  for (const tool of tools)
    server.registerTool(tool, { inputSchema: { n: z.number() } }, async (_input, { _meta }) => {
      const action = String(_meta?.[metaKeys.action]);
      const execution = String(_meta?.[metaKeys.execution]);
      effects.happen({ action, execution, by: 'gate' });
      // Long enough that now and then a gate is killed while it waits for this.
      await pause(15);
      return { content: [{ type: 'text', text: ranText(action, execution) }] };
    });
  return server;
}

/** Serves on a free port; without sessions: every request stands alone. */
export async function startUpstream(effects: Effects): Promise<Upstream> {
  const listener: Server = createServer((request, response) => {
    const server = serverOf(effects);
    const transport = new StreamableHTTPServerTransport({});
    response.on('close', () => void server.close());
    void server
      // The SDK's own class does not fit its own interface under exactOptionalPropertyTypes.
      .connect(transport as Parameters<McpServer['connect']>[0])
      .then(() => transport.handleRequest(request, response))
      .catch(() => response.destroy());
  });
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    async close() {
      listener.closeAllConnections();
      listener.close();
      await once(listener, 'close');
    },
  };
}
