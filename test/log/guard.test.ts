/** While the stored log is altered nothing is let run over it; what denies, reviews, ends or reports goes on. */
import assert from 'node:assert/strict';
import type { Command } from '../../src/core/command.ts';
import { asActionId, asDigest, executionIdOf } from '../../src/core/ids.ts';
import { whileWhole } from '../../src/log/guard.ts';
import { noOf, note, storeTest } from '../store/bench.ts';
import { sqliteBench } from '../store/sqlite-bench.ts';
import * as world from '../store/world.ts';

storeTest(
  'an altered log: nothing is asked to run, claimed or put in force',
  sqliteBench,
  async ({ store, versions }) => {
    let damage: string | null = 'entry 3 of the log was changed';
    const guarded = whileWhole(store, () => damage);
    const held = world.ask(world.review(versions));
    const apply: Command = {
      kind: 'applyChange',
      action: asActionId('act_x'),
      execution: executionIdOf(world.fresh()),
      candidate: {},
      base: asDigest('sha256:x'),
      touched: [],
      again: world.again(held.asked.verdict),
      expected: versions,
    };
    const runs = [
      world.ask(world.allow(versions)),
      world.ask(world.deny(versions), { mode: 'observe' }),
      held,
      world.claim(held.asked.id, held.asked.verdict),
      apply,
    ];
    const { size } = await store.head();
    for (const command of runs) assert.equal(noOf(await guarded.change(command)), 'fault', command.kind);
    assert.equal((await store.head()).size, size, 'nothing of it is written');
    assert.equal(
      noOf(await guarded.change(world.ask(world.deny(versions)))),
      'ok',
      'a no is recorded as ever',
    );
    assert.equal(noOf(await guarded.change(note(1))), 'ok');
    damage = null;
    assert.equal(noOf(await guarded.change(held)), 'ok', 'whole again');
    assert.notEqual(noOf(await guarded.change(apply)), 'fault');
  },
);
