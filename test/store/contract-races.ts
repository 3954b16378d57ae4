/** The contract, last part: many at once. Whatever the order, one wins, and the log is dense. */
import assert from 'node:assert/strict';
import type { Command } from '../../src/core/command.ts';
import { approved, assertLog, caseOf, handle, hold, noOf, note, storeTest, type MakeBench } from './bench.ts';
import * as world from './world.ts';

export function racesContract(name: string, make: MakeBench): void {
  storeTest(`${name}: fifty claims race, one wins`, make, async (opened) => {
    const { store, raw } = opened;
    const second = await opened.open({ exclusive: false });
    try {
      const ask = await approved(opened);
      const claims = Array.from({ length: 50 }, () => world.claim(ask.asked.id, ask.asked.verdict));
      const answers = await Promise.all(claims.map((one, n) => (n % 2 === 0 ? store : second).change(one)));
      const won = answers.flatMap((answer, n) => (answer.ok ? [claims[n]?.execution] : []));
      assert.equal(won.length, 1);
      assert.equal(answers.filter((answer) => noOf(answer) === 'grant_consumed').length, 49);
      assert.equal((await store.caseBy({ action: ask.asked.id }))?.execution?.id, won[0]);
      const [count] = await raw('SELECT count(*) AS n FROM executions');
      assert.equal(Number(count?.['n']), 1);
      const types = await assertLog(store);
      assert.equal(types.filter((type) => type === 'execution.started').length, 1);
    } finally {
      await second.close();
    }
  });

  storeTest(
    `${name}: a claim that was judged before the last approval ends nothing`,
    make,
    async (opened) => {
      const { store } = opened;
      const ask = await approved(opened);
      const claim = world.claim(ask.asked.id, ask.asked.verdict);
      // Read while it waited, so nobody who has reviewed it since was asked about.
      const early = { ...claim, again: { ...claim.again, mayApprove: [] } };
      assert.equal(noOf(await store.change(early)), 'stale');
      assert.equal((await store.caseBy({ action: ask.asked.id }))?.ending, null);
      assert.equal(noOf(await store.change(claim)), 'ok');
    },
  );

  storeTest(`${name}: two reviewers race, one decides`, make, async (opened) => {
    for (let round = 0; round < 10; round += 1) {
      const { review } = await hold(opened);
      const decisions = [
        world.reviewOf(handle(review), world.rosa),
        world.reviewOf(handle(review), world.mia, round % 2 === 0 ? 'approve' : 'deny'),
      ];
      if (round % 3 === 0) decisions.reverse();
      const answers = (await Promise.all(decisions.map((one) => opened.store.change(one)))).map(noOf);
      const held = await opened.store.caseBy({ approval: review.approval });
      // A deny may still stop what was just approved; a second approve finds it closed.
      if (round % 2 === 0) assert.deepEqual(answers, ['ok', 'approval_closed']);
      assert.equal(held?.ending?.code ?? 'granted', round % 2 === 0 ? 'granted' : 'denied');
    }
    await assertLog(opened.store);
  });

  storeTest(`${name}: the same ask fifty times at once opens one approval`, make, async (opened) => {
    const second = await opened.open({ exclusive: false });
    try {
      const verdict = world.review(opened.versions);
      const asks = Array.from({ length: 50 }, () => world.ask(verdict, { input: { rows: 5 } }));
      const answers = await Promise.all(
        asks.map((one, n) => (n % 2 === 0 ? opened.store : second).change(one)),
      );
      assert.equal(new Set(answers.map((one) => caseOf(one).asked.id)).size, 1);
      assert.equal((await opened.store.held({ status: 'all', limit: 10 })).length, 1);
    } finally {
      await second.close();
    }
  });

  storeTest(`${name}: five hundred mixed changes leave a dense log and whole cases`, make, async (opened) => {
    const { store, versions } = opened;
    const review = world.review(versions);
    const commands = Array.from({ length: 500 }, (_, n): readonly Command[] => {
      const ask = world.ask(
        n % 5 === 0 ? review : n % 5 === 1 ? world.deny(versions) : world.allow(versions),
      );
      if (n % 5 === 0) {
        const approve = world.reviewOf(handle(ask), world.rosa);
        return [ask, approve, world.claim(ask.asked.id, review), world.claim(ask.asked.id, review)];
      }
      return n % 5 === 4 ? [note(n)] : [ask];
    });
    const answers = await Promise.all(
      commands.map(async (steps) => {
        const told: string[] = [];
        for (const one of steps) told.push(noOf(await store.change(one)));
        return told;
      }),
    );
    for (const [n, told] of answers.entries()) {
      assert.deepEqual(told, n % 5 === 0 ? ['ok', 'ok', 'ok', 'grant_consumed'] : ['ok']);
    }
    const types = await assertLog(store);
    const count = (type: string): number => types.filter((one) => one === type).length;
    assert.equal(count('action.asked'), 400);
    assert.equal(count('execution.started'), 100);
    const held = await store.held({ status: 'all', limit: 1000 });
    assert.equal(held.length, 100);
    for (const one of held) assert.equal(one.execution?.status, 'started');
  });
}
