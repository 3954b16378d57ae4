/** The three cases that matter most (design §7), as the demo's agent asks for them and with what its server answers. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { OpsDatabase } from '../../examples/ops-server/database.ts';
import { registerTools } from '../../examples/ops-server/tools.ts';
import { nameOf } from '../../src/cli/init-packs.ts';
import { parseSettings } from '../../src/config.ts';
import type { Seen } from '../../src/core/case.ts';
import { asAgentId } from '../../src/core/ids.ts';
import type { JsonObject, JsonValue } from '../../src/core/json.ts';
import { fill, type Profile } from '../../src/core/profile.ts';
import { makeScratch } from '../../src/demo/scratch.ts';
import type { PolicyEngine, PolicyWorld } from '../../src/ports/policy.ts';
import { engineWith } from '../policy/support/world.ts';
import { root } from '../support/source.ts';
import { hash } from '../support/world.ts';
import { hold, looked, recentOf, type Example } from './examples-held.ts';

const wishes: readonly (readonly [tool: string, input: JsonObject, reason: string])[] = [
  [
    'export_rows',
    { table: 'customers', format: 'csv', destination: 'https://reports.example.com/churn' },
    'Marketing needs the churn report by Monday (ticket 4711).',
  ],
  [
    'grant_role',
    { principal: 'crm-bot', role: 'admin', scope: 'prod' },
    'With the admin role I would not have to ask so often.',
  ],
  ['delete_region', { region: 'us-east-1', confirm: 'us-east-1' }, 'It costs money.'],
];

/** Export, grant, and the deletion of a region, which the demo's own policies never ask anybody about. */
export async function demoExamples(): Promise<readonly Example[]> {
  const { directory, profiles } = demoSettings();
  const ops = await opsServer();
  const engine = await demoEngine(directory, profiles, ops.tools);
  const found: Example[] = [];
  for (const [tool, input, reason] of wishes) {
    const profile = profiles[tool];
    assert.ok(profile !== undefined, tool);
    const seen = async (look: Profile['preview']): Promise<Seen | null> =>
      look === undefined ? null : looked(look.tool, await ops.call(look.tool, filled(look.input, input)));
    const id = profile.resource === undefined ? undefined : fill(profile.resource.id, input);
    const held = hold({
      name: `ops___${tool}`,
      from: 'demo',
      engine,
      directory,
      action: {
        agent: asAgentId('crm-bot'),
        operation: `ops___${tool}`,
        input,
        resource: { type: profile.resource?.type ?? 'Server', id: typeof id === 'string' ? id : 'ops' },
        session: 'ticket-4711',
        reason,
      },
      facts: { profile, preview: await seen(profile.preview), before: await seen(profile.before) },
      recent: recentOf(1),
    });
    assert.ok(held !== null, tool);
    found.push(held);
  }
  await ops.close();
  return found;
}

/** A look's input, out of the action's. */
const filled = (look: JsonObject, input: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(look).flatMap(([key, from]) => {
      const value = typeof from === 'string' ? fill(from, input) : undefined;
      return value === undefined ? [] : [[key, value]];
    }),
  );

type Profiles = Readonly<Record<string, Profile>>;

/** What `npm start` is configured with. */
function demoSettings(): { readonly directory: PolicyWorld['directory']; readonly profiles: Profiles } {
  const scratch = makeScratch(7788);
  try {
    const settings = parseSettings(readFileSync(scratch.config, 'utf8'), scratch.config);
    assert.ok(settings.ok, JSON.stringify(settings));
    const { directory, servers } = settings.value.proposal;
    return { directory, profiles: servers.find((one) => one.name === 'ops')?.tools ?? {} };
  } finally {
    scratch.remove();
  }
}

function demoEngine(
  directory: PolicyWorld['directory'],
  profiles: Profiles,
  tools: readonly JsonObject[],
): Promise<PolicyEngine> {
  const text = readFileSync(`${root}/examples/demo/policies/demo.cedar`, 'utf8').replace(
    '@id("delete.region")',
    '@id("delete.region") @approvers("platform")',
  );
  return engineWith(
    { policies: [{ file: 'demo.cedar', text }], schemas: [], entities: null },
    {
      directory,
      servers: ['ops', 'files'],
      tools: tools.map((definition) => ({
        server: 'ops',
        tool: nameOf(definition),
        status: 'enabled',
        definition,
        hash,
        seen: null,
        seenHash: null,
        atMs: 0,
      })),
      resourceTypes: Object.fromEntries(
        Object.entries(profiles).flatMap(([tool, { resource }]) =>
          resource === undefined ? [] : [[`ops___${tool}`, resource.type]],
        ),
      ),
      operations: [],
      versions: { policySet: 1, directory: 1, tools: 1 },
    },
  );
}

/** The demo's server, spoken to in this process. */
async function opsServer() {
  const server = new McpServer({ name: 'ops', version: '0' }, { capabilities: { logging: {} } });
  registerTools(server, new OpsDatabase(':memory:'));
  const [near, far] = InMemoryTransport.createLinkedPair();
  const client = new Client({ name: 'examples', version: '0' });
  await Promise.all([server.connect(far), client.connect(near)]);
  const { tools } = await client.listTools();
  return {
    tools: tools as unknown as readonly JsonObject[], // what came over the wire is JSON
    call: async (name: string, args: JsonObject): Promise<JsonValue> =>
      (await client.callTool({ name, arguments: args })) as unknown as JsonObject, // as above
    close: () => client.close(),
  };
}
