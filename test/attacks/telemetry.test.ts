/**
 * What the gate tells about itself, used against it: trace contexts that are none, secrets that look for a way out through a line, a
 * metric or a span, names that would make series without end, a collector that never answers.
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createMeters } from '../../src/telemetry/meters.ts';
import { exportLimits } from '../../src/telemetry/export.ts';
import { createTracing } from '../../src/telemetry/traces.ts';
import { eventually, startTestGate } from '../support/gate.ts';
import { startCollector } from '../telemetry/support/collector.ts';
import { startTraced } from '../telemetry/support/traced-gate.ts';

const hostile = {
  traceparent: `00-${'A'.repeat(32)}-evil-01`,
  tracestate: `evil=1,${'x'.repeat(5000)}`,
  baggage: `evil=${'b'.repeat(9000)}`,
};

test('a trace context that is none: nothing of it is kept or passed on, and the call goes its way', async (t) => {
  const traced = await startTraced(t);
  const token = await traced.gate.token('agent', 'crm-bot');
  const client = await traced.client(token);
  const answer = await client.callTool({ name: 'echo', arguments: {}, _meta: hostile });
  assert.notEqual(answer.isError, true);
  const content = answer.content as readonly { readonly text: string }[];
  const { meta } = JSON.parse(content[0]?.text ?? '{}') as { readonly meta: Record<string, string> };
  assert.match(meta['traceparent'] ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/, 'ours');
  assert.deepEqual([meta['tracestate'], meta['baggage']], [undefined, undefined]);
  const asked = await traced.gate.call(token, 'GET', '/v1/agents', undefined, {
    traceparent: hostile.traceparent,
    tracestate: 'evil',
  });
  assert.notEqual(asked.status, 500);
  const spans = await traced.ended();
  assert.ok(spans.length > 2);
  for (const span of spans) assert.doesNotMatch(JSON.stringify(span), /evil|AAAA|bbbb/);
});

test('an agent that asks not to be kept is kept, and pages of browsers belong to no trace of others', async (t) => {
  const traced = await startTraced(t);
  const agent = await traced.gate.token('agent', 'crm-bot');
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  const headers = { traceparent: `00-${trace}-00f067aa0ba902b7-00` };
  await traced.gate.call(agent, 'GET', '/v1/agents', undefined, headers);
  await traced.gate.call(null, 'GET', '/inbox', undefined, headers);
  const spans = await traced.ended();
  assert.equal(spans.find(({ name }) => name === 'GET /v1/agents')?.trace, trace);
  const page = spans.find(({ name }) => name === 'GET /inbox');
  assert.notEqual(page?.trace, trace);
  assert.equal(page?.parent, '');
});

test('names that strangers and agents make up are in no name of a span and in no label', async (t) => {
  const traced = await startTraced(t);
  const { gate } = traced;
  const agent = await gate.token('agent', 'crm-bot');
  const made = 'made-up-by-an-agent';
  for (const path of [`/${made}`, `/approvals/${made}`, `/v1/${made}`, `/v1/actions/${made}`, `/mcp/${made}`])
    await gate.call(agent, 'GET', path);
  await fetch(`${gate.gate().url}/inbox`, { method: 'MADEUP' });
  const client = await traced.client(agent);
  await client.callTool({ name: made, arguments: {} }).catch(() => undefined);
  await client.callTool({ name: 'echo', arguments: { [made]: 1 } });
  const { body } = await gate.call(null, 'GET', '/metrics');
  assert.match(body, /countersign_http_request_seconds_count\{[^}]*route="\/approvals\/:id"/);
  assert.doesNotMatch(body, /made-up|MADEUP/);
  const spans = await traced.ended();
  assert.ok(
    spans.some(({ name }) => name === 'tools/call'),
    'a tool that nobody pinned has no name',
  );
  assert.doesNotMatch(JSON.stringify(spans), /made-up|MADEUP/);
});

/** Every secret of a configuration, each recognisable. */
const secrets = {
  header: 'hdr-5f1c0d-traces',
  webhook: `whsec_${Buffer.from('webhook-secret-of-the-test-gate').toString('base64')}`,
  upstream: 'upstream-bearer-7d1e',
  variable: 'variable-of-a-process-93ab',
  callback: `whsec_${Buffer.from('callback-secret-of-the-test-gate').toString('base64')}`,
  // Percent-encoded where it stands in an address.
  smtp: 'p@ss/of:smtp!77',
};

