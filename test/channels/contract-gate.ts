/**
 * What every channel keeps as a part of a whole gate, with something real at its other end: whoever is asked is told, every copy
 * tells the truth afterwards from whichever surface it was decided, nothing is told twice or too late, and while it fails the web
 * inbox works and says so. Run for the web itself, Slack, Teams, webhook, e-mail and the fake (gate-*.test.ts).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Settings } from '../../src/config.ts';
import { asApprovalId } from '../../src/core/ids.ts';
import type { GateHooks } from '../../src/main.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { eventually, operations, people, startTestGate, type TestGate } from '../support/gate.ts';

/** What can be seen at one place now. */
export interface Copy {
  /** All of it, as text. */
  readonly text: string;
  /** Whether it tells of something that waits, or lets somebody decide. */
  readonly open: boolean;
}

export interface GateRig {
  /** Name on the board and in notices. */
  readonly name: string;
  /** More of the configuration. */
  readonly config?: string;
  readonly adapt?: (settings: Settings) => Settings;
  /** Asked at each start. */
  readonly platforms?: () => NonNullable<GateHooks['platforms']>;
  /** What there is about an approval now; of a channel that cannot take its words back, its last word at each place. */
  readonly copies: (gate: TestGate, approval: string) => Promise<readonly Copy[]>;
  /** How to stop and start what is at its other end; null where there is nothing between it and the gate. */
  readonly breaks: { readonly down: () => Promise<void>; readonly up: () => Promise<void> } | null;
  /** It writes to people, and not of each step: the first of two approvals is none of their business. */
  readonly quiet?: true;
  readonly end: () => Promise<void>;
}

const policies = `
@id("all") @title("Agents may act") permit (principal, action, resource);
@id("refund.two") @title("Refunds need two data owners") @approvers("data-owners") @quorum("2") @escalate("PT10M security")
forbid (principal, action == Action::"shop___refund", resource) when { context.input.cents > 100 };
`;

const minuteMs = 60_000;

interface World {
  readonly gate: TestGate;
  readonly rig: GateRig;
  /** Moves the gate's clock; what is due then is looked for at once. */
  readonly later: (ms: number) => Promise<void>;
  readonly ask: () => Promise<Held>;
  readonly review: (
    person: string,
    held: Held,
    decision: 'approve' | 'deny',
    reason?: string,
  ) => Promise<number>;
  readonly copies: (held: Held) => Promise<readonly Copy[]>;
  readonly cancel: (held: Held) => Promise<void>;
}

interface Held {
  readonly id: string;
  readonly digest: string;
}

async function withWorld(make: () => Promise<GateRig>, work: (world: World) => Promise<void>): Promise<void> {
  const rig = await make();
  let aheadMs = 0;
  const clock: Clock = { nowMs: () => Date.now() + aheadMs };
  const gate = await startTestGate({
    config: `${people}${operations}${rig.config ?? ''}`,
    policies,
    clock,
    ...(rig.adapt === undefined ? {} : { adapt: rig.adapt }),
    ...(rig.platforms === undefined ? {} : { platforms: rig.platforms }),
  }).catch(async (error: unknown) => {
    await rig.end();
    throw error;
  });
  let cents = 101;
  try {
    const agent = await gate.token('agent', 'crm-bot');
    const tokens = new Map<string, string>();
    const tokenOf = async (person: string): Promise<string> => {
      const known = tokens.get(person) ?? (await gate.token('person', person));
      tokens.set(person, known);
      return known;
    };
    const ask = async (): Promise<Held> => {
      cents += 1;
      const { status, body } = await gate.call(agent, 'POST', '/v1/actions', {
        operation: 'shop___refund',
        input: { cents },
        reason: 'as agreed',
      });
      assert.equal(status, 202, JSON.stringify(body));
      return { id: String(body.approval.id), digest: String(body.digest) };
    };
    await work({
      gate,
      rig,
      ask,
      copies: (held) => rig.copies(gate, held.id),
      async later(ms) {
        aheadMs += ms;
        // Whatever commits wakes everybody who looks for what is due.
        await ask();
      },
      async review(person, held, decision, reason) {
        const { status } = await gate.call(
          await tokenOf(person),
          'POST',
          `/v1/approvals/${held.id}/reviews`,
          {
            decision,
            digest: held.digest,
            ...(reason === undefined ? {} : { reason }),
          },
        );
        return status;
      },
      async cancel(held) {
        assert.equal((await gate.call(agent, 'POST', `/v1/approvals/${held.id}/cancel`, {})).status, 200);
      },
    });
  } finally {
    await gate.stop();
    await rig.end();
  }
}

