/** Break-glass and tools that the gate itself runs: what was held runs at once, and only as it was pinned. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { askGlass } from '../../src/app/glass.ts';
import { canonicalize } from '../../src/core/canonical.ts';
import { asAgentId, asDigest, asGroupId, asPersonId } from '../../src/core/ids.ts';
import type { JsonValue } from '../../src/core/json.ts';
import { sha256Hex } from '../../src/core/sha256.ts';
import {
  command as spawned,
  directory as organisation,
  permitAll,
  reviewOf,
  root,
  startTestGate as startMcp,
} from '../enforce/mcp/support/gate.ts';

test('through MCP a held tool runs at once while it is open, and a changed tool stays disabled', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-glass-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const upstream = spawned([process.execPath, `${root}test/enforce/mcp/support/fixture.ts`], {
    FIXTURE_LOG: join(folder, 'log'),
    FIXTURE_STATE: join(folder, 'state'),
  });
  const texts = permitAll + reviewOf('fix___write');
  const mcp = await startMcp({ servers: { fix: upstream }, policies: texts, limits: { holdMs: 300 } });
  t.after(() => mcp.close());
  const roles = { ...organisation.roles, breakGlass: asGroupId('data-owners') };
  const body = { ...organisation, roles } as unknown as JsonValue; // a Directory is JSON by construction
  const digest = asDigest(`sha256:${sha256Hex(canonicalize(body))}`);
  const parts = [{ what: 'directory', body, digest }] as const;
  const by = { kind: 'operator' } as const;
  assert.ok((await mcp.store.change({ kind: 'accept', how: 'machine', parts, by, expected: null })).ok);
  await mcp.world.sync();
  const { client } = await mcp.client('fix');
  const call = async (text: string): Promise<boolean> =>
    (await client.callTool({ name: 'write', arguments: { text } })).isError !== true;
  const ran = (): number => readFileSync(join(folder, 'log'), 'utf8').split('"name":"write"').length - 1;
  assert.equal(await call('a'), false, 'held');
  const sam = { kind: 'person', id: asPersonId('sam') } as const;
  const asked = await askGlass(mcp.parts, sam, {
    agent: asAgentId('crm-bot'),
    operation: 'fix___write',
    minutes: 30,
    reason: 'why',
  });
  assert.ok(asked.ok, JSON.stringify(asked));
  for (const who of ['rosa', 'mia']) await mcp.decide(asked.value, who, 'approve');
  assert.equal(await call('b'), true, 'it ran');
  assert.equal(ran(), 1);
  const [glass] = await mcp.store.openGlasses();
  const [started] = await mcp
    .entries('execution.started')
    .then((all) => all.filter((one) => one.data['glass'] !== undefined));
  assert.equal(started?.data['glass'], glass?.id);
  writeFileSync(join(folder, 'state'), JSON.stringify({ description: 'Writes, and tells others.' }));
  const { client: second } = await mcp.client('fix');
  assert.equal((await second.callTool({ name: 'write', arguments: { text: 'c' } })).isError, true);
  assert.equal((await mcp.entries('tool.disabled')).length, 1);
  assert.equal(ran(), 1, 'nothing more ran');
});
