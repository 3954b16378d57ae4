/**
 * A gate that stands still (SIGSTOP, a frozen machine) between the start of a run and its effect. Others take it for gone after a
 * while and mark the run as lost; people may settle it, or approve the same again. When it goes on, nothing of it may begin.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { keepAlive } from '../../src/app/alive.ts';
import type { Command } from '../../src/core/command.ts';
import { gateLimits } from '../../src/core/runner.ts';
import type { GateRow } from '../../src/ports/gates.ts';
import { command, permitAll, root, startTestGate } from '../enforce/mcp/support/gate.ts';
import { textOf } from '../enforce/mcp/support/modern.ts';
import { body } from '../store/contract-gates.ts';
import { eventually } from '../support/gate.ts';

/** The steady clock, which goes on while a process stands still. */
function steadyClock(t: TestContext): (ms: number) => void {
  let laterMs = 0;
  const now = performance.now.bind(performance);
  t.mock.method(performance, 'now', () => now() + laterMs);
  return (ms) => void (laterMs += ms);
}

for (const lives of [false, true])
  test(`attack: a minute passes between a start and its effect at a gate that ${lives ? 'lives' : 'was given up'}`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'countersign-silent-'));
    const log = join(folder, 'calls');
    const gate = await startTestGate({
      servers: {
        fix: command([process.execPath, `${root}test/enforce/mcp/support/fixture.ts`], { FIXTURE_LOG: log }),
      },
      policies: permitAll,
    });
    try {
      const { client } = await gate.client('fix');
      await client.listTools();
      const stand = steadyClock(t);
      const change = gate.store.change.bind(gate.store);
      const joinKey = gate.store.joinKey.bind(gate.store);
      let started = false;
      Object.assign(gate.parts, { lives: () => lives });
      Object.assign(gate.store, {
        change: async (asked: Command, ...more: [never?, never?]) => {
          const result = await change(asked, ...more);
          started ||= asked.kind === 'ask';
          return result;
        },
        // The last that an effect asks before it looks for its upstream.
        joinKey: () => {
          if (started) queueMicrotask(() => stand(60_000));
          return joinKey();
        },
      });
      const said = textOf(await client.callTool({ name: 'write', arguments: { text: 'x' } }));
      const ran = /"args"/.test(readFileSync(log, 'utf8'));
      assert.equal(ran, lives);
      if (!lives) assert.match(said, /silent for so long/);
      const type = lives ? 'execution.succeeded' : 'execution.failed';
      await eventually(async () => (await gate.entries(type)).length === 1, 'its end is written');
    } finally {
      await gate.close();
      await rm(folder, { recursive: true });
    }
  });

test('attack: a gate that stood still does not think that it lives before it has said so again', async (t) => {
  const stand = steadyClock(t);
  let away = false;
  const row: GateRow = { id: 'a', startedAtMs: 1, steadyAtMs: 1, silentMs: 0, body: body('one') };
  const alive = await keepAlive({
    store: {
      shared: true,
      beat: () => Promise.resolve(away ? null : [row]),
      leave: () => Promise.resolve(),
      orphans: () => Promise.resolve([]),
      change: () => Promise.reject(new Error('nothing is lost')),
    },
    gate: 'a',
    body: () => body('one'),
    say: () => undefined,
  });
  assert.equal(alive.lives(), true);
  stand(gateLimits.goneMs);
  assert.equal(alive.lives(), false, 'others may have taken it for gone');
  away = true;
  await alive.now();
  assert.equal(alive.lives(), false, 'what was not written was not said');
  away = false;
  await alive.now();
  assert.equal(alive.lives(), true);
  await alive.stop();
});