const texts = (copies: readonly Copy[]): string => copies.map((one) => one.text).join('\n');

export function gateContract(name: string, make: () => Promise<GateRig>): void {
  const inWorld = (what: string, work: (world: World) => Promise<void>): void => {
    test(`${name}: ${what}`, () => withWorld(make, work));
  };
  const open = async (world: World): Promise<Held> => {
    const held = await world.ask();
    await eventually(async () => (await world.copies(held)).some((one) => one.open), 'it is told');
    return held;
  };
  const allClosed = async (world: World, held: Held, says: RegExp): Promise<void> => {
    await eventually(async () => {
      const copies = await world.copies(held);
      return copies.length > 0 && copies.every((one) => !one.open && says.test(one.text));
    }, `every copy says ${says}`);
  };

  inWorld('tell: what it is, where to look, once, and delivery is known', async (world) => {
    const held = await open(world);
    const copies = await world.copies(held);
    assert.equal(copies.length, 1, texts(copies));
    assert.match(texts(copies), /Refund/);
    assert.match(texts(copies), new RegExp(held.id));
    const { store } = world.gate.gate().parts;
    await eventually(
      async () => !(await store.noticesByChannel()).some((one) => one.channel === world.rig.name),
      'nothing is left to tell',
    );
    assert.deepEqual(await store.failingNotices(asApprovalId(held.id)), []);
  });

  inWorld('update: the first of two approvals is told, and it still waits', async (world) => {
    const held = await open(world);
    assert.equal(await world.review('rosa', held, 'approve'), 201);
    if (world.rig.quiet !== true)
      await eventually(
        async () => /1 of 2|by one/i.test(texts(await world.copies(held))),
        'the count is told',
      );
    assert.ok(
      (await world.copies(held)).every((one) => one.open),
      'and it is open still',
    );
    assert.equal(await world.review('mia', held, 'approve'), 201);
    await allClosed(world, held, /approved/i);
  });

  inWorld('withdraw: denied, cancelled or expired, no copy is open any more', async (world) => {
    const [denied, cancelled, expired] = [await open(world), await open(world), await open(world)];
    assert.equal(await world.review('rosa', denied, 'deny', 'wrong quarter'), 201);
    await allClosed(world, denied, /denied/i);
    await world.cancel(cancelled);
    await allClosed(world, cancelled, /cancelled|withdrawn/i);
    await world.later(5 * 60 * minuteMs);
    await eventually(
      async () =>
        (await world.gate.gate().parts.store.caseBy({ approval: asApprovalId(expired.id) }))?.ending !== null,
      'it expires',
    );
    await allClosed(world, expired, /expired/i);
  });

  inWorld('escalate: the second group is told when its time comes, and only then', async (world) => {
    const held = await open(world);
    assert.doesNotMatch(texts(await world.copies(held)), /escalated/i);
    await world.later(11 * minuteMs);
    await eventually(
      async () => /escalated|security/i.test(texts(await world.copies(held))),
      'it is escalated',
    );
    assert.equal(await world.review('rosa', held, 'deny'), 201);
    await allClosed(world, held, /denied/i);
  });

  inWorld(
    'failure: the inbox works, says so, and it is told once afterwards; what was decided meanwhile never as open',
    async (world) => {
      const { breaks } = world.rig;
      if (breaks === null) {
        // Nothing is between the gate and its own pages: they work as long as it does.
        const held = await world.ask();
        assert.equal((await world.copies(held)).length, 1);
        return;
      }
      const { store } = world.gate.gate().parts;
      await breaks.down();
      const [waits, over] = [await world.ask(), await world.ask()];
      await eventually(
        async () => (await store.failingNotices(asApprovalId(waits.id))).length > 0,
        'its failure is known',
      );
      assert.equal(await world.review('rosa', over, 'deny'), 201);
      const listed = await world.gate.call(
        await world.gate.token('person', 'rosa'),
        'GET',
        '/v1/approvals?status=pending',
      );
      assert.deepEqual(
        // What the API answers (design §8).
        (listed.body.items as readonly { readonly id: string }[]).map((one) => one.id),
        [waits.id],
        'people can decide without it',
      );
      await world.gate.restart();
      await breaks.up();
      // Until the next try is due.
      await world.later(6 * minuteMs);
      await eventually(
        async () => (await world.copies(waits)).some((one) => one.open),
        'it is told after all',
      );
      assert.equal((await world.copies(waits)).length, 1, 'once');
      assert.ok((await world.copies(over)).every((one) => !one.open));
      await eventually(
        async () => (await world.gate.gate().parts.store.failingNotices(asApprovalId(waits.id))).length === 0,
        'and nothing fails any more',
      );
    },
  );
}
