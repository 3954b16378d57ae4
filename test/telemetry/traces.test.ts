/** Traces of a whole gate, as a real collector gets them: what a held action's spans are called, how they hang together, when they end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/gate.ts';
import type { SeenSpan } from './support/collector.ts';
import { raw, startModernServer } from '../enforce/mcp/support/modern.ts';
import { approveOnTheWeb, startTraced } from './support/traced-gate.ts';

const agentTrace = '4bf92f3577b34da6a3ce929d0e0e4736';
const agentSpan = '00f067aa0ba902b7';

function one(spans: readonly SeenSpan[], name: string, kind?: number): SeenSpan {
  const found = spans.filter((span) => span.name === name && (kind === undefined || span.kind === kind));
  assert.equal(found.length, 1, `${name}: ${JSON.stringify(spans.map((span) => [span.name, span.kind]))}`);
  return found[0] ?? assert.fail();
}

test('an action that is held, decided on the web and run through MCP: short spans, linked to whoever asked', async (t) => {
  const traced = await startTraced(t);
  const { gate, collector } = traced;
  const client = await traced.client(await gate.token('agent', 'crm-bot'));
  await client.listTools();
  const calling = client.callTool({
    name: 'write',
    arguments: { text: 'what nobody outside may read' },
    _meta: { traceparent: `00-${agentTrace}-${agentSpan}-01`, tracestate: 'rojo=1' },
  });
  const rosa = await gate.token('person', 'rosa');
  let approval = '';
  await eventually(async () => {
    approval = (await gate.call(rosa, 'GET', '/v1/approvals?status=pending')).body.items[0]?.id ?? '';
    return approval !== '';
  }, 'an approval that waits');
  // What is open while people think would come only after they have thought.
  await eventually(
    () => collector.spans.some(({ name, kind }) => name === 'tools/call write' && kind === 2),
    'the span of the call, while it is held',
  );
  const thought = Date.now();
  await approveOnTheWeb(gate, 'rosa', approval);
  const answer = await calling;
  assert.notEqual(answer.isError, true, JSON.stringify(answer));
  const spans = await traced.ended();

  const asked = one(spans, 'tools/call write', 2);
  assert.deepEqual([asked.trace, asked.parent], [agentTrace, agentSpan], 'within the agent’s own trace');
  assert.ok(asked.endMs <= thought, 'it ended when it began to wait');
  const { attributes } = asked;
  assert.equal(attributes['mcp.method.name'], 'tools/call');
  assert.equal(attributes['gen_ai.tool.name'], 'write');
  assert.equal(attributes['gen_ai.operation.name'], 'execute_tool');
  assert.equal(attributes['mcp.protocol.version'], '2025-11-25');
  assert.match(String(attributes['mcp.session.id']), /^[0-9a-f]{48}$/);
  assert.equal(attributes['countersign.approval.id'], approval);
  assert.equal(attributes['countersign.waits'], true);
  const http = spans.find(({ trace, id }) => asked.links.includes(`${trace}/${id}`));
  assert.equal(http?.name, 'POST /mcp/:server', 'the request that carried it is linked');

  const asker = `${asked.trace}/${asked.id}`;
  const names = ['opened', 'reviewed', 'decided'].map((what) => `countersign.approval.${what}`);
  const short = names.map((name) => one(spans, name));
  const [opened, reviewed, decided] = short;
  for (const span of short) {
    assert.ok(span.links.includes(asker), `${span.name} is linked to the asker`);
    assert.ok(span.endMs - span.startMs < 5000, `${span.name} is short`);
    assert.equal(span.attributes['countersign.approval.id'], approval);
  }
  assert.equal(opened?.parent, asked.id);
  const review = one(spans, 'POST /approvals/:id/review');
  assert.deepEqual(
    [reviewed?.trace, reviewed?.parent],
    [review.trace, review.id],
    'in the trace of the reviewer',
  );
  assert.notEqual(review.trace, agentTrace);
  assert.equal(reviewed?.attributes['countersign.review.decision'], 'approve');
  assert.equal(reviewed.attributes['countersign.review.channel'], 'web');
  assert.equal(decided?.attributes['countersign.approval.status'], 'approved');

  const ran = one(spans, 'countersign.execution');
  assert.ok(ran.links.includes(asker));
  assert.ok(ran.startMs >= thought - 1);
  const upstream = one(spans, 'tools/call write', 3);
  assert.deepEqual([upstream.trace, upstream.parent], [ran.trace, ran.id]);
  assert.equal(upstream.attributes['network.transport'], 'pipe');
  const content = answer.content as readonly { readonly text: string }[];
  const { meta } = JSON.parse(content[0]?.text ?? '{}') as { readonly meta: Record<string, string> };
  assert.equal(
    meta['traceparent'],
    `00-${upstream.trace}-${upstream.id}-01`,
    'the upstream belongs to our span',
  );
  assert.equal(meta['tracestate'], 'rojo=1');

  for (const span of spans) {
    assert.ok(!JSON.stringify(span).includes('what nobody outside may read'), span.name);
    assert.ok(!/rosa|Rosa/.test(JSON.stringify(span)), `${span.name} names a person`);
  }
  assert.equal(collector.resource['service.name'], 'countersign');
  assert.match(String(collector.resource['service.instance.id']), /^gte_/);
});

test('an action that is asked by HTTP and reported by its agent, long after; a refusal; an expiry', async (t) => {
  const traced = await startTraced(t, {
    config: `operations:
  shop___refund: { input: { type: object, required: [cents], properties: { cents: { type: integer } } } }
  shop___never: { input: { type: object } }
`,
    policies: `
@id("all") permit (principal, action, resource);
@id("refunds") @approvers("data-owners") @ttl("PT1S")
forbid (principal, action == Action::"shop___refund", resource) when { context.input.cents > 5 };
@id("slow") @approvers("data-owners")
forbid (principal, action == Action::"shop___refund", resource) when { context.input.cents > 10 };
@id("never") forbid (principal, action == Action::"shop___never", resource);
`,
  });
  const { gate } = traced;
  const agent = await gate.token('agent', 'crm-bot');
  const rosa = await gate.token('person', 'rosa');
  const headers = { traceparent: `00-${agentTrace}-${agentSpan}-00` };
  const ask = (operation: string, cents: number) =>
    gate.call(agent, 'POST', '/v1/actions', { operation, input: { cents } }, headers);
  assert.equal((await ask('shop___never', 1)).status, 403);
  const held = (await ask('shop___refund', 6)).body;
  assert.ok(held.approval !== undefined, JSON.stringify(held));
  const path = `/v1/approvals/${held.approval.id}/reviews`;
  const said = { decision: 'approve', digest: held.digest };
  assert.equal((await gate.call(rosa, 'POST', path, said)).status, 201);
  const execution = (await gate.call(agent, 'POST', `/v1/actions/${held.id}/execution`)).body.id;
  const outcome = { status: 'failed' };
  assert.equal((await gate.call(agent, 'PUT', `/v1/executions/${execution}/outcome`, outcome)).status, 200);
  const left = (await ask('shop___refund', 7)).body;
  assert.ok(left.approval !== undefined, JSON.stringify(left));
  await eventually(async () => {
    const { status } = (await gate.call(rosa, 'GET', `/v1/approvals/${left.approval.id}`)).body;
    return status === 'expired';
  }, 'an approval whose time is over');
  await eventually(
    async () => (await gate.gate().parts.store.pendingApprovals()) === 0,
    'and that was ended',
  );
  const spans = await traced.ended();
  const asks = spans.filter(({ name }) => name === 'POST /v1/actions');
  assert.equal(asks.length, 3);
  for (const span of asks) assert.deepEqual([span.trace, span.parent], [agentTrace, agentSpan]);
  assert.equal(asks[0]?.attributes['countersign.verdict'], 'deny');
  assert.equal(asks[0].attributes['http.response.status_code'], 403);
  const ran = one(spans, 'countersign.execution');
  assert.equal(ran.status, 2);
  assert.equal(ran.attributes['countersign.execution.id'], execution);
  assert.deepEqual(ran.links, [`${agentTrace}/${asks[1]?.id}`]);
  const decided = spans.filter(({ name }) => name === 'countersign.approval.decided');
  const how = decided.map((span) => [
    span.attributes['countersign.approval.id'],
    span.attributes['countersign.approval.status'],
  ]);
  assert.deepEqual(how, [
    [held.approval.id, 'approved'],
    [left.approval.id, 'expired'],
  ]);
  assert.deepEqual(decided[1]?.links, [`${agentTrace}/${asks[2]?.id}`]);
  for (const { name } of spans) assert.doesNotMatch(name, /act_|apr_|exe_/, 'names hold no id');
});

test('revision 2026-07-28 to an upstream by URL: server and client span, an error of the tool, and a failure of the gate’s own', async (t) => {
  const server = await startModernServer();
  t.after(() => server.stop());
  const traced = await startTraced(t, {
    servers: `  up: { url: "${server.upstream.url}", headers: { authorization: "Bearer upstream-secret" } }`,
  });
  const agent = await traced.gate.token('agent', 'crm-bot');
  const at = { url: traced.gate.gate().url };
  const call = (name: string, headers = {}) =>
    raw(at, 'up', { method: 'tools/call', params: { name, arguments: {}, _meta: { traceparent: `00-${agentTrace}-${agentSpan}-01` } }, agent, headers }); // prettier-ignore
  await raw(at, 'up', { method: 'tools/list', agent }); // which pins them: before, a tool has no name
  assert.equal((await call('echo')).status, 200);
  await call('not-there');
  const { params } = server.calls.at(-1) ?? assert.fail('nothing ran');
  const spans = await traced.ended();
  const asked = one(spans, 'tools/call echo', 2);
  assert.deepEqual([asked.trace, asked.parent], [agentTrace, agentSpan]);
  assert.equal(asked.attributes['mcp.protocol.version'], '2026-07-28');
  assert.equal(asked.attributes['countersign.waits'], undefined, 'it waited for nobody');
  const upstream = one(spans, 'tools/call echo', 3);
  assert.equal(upstream.trace, agentTrace);
  assert.equal(params.meta.traceparent, `00-${upstream.trace}-${upstream.id}-01`);
  assert.equal(upstream.attributes['server.address'], '127.0.0.1');
  assert.equal(String(upstream.attributes['server.port']), new URL(server.upstream.url).port);
  assert.equal(upstream.attributes['network.transport'], 'tcp');
  const unknown = one(spans, 'tools/call', 2);
  assert.deepEqual(
    [unknown.attributes['error.type'], unknown.attributes['rpc.response.status_code'], unknown.status],
    ['-32602', '-32602', 2],
  );
  assert.doesNotMatch(JSON.stringify(spans), /upstream-secret|\/mcp"|not-there/);
});
