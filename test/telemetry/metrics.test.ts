/** `/metrics` of a whole gate, and docs/metrics.md beside it: what is counted when something happens, and that the page has every name. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { counterHelp, gaugeHelp, histogramHelp, prefix } from '../../src/telemetry/catalogue.ts';
import { createMeters } from '../../src/telemetry/meters.ts';
import { eventually, startTestGate, type TestGate } from '../support/gate.ts';
import { root } from '../support/source.ts';

const page = readFileSync(join(root, 'docs/metrics.md'), 'utf8');
/** Names in the first column of the page's tables. */
const documented = [...page.matchAll(/^\| `([a-z_]+)` \|/gm)].map((row) => row[1] ?? '');

async function scrape(
  gate: TestGate,
): Promise<{ readonly text: string; readonly of: (series: string) => number }> {
  // An answer is kept for a second.
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const text = String((await gate.call(null, 'GET', '/metrics')).body);
  return {
    text,
    of: (series) => {
      const row = text.split('\n').find((line) => line.startsWith(`${series} `));
      return row === undefined ? Number.NaN : Number(row.slice(series.length + 1));
    },
  };
}

test('asks, reviews, runs, refusals, failures to sign in and requests are counted, each once', async (t) => {
  const gate = await startTestGate();
  t.after(() => gate.stop());
  const [agent, rosa, sam] = [
    await gate.token('agent', 'crm-bot'),
    await gate.token('person', 'rosa'),
    await gate.token('person', 'sam'),
  ];
  const ask = (cents: number, key?: string) =>
    gate.call(agent, 'POST', '/v1/actions', { operation: 'shop___refund', input: { cents } }, key === undefined ? {} : { 'idempotency-key': key }); // prettier-ignore
  const before = await scrape(gate);
  assert.equal(before.of('countersign_approvals_pending'), 0);
  assert.equal(before.of('countersign_approvals_oldest_seconds'), 0);
  await ask(1);
  await ask(1_000_000);
  const held = (await ask(500, 'the-same')).body;
  await ask(500, 'the-same'); // a repeat of the request
  const path = `/v1/approvals/${held.approval.id}/reviews`;
  const said = { decision: 'approve', digest: held.digest };
  assert.equal((await gate.call(sam, 'POST', path, said)).status, 403, 'its owner');
  await gate.call(rosa, 'POST', path, said, { 'idempotency-key': 'r' });
  await gate.call(rosa, 'POST', path, said, { 'idempotency-key': 'r' });
  const execution = (await gate.call(agent, 'POST', `/v1/actions/${held.id}/execution`)).body.id;
  await gate.call(agent, 'PUT', `/v1/executions/${execution}/outcome`, { status: 'succeeded' });
  const other = (await ask(600)).body;
  await gate.call(agent, 'POST', `/v1/approvals/${other.approval.id}/cancel`, {});
  await gate.call('cs_agent_nobody', 'GET', '/v1/agents');
  await ask(700);
  const { of, text } = await scrape(gate);
  const all: readonly (readonly [series: string, value: number])[] = [
    ['countersign_verdicts_total{effect="allow",mode="enforce"}', 1],
    ['countersign_verdicts_total{effect="deny",mode="enforce"}', 1],
    ['countersign_verdicts_total{effect="review",mode="enforce"}', 3],
    ['countersign_asks_joined_total', 1],
    ['countersign_refusals_total{command="review",code="no_self_approval"}', 1],
    ['countersign_reviews_total{decision="approve",channel="api"}', 1],
    ['countersign_approvals_ended_total{status="approved"}', 1],
    ['countersign_approvals_ended_total{status="cancelled"}', 1],
    ['countersign_decision_seconds_count{status="approved"}', 1],
    ['countersign_approved_to_run_seconds_count', 1],
    ['countersign_executions_total{status="succeeded",enforcement="cooperative"}', 1],
    ['countersign_execution_seconds_count{enforcement="cooperative"}', 1],
    ['countersign_authentication_failures_total{how="bearer"}', 1],
    ['countersign_http_request_seconds_count{method="POST",route="/v1/actions",status="202"}', 4],
    ['countersign_approvals_pending', 1],
    ['countersign_store_writable', 1],
    ['countersign_gates_alive', 1],
    ['countersign_log_damaged', 0],
  ];
  for (const [series, value] of all) assert.equal(of(series), value, `${series}\n${text}`);
  assert.ok(of('countersign_approvals_oldest_seconds') > 0);
  assert.ok(of('countersign_store_flush_seconds_count') > 0);
  assert.ok(of('countersign_store_flushes_total{result="ok"}') > 0);
  assert.ok(of('process_resident_memory_bytes') > 0);
  await eventually(
    async () => (await scrape(gate)).of('countersign_tree_behind_entries') === 0,
    'a whole tree',
  );
  assert.equal((await scrape(gate)).of('countersign_tree_held'), 1);
  assert.doesNotMatch(text, /act_|apr_|exe_|gte_|crm-bot|rosa|refund/, 'no id and no name');
  // Every name that a gate says is on the page.
  const names = [...text.matchAll(/^# TYPE (\S+) /gm)].map((row) => row[1] ?? '');
  assert.ok(names.length > 40);
  assert.deepEqual(
    names.filter((name) => !documented.includes(name)),
    [],
  );
  assert.equal(new Set(names).size, names.length, 'each is there once');
});

/** Metrics that only some gates have: of chats, places, servers, PostgreSQL. */
const ofSome: ReadonlySet<string> = new Set([
  'countersign_presses_total', 'countersign_deliveries_total', 'countersign_channel_failing', 'countersign_notices_waiting',
  'countersign_notices_oldest_seconds', 'countersign_shipping_behind_entries', 'countersign_shipping_failing',
  'countersign_upstream_up', 'countersign_upstream_sessions', 'countersign_standby_synchronous', 'countersign_gates_alive', 'countersign_gates_differ',
  'countersign_log_entries', 'countersign_tree_behind_entries', 'countersign_tree_checkpoint_age_seconds', 'countersign_tree_problem',
  'countersign_log_damaged', 'countersign_approvals_pending', 'countersign_approvals_oldest_seconds',
  'countersign_event_loop_delay_seconds', 'process_cpu_seconds_total', 'process_resident_memory_bytes',
  'process_start_time_seconds', 'nodejs_heap_size_used_bytes',
]); // prettier-ignore

test('docs/metrics.md has each metric once, and none that there is not', () => {
  const ours = [
    ...Object.keys(counterHelp).map((name) => `${prefix}${name}_total`),
    ...Object.keys(histogramHelp).map((name) => prefix + name),
    ...Object.keys(gaugeHelp).map((name) => prefix + name),
    ...ofSome,
  ];
  assert.deepEqual(documented.toSorted(), ours.toSorted());
});

test('the rules for alerts name metrics that there are', () => {
  const text = readFileSync(join(root, 'setup/prometheus/rules.yaml'), 'utf8');
  const { groups } = parse(text) as {
    readonly groups: readonly { readonly rules: readonly { readonly expr: string }[] }[];
  };
  const used = groups.flatMap(({ rules }) =>
    rules.flatMap(({ expr }) => expr.match(/countersign_[a-z_]+/g) ?? []),
  );
  assert.ok(used.length > 10);
  const base = (name: string): string =>
    documented.includes(name) ? name : name.replace(/_(?:bucket|count|sum)$/, '');
  assert.deepEqual(
    used.filter((name) => !documented.includes(base(name))),
    [],
  );
});

test('a metric has a bounded number of series, whatever is counted', async () => {
  const meters = createMeters();
  for (let made = 0; made < 3000; made += 1)
    meters.observe('http_request_seconds', 1, { method: 'GET', route: `/${made}`, status: '200' });
  const text = await meters.registry.getSingleMetricAsString('countersign_http_request_seconds');
  assert.ok((text.match(/_count\{/g)?.length ?? 0) <= 501);
  assert.match(text, /_count\{method="other",route="other",status="other"\} 2500/);
});