for (const format of ['json', 'text'] as const)
  test(`no secret leaves in a line, a metric or a span, whatever fails (${format})`, async (t) => {
    const collector = await startCollector();
    collector.status = 200;
    // An upstream that gives its credentials back in every way it can.
    const upstream = createServer((request, response) => {
      const given = String(request.headers.authorization);
      response.writeHead(500, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({
          jsonrpc: '2.0',
          id: 1,
          error: { code: -1, message: `no ${given} ${secrets.upstream}` },
        }),
      );
    });
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    // A server that listens on a port has an address with one.
    const { port } = upstream.address() as AddressInfo;
    const said: string[] = [];
    const leaks = `console.error('started with ' + process.env.LEAK); process.exit(1)`;
    const gate = await startTestGate({
      config: `
people: [{ id: sam, name: Sam, groups: [platform] }, { id: rosa, name: Rosa, groups: [data-owners] }]
agents: [{ id: crm-bot, owners: [sam] }]
roles: { operators: platform }
logging: { format: ${format}, level: debug }
telemetry: { traces: { url: "${collector.url}", headers: { x-key: "${secrets.header}" } } }
channels:
  webhook: { url: "http://127.0.0.1:1/hook", secret: "${secrets.webhook}" }
  email: { url: "smtp://gate:${encodeURIComponent(secrets.smtp)}@127.0.0.1:1", from: gate@example.com, to: all@example.com }
callbacks: { hosts: [flows.example.com], secret: "${secrets.callback}" }
servers:
  up: { url: "http://127.0.0.1:${port}/mcp", headers: { authorization: "Bearer ${secrets.upstream}" } }
  proc: { command: [${JSON.stringify(process.execPath)}, -e, ${JSON.stringify(leaks)}], env: { LEAK: "${secrets.variable}" } }
operations:
  shop___refund: { input: { type: object, properties: { note: { type: string } } } }
`,
      policies: `@id("all") permit (principal, action, resource);
@id("refunds") @approvers("data-owners") forbid (principal, action == Action::"shop___refund", resource);`,
      say: (line) => said.push(line),
    });
    t.after(async () => {
      await collector.close();
      upstream.close();
      upstream.closeAllConnections();
    });
    const agent = await gate.token('agent', 'crm-bot');
    const person = await gate.token('person', 'rosa');
    const input = 'input-that-stays-inside';
    const held = await gate.call(agent, 'POST', '/v1/actions', {
      operation: 'shop___refund',
      input: { note: input },
      reason: 'reason-that-stays-inside',
    });
    assert.equal(held.status, 202);
    for (const server of ['up', 'proc']) {
      const hello = { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } } }; // prettier-ignore
      await gate.call(agent, 'POST', `/mcp/${server}`, hello, {
        accept: 'application/json, text/event-stream',
      });
    }
    await gate.call(`${agent}x`, 'GET', '/v1/agents');
    // What a driver or a stack could say.
    gate
      .gate()
      .say(`fault: connect postgres://gate:${secrets.smtp}@db/x failed, Authorization: Bearer ${person}`);
    gate.gate().say(`${JSON.stringify(secrets)} ${encodeURIComponent(secrets.smtp)} ${agent}`);
    await eventually(() => said.some((line) => line.includes('started with')), 'what the process said');
    await eventually(
      async () =>
        /countersign_channel_failing\{channel="email"\} 1/.test(
          (await gate.call(null, 'GET', '/metrics')).body,
        ),
      'a channel that fails',
    );
    const { body: metrics } = await gate.call(null, 'GET', '/metrics');
    await gate.stop();
    assert.ok(collector.spans.length > 3);
    assert.equal(collector.headers[0]?.['x-key'], secrets.header, 'the collector is who gets it');
    const bodies = Buffer.concat(collector.bodies).toString('latin1');
    const kept = [...Object.values(secrets), encodeURIComponent(secrets.smtp), agent, person, 'reason-that-stays-inside', input]; // prettier-ignore
    for (const [where, text] of [
      ['lines', said.join('\n')],
      ['metrics', metrics],
      ['spans', bodies],
    ] as const)
      // prettier-ignore
      for (const secret of kept) assert.ok(!text.includes(secret), `${secret} in ${where}`);
    const answered = said.filter((line) => line.includes('/v1/actions'));
    assert.ok(answered.length > 0, 'requests are told at level debug');
    if (format === 'json') for (const line of said) assert.equal(typeof JSON.parse(line).msg, 'string', line);
  });

test('a collector that never answers, and one that is not there: nothing waits for it, and what it costs has an end', async (t) => {
  const collector = await startCollector();
  collector.status = null;
  t.after(() => collector.close());
  for (const url of [collector.url, 'http://127.0.0.1:1/v1/traces']) {
    const meters = createMeters();
    const settings = { url, headers: {}, sample: 1, people: false };
    const tracing = createTracing({ settings, meters, resource: {}, say: () => undefined });
    const many = exportLimits.queuedMax + 2 * exportLimits.batchMax;
    for (let count = 0; count < many; count += 1) tracing.start({ name: 'x', kind: 'internal' }).end();
    await tracing.stop();
    const counted = await meters.registry.getSingleMetricAsString('countersign_spans_total');
    const of = (result: string): number =>
      Number(new RegExp(`result="${result}"\\} (\\d+)`).exec(counted)?.[1] ?? 0);
    assert.ok(of('dropped') > 0, counted);
    assert.equal(of('exported'), 0);
    assert.equal(of('dropped') + of('failed'), many, 'each is accounted for');
  }
});
