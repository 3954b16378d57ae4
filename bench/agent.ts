/** Callers: the official SDK's client with its defaults, one connection each. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { inputOf } from './commands.ts';
import { fileOf } from './process.ts';

let serial = 0;

/** An input that no other call of this run has. */
export function freshInput(): { readonly serial: number; readonly input: Record<string, unknown> } {
  serial += 1;
  return { serial, input: { ...inputOf(serial) } };
}

export class Caller {
  readonly #client: Client;

  private constructor(client: Client) {
    this.#client = client;
  }

  static async http(url: string, token?: string): Promise<Caller> {
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return Caller.#connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
  }

  static async stdio(): Promise<Caller> {
    return Caller.#connect(
      new StdioClientTransport({ command: process.execPath, args: [fileOf('upstream.ts'), 'stdio'] }),
    );
  }

  static async #connect(transport: StreamableHTTPClientTransport | StdioClientTransport): Promise<Caller> {
    const client = new Client({ name: 'bench', version: '1' });
    await client.connect(transport);
    await client.listTools();
    return new Caller(client);
  }

  /** Calls a tool and checks that the upstream has answered this very call. */
  async call(tool: 'read_rows' | 'export_rows', fresh = freshInput()): Promise<void> {
    const result = await this.#client.callTool({ name: tool, arguments: fresh.input });
    // `content` is what CallToolResult says: a list of parts.
    const [part] = result.content as readonly { readonly type: string; readonly text?: string }[];
    if (result.isError === true || part?.text?.startsWith(`${fresh.serial}\n`) !== true) {
      throw new Error(`The call was not answered by the upstream: ${part?.text ?? 'no text'}`);
    }
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}
