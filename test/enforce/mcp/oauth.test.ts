/**
 * The gate as an OAuth 2.1 resource server (RFC 9728, RFC 8707), with unmodified MCP clients of the official SDK: one finds its
 * authorization server by itself and gets a token for the very server that it calls.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { ClientCredentialsProvider } from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { root } from '../../support/source.ts';
import { startTestGate, type TestGate } from '../../support/gate.ts';
import { startIssuer, type TestIssuer } from '../../support/issuer.ts';

let issuer: TestIssuer;
let gate: TestGate;
before(async () => {
  issuer = await startIssuer((client) => ({ sub: client, client_id: client }));
  const fixture = JSON.stringify([process.execPath, `${root}/test/enforce/mcp/support/fixture.ts`]);
  gate = await startTestGate({
    policies: '@id("all") @title("Agents may act") permit (principal, action, resource);',
    config: `
people: [{ id: sam, name: Sam Lee }]
agents: [{ id: crm-bot, owners: [sam] }]
servers:
  crm: { command: ${fixture} }
  files: { command: ${fixture} }
issuers:
  - issuer: ${issuer.url}
    authorizationServer: true
    agents: [{ agent: crm-bot, claims: { sub: crm-client } }]
`,
  });
});
after(async () => {
  await gate.stop();
  await issuer.close();
});

const clientOf = (server: string, clientId: string) => {
  const authProvider = new ClientCredentialsProvider({
    clientId,
    clientSecret: 'secret',
    expectedIssuer: issuer.url,
  });
  const transport = new StreamableHTTPClientTransport(new URL(`${gate.gate().origin}/mcp/${server}`), {
    authProvider,
  });
  return { client: new Client({ name: 'test', version: '1' }), transport, authProvider };
};

test('a client that knows only the server’s address finds where to get a token, and calls', async () => {
  const { client, transport, authProvider } = clientOf('crm', 'crm-client');
  await client.connect(transport);
  const tools = await client.listTools();
  assert.ok(tools.tools.length > 0);
  await client.close();
  // it asked for a token for this very server, by the name that the metadata gave
  assert.deepEqual(
    issuer.grants.map((one) => [one.get('grant_type'), one.get('resource')]),
    [['client_credentials', `${gate.gate().origin}/mcp/crm`]],
  );
  // which opens no other
  const token = authProvider.tokens()?.access_token ?? '';
  const post = (path: string): Promise<Response> =>
    fetch(gate.gate().url + path, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } },
      }),
    });
  assert.equal((await post('/mcp/crm')).status, 200);
  assert.equal((await post('/mcp/files')).status, 401);
  assert.equal((await post('/v1/actions')).status, 401);
});

test('a client of that server that is no agent here gets a token, and nothing with it', async () => {
  const { client, transport } = clientOf('crm', 'somebody');
  await assert.rejects(client.connect(transport), /401 after successful authentication/);
});

test('metadata is where RFC 9728 puts it, names each server as itself, and tells nobody which servers there are', async () => {
  const { origin, url } = gate.gate();
  const read = async (path: string): Promise<unknown> =>
    (await fetch(`${url}/.well-known/oauth-protected-resource${path}`)).json();
  for (const path of ['', '/mcp/crm', '/mcp/no-such-server'])
    assert.deepEqual(await read(path), {
      resource: `${origin}${path}`,
      authorization_servers: [issuer.url],
      bearer_methods_supported: ['header'],
      resource_name: 'Countersign',
    });
  for (const path of ['/', '/mcp', '/mcp/', '/mcp/a/b', '/v1', 'x'])
    assert.equal((await fetch(`${url}/.well-known/oauth-protected-resource${path}`)).status, 404, path);
  const posted = await fetch(`${url}/.well-known/oauth-protected-resource`, { method: 'POST' });
  assert.equal(posted.status, 405);
  const head = await fetch(`${url}/.well-known/oauth-protected-resource/mcp/crm`, { method: 'HEAD' });
  assert.equal(head.status, 200);
});
