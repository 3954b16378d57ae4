/** kill -9 at the worst moments, against the real command line and a real upstream: nothing is lost, nothing runs twice. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { test } from 'node:test';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { inFolder, run, start } from '../cli/run.ts';
import { eventually, people } from '../support/gate.ts';
import { root } from '../support/source.ts';

const policies = `
@id("all") permit (principal, action, resource);
@id("slow.asks") @title("Slow things need a data owner") @approvers("data-owners")
forbid (principal, action == Action::"fix___slow", resource);
`;

const config = `${people}
listen: 127.0.0.1:0
limits: { hold: PT1S }
servers:
  fix:
    command: [${JSON.stringify(process.execPath)}, ${JSON.stringify(join(root, 'test/enforce/mcp/support/fixture.ts'))}]
    env: { FIXTURE_LOG: calls.log }
`;

interface Served {
  readonly url: string;
  /** SIGKILL, to the gate alone: as a crash or the kernel would. */
  kill(): Promise<void>;
}

async function serve(folder: string): Promise<Served> {
  const child = start(['serve'], { cwd: folder });
  child.stderr.resume();
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return {
    url: line.replace('listening on ', ''),
    kill: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

const calls = (folder: string): number =>
  readFileSync(join(folder, 'calls.log'), 'utf8')
    .split('\n')
    .filter((line) => line.includes('"name":"slow"')).length;

test('killed while an approved action runs: it is unknown afterwards, and the same call asks people anew', async () => {
  await inFolder({ 'countersign.yaml': config, 'policies/test.cedar': policies }, async (folder) => {
    const token = async (kind: string, id: string): Promise<string> =>
      (await run(['token', kind, id], { cwd: folder })).out.trim();
    const [agent, rosa, sam] = [
      await token('agent', 'crm-bot'),
      await token('person', 'rosa'),
      await token('person', 'sam'),
    ];
    let gate = await serve(folder);
    const api = async (by: string, method: string, path: string, body?: object) => {
      const response = await fetch(gate.url + path, {
        method,
        headers: {
          authorization: `Bearer ${by}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      // Read by the assertions below.
      // oxlint-disable-next-line typescript/no-explicit-any
      return (await response.json()) as any;
    };
    const connect = async (): Promise<Client> => {
      const client = new Client({ name: 'test', version: '1' });
      await client.connect(
        new StreamableHTTPClientTransport(new URL(`${gate.url}/mcp/fix`), {
          requestInit: { headers: { authorization: `Bearer ${agent}` } },
        }),
      );
      return client;
    };
    const call = async (client: Client): Promise<string> => {
      const result = (await client.callTool({
        name: 'slow',
        arguments: { what: 'deploy' },
      })) as CallToolResult;
      const [first] = result.content;
      return first?.type === 'text' ? first.text : '';
    };

    assert.match(await call(await connect()), /^Not run yet/);
    const [held] = (await api(rosa, 'GET', '/v1/approvals?status=pending')).items;
    await gate.kill(); // pending: people decide on the next process
    gate = await serve(folder);
    await api(rosa, 'POST', `/v1/approvals/${held.id}/reviews`, { decision: 'approve', digest: held.digest });
    await gate.kill(); // approved, not run
    gate = await serve(folder);
    void call(await connect()).catch(() => 'the connection was cut');
    await eventually(() => calls(folder) === 1, 'it runs');
    await gate.kill(); // running
    gate = await serve(folder);

    const action = await api(sam, 'GET', `/v1/actions/${held.action.id}`);
    assert.equal(action.state, 'unknown', 'nobody knows how it ended');
    assert.match(await call(await connect()), /^Not run yet/, 'the same call is held again');
    const [again] = (await api(rosa, 'GET', '/v1/approvals?status=pending')).items;
    assert.notEqual(again.id, held.id);
    assert.equal(again.action.afterUnknown, held.action.id, 'and reviewers are told');
    assert.equal(calls(folder), 1, 'the upstream was called once');
    await gate.kill();
  });
});
