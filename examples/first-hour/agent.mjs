/**
 * The smallest agent there is: the official MCP client, which makes the calls of a file and prints what comes back.
 *
 *     COUNTERSIGN_TOKEN=… node examples/first-hour/agent.mjs memory examples/first-hour/memory.jsonl
 *
 * Each line of the file is a call: ["tool", {arguments}]. It knows nothing of the gate but its URL.
 */
import { readFileSync } from 'node:fs';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const [server, file] = process.argv.slice(2);
if (server === undefined || file === undefined) {
  console.error('usage: node agent.mjs SERVER FILE');
  process.exit(2);
}
const url = new URL(`/mcp/${server}`, process.env.COUNTERSIGN_URL ?? 'http://localhost:7788');
const headers = { authorization: `Bearer ${process.env.COUNTERSIGN_TOKEN}` };
const client = new Client({ name: 'first-hour', version: '1.0.0' });
const transport = new StreamableHTTPClientTransport(url, { requestInit: { headers } });
const charsMax = 100;

try {
  await client.connect(transport);
  for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
    const [name, args] = JSON.parse(line);
    const result = await client.callTool({ name, arguments: args });
    const text = (result.content[0]?.text ?? '').replaceAll(/\s+/g, ' ');
    // What the gate says is said whole.
    const shown = result.isError || text.length <= charsMax ? text : `${text.slice(0, charsMax)}…`;
    console.log(`${result.isError ? 'error' : 'ok   '} ${name}: ${shown}`);
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  // Ends the session at the gate as well, and with it the server's process.
  await transport.terminateSession().catch(() => undefined);
  await client.close();
}
