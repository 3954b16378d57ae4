/** The demo's policy folder: valid against what its servers declare, and its three cases come out as the demo tells them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readJson } from '../../src/core/read-json.ts';
import type { PolicyTexts } from '../../src/ports/policy.ts';
import { root } from '../support/source.ts';
import { asks, engineWith, noon, short, string, tool, world } from './support/world.ts';

const folder = `${root}/examples/demo/policies`;
const entities = readJson(readFileSync(`${folder}/entities.json`, 'utf8'));
const texts: PolicyTexts = {
  policies: [{ file: 'demo.cedar', text: readFileSync(`${folder}/demo.cedar`, 'utf8') }],
  schemas: [],
  entities: entities.ok ? entities.value : null,
};

const names = [...(texts.policies[0]?.text.matchAll(/Action::"(\w+?)___(\w+)"/g) ?? [])];
const inputs = {
  export_rows: tool(
    'export_rows',
    { table: string, format: string, destination: string },
    { required: ['table', 'format', 'destination'] },
  ),
  grant_role: tool(
    'grant_role',
    { principal: string, role: { enum: ['viewer', 'editor', 'admin'] }, scope: string, expires: string },
    { required: ['principal', 'role', 'scope'] },
  ),
};
const tools = [
  ...new Map(
    names.map(([whole, server = '', name = '']) => {
      const known = Object.entries(inputs).find(([each]) => each === name)?.[1] ?? tool(name, {});
      return [whole, { ...known, server, tool: name }];
    }),
  ).values(),
];

test('the demo is told as it is judged', async () => {
  const engine = await engineWith(texts, world({ tools }));
  assert.deepEqual((await engine.check(texts, world({ tools }))).problems, []);
  const verdict = (operation: string, input = {}) => engine.judge(asks(operation, input), noon, null);
  const rows = (table: string) =>
    verdict('ops___export_rows', { table, format: 'csv', destination: 'https://example.com' });
  const grant = (role: string) => verdict('ops___grant_role', { principal: 'crm-bot', role, scope: 'prod' });
  assert.equal(short(verdict('files___read_text_file')), 'allow');
  assert.equal(short(verdict('ops___list_customers')), 'allow');
  assert.equal(short(rows('customers')), 'review:export.customers');
  assert.equal(short(rows('orders')), 'allow');
  assert.equal(short(grant('admin')), 'review:grant.admin');
  assert.equal(short(grant('viewer')), 'allow');
  assert.equal(short(verdict('ops___delete_region')), 'forbidden');
  assert.equal(
    verdict('ops___delete_region').toldAgent,
    'Regions are deleted only by hand, in a change window.',
  );
  assert.equal(grant('admin').toldAgent, 'This action needs approval by security (2 people).');
});
