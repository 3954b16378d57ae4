/**
 * Agents by MCP, with the SDK's own client. A held call that ends without an answer is made again with the same run, at another
 * gate; an allowed one is not, because each call of it is another action.
 */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { metaKeys } from '../../../src/enforce/mcp/classify.ts';
import { Unanswered, type Field } from './client.ts';
import { fetchTo, publicUrl } from './http.ts';
import type { Plan } from './plan.ts';
import { pause, type Chance } from './random.ts';

const connectMsMax = 10_000;
const callMsMax = 20_000;

/** One agent process: a connection to one gate, and to another when that breaks. */
export class McpAgent {
  readonly #field: Field;
  readonly #chance: Chance;
  #client: Client | undefined;
  #at = 0;

  constructor(field: Field, chance: Chance) {
    this.#field = field;
    this.#chance = chance;
    this.#at = chance.below(field.gates.length);
  }

  async live({ n, operation, agent }: Plan, seed: number): Promise<void> {
    const { ledger, isLate } = this.#field;
    const sinceMs = Date.now();
    const held = operation !== 'open';
    for (;;) {
      const client = await this.#connected(agent);
      const result = await this.#call(client, operation, { n, run: `mcp-${seed}-${n}` });
      if (result === undefined) {
        ledger.count('MCP calls without an answer');
        await this.#leave();
        // Nobody knows what became of it, and it is never made twice.
        if (!held) return;
      } else if (this.#isOver(result, held)) return;
      if (isLate(sinceMs)) throw new Unanswered(`the call of ${operation} with ${n} never came to an end`);
      await pause(this.#chance.between(20, 200));
    }
  }

  /** Whether the agent has what it wanted, or will not get it; notes what it was told. */
  #isOver(result: CallToolResult, held: boolean): boolean {
    const { ledger } = this.#field;
    const [first] = result.content;
    const text = first?.type === 'text' ? first.text : '';
    const code = result._meta?.[metaKeys.code];
    if (result.isError !== true) {
      // The upstream's own words (upstream.ts).
      const { action, execution } = JSON.parse(text) as {
        readonly action: string;
        readonly execution: string;
      };
      // An allowed call is answered before its outcome is in the log; its start is.
      ledger.note({ kind: 'started', action, execution });
      if (held) ledger.note({ kind: 'outcome', action, execution, status: 'succeeded' });
      return true;
    }
    ledger.count(`MCP ${typeof code === 'string' ? code : text.slice(0, 60)}`);
    // Denied, and that is that; an unknown run is asked for anew, and people are asked anew.
    if (code === 'denied' || code === 'cancelled' || code === 'expired' || code === 'policy_changed')
      return true;
    return !held;
  }

  async #call(
    client: Client,
    name: string,
    { n, run }: { readonly n: number; readonly run: string },
  ): Promise<CallToolResult | undefined> {
    const meta = { [metaKeys.run]: run };
    const call = client.callTool({ name, arguments: { n }, _meta: meta }, undefined, { timeout: callMsMax });
    try {
      return (await call) as CallToolResult;
    } catch (error) {
      this.#field.ledger.say({ mcp: run, error: String(error) });
      return undefined;
    }
  }

  async #connected(agent: string): Promise<Client> {
    const sinceMs = Date.now();
    while (this.#client === undefined) {
      const { gates, tokens, ledger, isLate } = this.#field;
      const gate = gates[this.#at % gates.length];
      if (gate === undefined) throw new RangeError('no gates');
      const client = new Client({ name: 'cluster', version: '1' });
      const transport = new StreamableHTTPClientTransport(new URL(`${publicUrl}/mcp/work`), {
        requestInit: { headers: { authorization: `Bearer ${tokens[agent] ?? ''}` } },
        fetch: fetchTo(() => gate.port),
        reconnectionOptions: {
          maxRetries: 1,
          initialReconnectionDelay: 200,
          maxReconnectionDelay: 500,
          reconnectionDelayGrowFactor: 1,
        },
      });
      try {
        if (!gate.running) throw new Error('it is down');
        await client.connect(transport, { timeout: connectMsMax });
        this.#client = client;
      } catch (error) {
        ledger.count('MCP connections refused');
        await client.close().catch(() => undefined);
        this.#at += 1;
        if (isLate(sinceMs)) throw new Unanswered(`no gate took an MCP connection: ${String(error)}`);
        await pause(this.#chance.between(50, 300));
      }
    }
    return this.#client;
  }

  async #leave(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#at += 1;
    await client?.close().catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.#leave();
  }
}
