/**
 * An agent that wants to learn where the limits are: it asks, reads every answer that it gets on every way that is open to it, and
 * finds no threshold, no clause and no counterfactual there. People find all three.
 */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { operations, people, startTestGate, type TestGate } from '../support/gate.ts';

const root = new URL('../../', import.meta.url).pathname;

/** Numbers and words that nothing but these policies has. */
const bots =
  '@id("bots") @title("Agents may act") permit (principal in Group::"support-agents", action, resource);\n';
const refunds = (head = ''): string => `${bots}
@id("refund.large") @title("Large refunds need a data owner") @approvers("data-owners") ${head}
forbid (principal, action == Action::"shop___refund", resource) when { context.input.cents > 1037 };
@id("refund.never") @title("Nobody refunds this much") ${head}
forbid (principal, action == Action::"shop___refund", resource) when { context.input.cents > 100037 };
`;
const files = `${bots}
@id("paths") @title("Some paths are closed")
forbid (principal, action == Action::"files___write_file", resource) when { context.input.path like "*zq-closed*" };
@id("paths.asked") @title("Some paths are asked") @approvers("data-owners")
forbid (principal, action == Action::"files___write_file", resource) when { context.input.path like "*zq-asked*" };
`;
const given = /\b1037\b|\b100037\b|zq-writers|zq-none|at most|wouldAllow|clauses|note\.few/;

const inHttp = `${people}${operations}  shop___note: { input: { type: object, properties: { text: { type: string } } } }\n`;

async function gateOf(t: TestContext, config: string, policies: string): Promise<TestGate> {
  const gate = await startTestGate({ config, policies });
  t.after(() => gate.stop());
  return gate;
}

const refund = (cents: number) => ({ operation: 'shop___refund', input: { cents }, reason: 'x' });

/** Everything that this agent is answered about one action. */
async function everyAnswer(gate: TestGate, token: string, body: object): Promise<readonly unknown[]> {
  const asked = await gate.call(token, 'POST', '/v1/actions', body);
  const id = String(asked.body.id);
  const answers = [
    asked,
    await gate.call(token, 'POST', '/v1/actions', body),
    await gate.call(token, 'GET', `/v1/actions/${id}`),
    await gate.call(token, 'POST', `/v1/actions/${id}/execution`),
    await gate.call(token, 'GET', '/v1/approvals?status=all'),
    await gate.call(token, 'GET', '/v1/log'),
    await gate.call(token, 'POST', '/access/v1/evaluation', {
      subject: { type: 'agent', id: 'crm-bot' },
      action: { name: 'shop___refund' },
      resource: { type: 'Server', id: 'shop' },
      context: { input: { cents: 5000 } },
    }),
  ];
  const approval = asked.body.approval?.id;
  return approval === undefined
    ? answers
    : [...answers, await gate.call(token, 'GET', `/v1/approvals/${approval}`)];
}

test('no answer of the API tells an agent a threshold, and people are told', async (t) => {
  const gate = await gateOf(t, inHttp, refunds());
  const [agent, owner] = [await gate.token('agent', 'crm-bot'), await gate.token('person', 'sam')];
  for (const [body, wouldAllow] of [
    [refund(5000), ['if cents were at most 1037']],
    [refund(200_000), ['if cents were at most 1037']],
  ] as const) {
    const answers = await everyAnswer(gate, agent, body);
    assert.ok(answers.length >= 7);
    for (const answer of answers) assert.doesNotMatch(JSON.stringify(answer), given);
    const [first] = answers as readonly [{ readonly body: { readonly id: string } }];
    const shown = await gate.call(owner, 'GET', `/v1/actions/${first.body.id}`);
    assert.deepEqual(shown.body.explanation.wouldAllow, wouldAllow);
    assert.ok(shown.body.explanation.clauses.length > 0);
  }
});

test('what no policy permits: the nearest permits are for people', async (t) => {
  const gate = await startTestGate({
    config: inHttp,
    policies:
      '@id("note.few") permit (principal in Group::"zq-writers", action == Action::"shop___note", resource);',
  });
  t.after(() => gate.stop());
  const agent = await gate.token('agent', 'crm-bot');
  const answers = await everyAnswer(gate, agent, { operation: 'shop___note', input: { text: 'x' } });
  for (const answer of answers) assert.doesNotMatch(JSON.stringify(answer), given);
  const [first] = answers as readonly [{ readonly body: { readonly id: string } }];
  const shown = await gate.call(await gate.token('person', 'sam'), 'GET', `/v1/actions/${first.body.id}`);
  assert.match(
    shown.body.explanation.text,
    /Permit note\.few applies to agents in zq-writers; crm-bot is not\./,
  );
  assert.deepEqual(shown.body.explanation.wouldAllow, []);
});

test('where a policy says @tell_agent the agent is told', async (t) => {
  const gate = await gateOf(t, inHttp, refunds('@tell_agent'));
  const agent = await gate.token('agent', 'crm-bot');
  const asked = await gate.call(agent, 'POST', '/v1/actions', refund(5000));
  assert.match(JSON.stringify(asked.body.explanation), /It would be allowed if cents were at most 1037\./);
});

test('nor does an answer over MCP', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-thresholds-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'sandbox'));
  const server = `${root}node_modules/@modelcontextprotocol/server-filesystem/dist/index.js`;
  const gate = await gateOf(
    t,
    `${people}\nlimits: { hold: PT1S }\nservers:\n  files: { command: ["${process.execPath}", "${server}", "${folder}/sandbox"] }\n`,
    files,
  );
  const client = new Client({ name: 'attacker', version: '1' });
  const headers = { authorization: `Bearer ${await gate.token('agent', 'crm-bot')}` };
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${gate.gate().url}/mcp/files`), { requestInit: { headers } }),
  );
  t.after(() => client.close());
  for (const name of ['zq-closed', 'zq-asked']) {
    const path = join(folder, 'sandbox', name);
    const result = await client.callTool({ name: 'write_file', arguments: { path, content: 'x' } });
    assert.equal(result.isError, true);
    assert.doesNotMatch(JSON.stringify(result), /like|wouldAllow|clauses|would be allowed/);
  }
  const owner = await gate.token('person', 'sam');
  const { body } = await gate.call(owner, 'GET', '/v1/approvals');
  assert.match(JSON.stringify(body), /if path were neither like .*zq-/);
});
