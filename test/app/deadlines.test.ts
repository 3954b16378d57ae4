/** Deadlines: one timer ends what is due, however much of it there is at once, and leaves what is not. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, operations, people, startTestGate, type TestGate } from '../support/gate.ts';

/** More than one round of the timer ends (app/deadlines.ts, `roundMax`). */
const many = 210;

let gate: TestGate;
let bot: string;
before(async () => {
  gate = await startTestGate({
    policies: `
@id("all") @title("Agents may act") permit (principal, action, resource);
@id("short") @title("Small refunds, soon") @approvers("data-owners") @ttl("PT5S")
forbid (principal, action == Action::"shop___refund", resource) when { context.input.cents <= 1000 };
@id("long") @title("Large refunds") @approvers("data-owners")
forbid (principal, action == Action::"shop___refund", resource) when { context.input.cents > 1000 };
`,
    config: `${people}${operations}limits: { pendingPerAgent: 1000, inbox: 1000, creationsPerMinute: 1000 }\n`,
  });
  bot = await gate.token('agent', 'crm-bot');
});
after(() => gate.stop());

const ask = async (cents: number): Promise<string> => {
  const { status, body } = await gate.call(bot, 'POST', '/v1/actions', {
    operation: 'shop___refund',
    input: { cents },
  });
  assert.equal(status, 202);
  return body.id as string; // what the API promises
};

test('hundreds that are due within moments are all ended, each with its entry; what has time keeps waiting', async () => {
  const { store } = gate.gate().parts;
  const size = (await store.head()).size;
  const [kept, ...due] = await Promise.all([
    ask(5000),
    ...Array.from({ length: many }, (_, index) => ask(index + 1)),
  ]);
  // What is over is shown as expired before the timer says so; an entry there is only once it has.
  const ended = async (): Promise<readonly string[]> => {
    const found: string[] = [];
    for (let from = size - 1; ;) {
      const entries = await store.entries(from, 1000);
      for (const { entry } of entries)
        if (entry.type === 'approval.expired') found.push(entry.about.action ?? '');
      const last = entries.at(-1);
      if (last === undefined) return found;
      from = last.entry.index;
    }
  };
  await eventually(async () => (await ended()).length >= many, 'all are ended', 60_000);
  assert.deepEqual((await ended()).toSorted(), due.toSorted());
  assert.deepEqual(
    (await store.held({ status: 'pending', limit: 1000 })).map((one) => one.asked.id),
    [kept],
  );
});
