/**
 * One notice against all others of its channel: a receiver that breaks of it, words that cannot be made, a delivery that never
 * ends. An agent chooses what its actions say, so it must not choose whether people are told of anybody else's.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unfinished } from '../../src/app/delivery.ts';
import { keepNotices } from '../../src/app/notices.ts';
import type { Case } from '../../src/core/case.ts';
import type { ApprovalId } from '../../src/core/ids.ts';
import { err, ok } from '../../src/core/result.ts';
import type { Channel, ChannelFailure, Delivered, Told } from '../../src/ports/channel.ts';
import { keptOf, minuteMs, withRig, type Rig } from '../app/posting-rig.ts';

/** What a receiver that goes down is known by: the whole of it cannot be reached. */
const broken: ChannelFailure = { detail: 'the connection was reset', retryable: true, whole: true };

interface World extends Rig {
  /** Approvals that the receiver was told of, once for each time. */
  readonly arrived: ApprovalId[];
  /** Time passes, and the loop looks at what is due. */
  readonly passes: (ms: number) => Promise<void>;
}

/** A webhook that answers as a test says. */
const withWebhook = (
  of: {
    readonly answers?: (told: Told, rig: Rig) => Delivered | Promise<Delivered>;
    readonly headlineOf?: (held: Case) => string;
    /** Whoever looks at the clock finds it later than before. */
    readonly ticks?: boolean;
  },
  work: (world: World) => Promise<void>,
): Promise<void> =>
  withRig(
    async (rig) => {
      const { answers = (): Delivered => ok([]), headlineOf = (): string => 'The headline' } = of;
      const arrived: ApprovalId[] = [];
      const channel: Channel = {
        name: 'webhook',
        async deliver(told) {
          const answer = await answers(told, rig);
          const approval = told.case.approval?.id;
          if (answer.ok && approval !== undefined) arrived.push(approval);
          return answer;
        },
      };
      const waking = await rig.open();
      const clock = {
        nowMs: () => {
          if (of.ticks === true) rig.later(1);
          return rig.parts.clock.nowMs();
        },
      };
      const kept = keptOf(rig, (parts) => keepNotices({ ...parts, clock }, [channel], headlineOf));
      const wakes = () =>
        rig.parts.store.change({
          kind: 'fallBack',
          approval: waking,
          notice: 'approval.reviewed',
          from: 'a',
          detail: 'b',
          attempts: 0,
          to: 'nobody',
        });
      await kept.idle();
      await work(
        Object.assign(rig, {
          arrived,
          async passes(ms: number) {
            rig.later(ms);
            await wakes();
            await kept.idle();
          },
        }),
      );
      await kept.stop();
    },
    ['webhook'],
  );

/** The receiver breaks of whatever is said of these, and of nothing else. */
const breaksOf = (poison: ReadonlySet<ApprovalId>) => ({
  answers: ({ case: held }: Told): Delivered =>
    held.approval !== null && poison.has(held.approval.id) ? err(broken) : ok([]),
});

test('a receiver that breaks of one notice is told of all others', () => {
  const poison = new Set<ApprovalId>();
  return withWebhook(breaksOf(poison), async ({ open, passes, arrived }) => {
    poison.add(await open());
    const others = [await open(), await open(), await open()];
    await passes(0);
    for (let tries = 0; tries < 4; tries += 1) await passes(minuteMs);
    for (const other of others) assert.ok(arrived.includes(other), 'it was told of the others');
  });
});

test('thirty such notices do not hold up one that comes after them', () => {
  const poison = new Set<ApprovalId>();
  return withWebhook(breaksOf(poison), async ({ open, passes, arrived }) => {
    for (let at = 0; at < 30; at += 1) poison.add(await open());
    await passes(0);
    for (let tries = 0; tries < 5; tries += 1) await passes(minuteMs);
    const late = await open();
    await passes(0);
    for (let tries = 0; tries < 2; tries += 1) await passes(minuteMs);
    assert.ok(arrived.includes(late), 'what is new is tried first');
  });
});

test('a notice that cannot even be put into words holds up no other', () => {
  const poison = new Set<ApprovalId>();
  const headlineOf = (held: Case): string => {
    if (held.approval !== null && poison.has(held.approval.id)) throw new TypeError('no words for it');
    return 'The headline';
  };
  return withWebhook({ headlineOf }, async ({ open, passes, arrived }) => {
    poison.add(await open());
    const others = [await open(), await open()];
    await passes(0);
    for (const other of others) assert.ok(arrived.includes(other));
  });
});

test('a delivery that always has more to do leaves time for the others', () => {
  const endless = new Set<ApprovalId>();
  const said: string[] = [];
  const answers = ({ case: held }: Told, rig: Rig): Delivered => {
    const isEndless = held.approval !== null && endless.has(held.approval.id);
    said.push(isEndless ? 'more' : 'other');
    // It takes all the time that one delivery may, and there is more of it, for as long as the test runs.
    if (isEndless && said.length < 20) rig.later(40_000);
    return isEndless && said.length < 20 ? err(unfinished) : ok([]);
  };
  return withWebhook({ answers, ticks: true }, async ({ open, passes }) => {
    said.length = 0;
    endless.add(await open());
    for (let others = 0; others < 3; others += 1) await open();
    for (let tries = 0; tries < 3; tries += 1) await passes(1000);
    const others = said.flatMap((one, at) => (one === 'other' ? [at] : []));
    assert.ok((others[2] ?? said.length) < 7, said.join(' '));
  });
});

test('whoever waited behind others is tried again as soon as anybody, where the first try fails', () => {
  const failed = new Set<ApprovalId>();
  let last: ApprovalId | undefined;
  const answers = ({ case: held }: Told, rig: Rig): Delivered => {
    rig.later(10_000);
    if (held.approval === null || held.approval.id !== last || failed.has(last)) return ok([]);
    failed.add(last);
    return err({ detail: 'it answered 503', retryable: true });
  };
  return withWebhook({ answers }, async ({ open, passes, arrived }) => {
    // Nothing is taken before all of them are there: the loop is at the first one.
    for (let others = 0; others < 14; others += 1) await open();
    last = await open();
    for (let tries = 0; tries < 16 && failed.size === 0; tries += 1) await passes(0);
    assert.equal(failed.size, 1);
    await passes(5000);
    await passes(5000);
    assert.ok(arrived.includes(last), 'it was given another try within ten seconds');
  });
});
