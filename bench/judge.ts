/**
 * The judgement alone: the demo's policy set, its two servers' tools as they describe themselves, and two of its calls: one
 * that is allowed at once, and one that needs a person. In this process, as in the gate.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { asAgentId, asGroupId, asPersonId, asSha256Hex } from '../src/core/ids.ts';
import { checkJson } from '../src/core/check-json.ts';
import { isJsonObject, type JsonObject } from '../src/core/json.ts';
import { sha256Hex } from '../src/core/sha256.ts';
import type { PinnedTool } from '../src/core/tool.ts';
import { createPolicyEngine } from '../src/policy/engine.ts';
import type { Judgeable, PolicyTexts, PolicyWorld } from '../src/ports/policy.ts';
import { inOrder, type Measurement, type Table } from './measurement.ts';
import { fileOf } from './process.ts';
import { Series, summary } from './stats.ts';

/** Judgements in one sample: a single one is too short for the clock. */
const perSample = 10;
const samplesPerSlice = 60;

const folder = new URL('../examples/demo/policies/', import.meta.url);

function texts(): PolicyTexts {
  const ending = (end: string) =>
    readdirSync(folder)
      .filter((file) => file.endsWith(end))
      .toSorted()
      .map((file) => ({ file, text: readFileSync(new URL(file, folder), 'utf8') }));
  return { policies: ending('.cedar'), schemas: ending('.cedarschema'), entities: [] };
}

/** The tools of a server as it lists them. */
async function toolsOf(server: string, args: readonly string[]): Promise<readonly PinnedTool[]> {
  const client = new Client({ name: 'bench', version: '1' });
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args: [...args], stderr: 'ignore' }),
  );
  const { tools } = await client.listTools();
  await client.close();
  return tools.map((tool) => {
    const definition = jsonObject(tool);
    const hash = asSha256Hex(sha256Hex(JSON.stringify(definition)));
    return {
      server,
      tool: tool.name,
      status: 'enabled',
      hash,
      seenHash: hash,
      atMs: 0,
      definition,
      seen: null,
    };
  });
}

function jsonObject(value: unknown): JsonObject {
  const checked = checkJson(value);
  if (!checked.ok || !isJsonObject(checked.value)) throw new Error('A tool’s definition is no JSON object.');
  return checked.value;
}

async function world(): Promise<PolicyWorld> {
  const ops = await toolsOf('ops', [fileOf('../examples/ops-server/server.ts')]);
  const files = await toolsOf('files', [
    fileOf('../node_modules/@modelcontextprotocol/server-filesystem/dist/index.js'),
    fileOf('.'),
  ]);
  const group = asGroupId('data-owners');
  return {
    directory: {
      people: ['rosa', 'sam', 'mia', 'lee', 'nora'].map((id) => ({
        id: asPersonId(id),
        name: id,
        groups: [group],
      })),
      agents: [
        { id: asAgentId('crm-bot'), owners: [asPersonId('sam')], groups: [asGroupId('support-agents')] },
      ],
      roles: { operators: asGroupId('platform'), auditors: asGroupId('audit') },
    },
    servers: ['ops', 'files'],
    tools: [...ops, ...files],
    resourceTypes: { ops___export_rows: 'Table' },
    operations: [],
    versions: { policySet: 1, directory: 1, tools: 1 },
  };
}

const agent = asAgentId('crm-bot');
const allowed: Judgeable = {
  agent,
  operation: 'ops___list_customers',
  input: { limit: 20 },
  resource: { type: 'Server', id: 'ops' },
};
const held: Judgeable = {
  agent,
  operation: 'ops___export_rows',
  input: { table: 'customers', destination: 's3://support-exports/customers.csv' },
  resource: { type: 'Table', id: 'customers' },
};

export async function judge(): Promise<Measurement> {
  const engine = createPolicyEngine();
  const loaded = await engine.load(texts(), await world(), null);
  if (!loaded.ok) throw new Error(`The demo's policies do not load: ${loaded.error[0]?.message ?? ''}`);
  const variants = [
    { series: new Series('allow (list customers)'), action: allowed, effect: 'allow' },
    { series: new Series('review (export customers)'), action: held, effect: 'review' },
  ];
  const slice = (samples: number, { series, action, effect }: (typeof variants)[number]): void => {
    const micros: number[] = [];
    for (let at = 0; at < samples; at += 1) {
      const from = performance.now();
      for (let call = 0; call < perSample; call += 1) {
        const verdict = engine.judge(action, Date.now(), null);
        if (verdict.effect !== effect) throw new Error(`${action.operation}: ${verdict.explanation.text}`);
      }
      micros.push(((performance.now() - from) * 1000) / perSample);
    }
    series.slice(micros);
  };
  for (const variant of variants) {
    slice(samplesPerSlice, variant);
    variant.series.slices.length = 0;
  }
  return {
    name: 'judge',
    round: (backwards) =>
      inOrder(
        variants.map((variant) => async () => slice(samplesPerSlice, variant)),
        backwards,
      ),
    tables: (): readonly Table[] => [
      {
        title: 'Policy: one judgement with the demo’s set (extra)',
        method: 'Verdict with its explanation, in this process. A review is evaluated at least twice.',
        unit: 'µs',
        variants: variants.map((one) => summary(one.series)),
        comparisons: [],
        goals: [],
        notes: [`one sample is the mean of ${perSample} judgements`],
      },
    ],
    close: async () => undefined,
  };
}
