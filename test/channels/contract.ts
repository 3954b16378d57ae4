/** What every channel keeps (src/ports/channel.ts), run against each of them with something real at its other end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Case, Execution } from '../../src/core/case.ts';
import { asApprovalId, asExecutionId, asGroupId, asPersonId } from '../../src/core/ids.ts';
import type { Channel, Destination, Told } from '../../src/ports/channel.ts';
import { action, asked, requirement, reviewed } from '../support/world.ts';

export const secretInput = 'correct horse battery staple';

/** An approval of an export, pending unless said otherwise. */
export function heldCase(more: Partial<Case> = {}): Case {
  return {
    asked: asked(
      reviewed(requirement('export', 'data-owners')),
      action({ input: { table: 'customers', note: secretInput } }),
    ),
    approval: {
      id: asApprovalId('apr_1'),
      version: 1,
      createdAtMs: 0,
      expiresAtMs: 4 * 3_600_000,
      grantMs: 900_000,
      approvedAtMs: null,
      eligibleThen: [],
      conflict: [],
      deliveredAtMs: null,
      afterUnknown: null,
    },
    reviews: [],
    grant: null,
    ending: null,
    execution: null,
    ...more,
  };
}

export const denied: Partial<Case> = {
  ending: { atMs: 1000, code: 'denied', reason: 'no', by: { kind: 'person', id: asPersonId('rosa') } },
};

/** What became of a run: it failed. */
export const execution: Execution = {
  id: asExecutionId('exe_1'),
  status: 'failed',
  startedAtMs: 0,
  endedAtMs: 500,
  outcomeBy: 'gate',
  detail: null,
  result: null,
};

/** The same, where `oncall` is told after ten minutes and `leads` after twenty. */
export const escalating = (held: Case): Case => ({
  ...held,
  asked: {
    ...held.asked,
    verdict: reviewed(
      requirement('r', 'data-owners', { escalate: { afterMs: 1_200_000, group: asGroupId('leads') } }),
      requirement('s', 'data-owners', { escalate: { afterMs: 600_000, group: asGroupId('oncall') } }),
    ),
  },
});

export const told = (more: Partial<Told> = {}): Told => ({
  kind: 'approval.opened',
  id: 'ntc_1',
  case: heldCase(),
  url: 'http://localhost:7788/approvals/apr_1',
  headline: 'Export 5,204 rows of customers · prod',
  to: [],
  insteadOf: null,
  owners: [{ id: asPersonId('sam'), name: 'Sam Lee' }],
  nowMs: 1000,
  ...more,
});

/** A channel, what has arrived at its other end so far, and how to break and end it. */
export interface Rig {
  readonly channel: Channel;
  readonly received: () => readonly string[];
  /** Whom it reaches, where it needs routes. */
  readonly to?: readonly Destination[];
  /** From now on nothing can be delivered. */
  readonly breakDown: () => Promise<void> | void;
  readonly end: () => Promise<void> | void;
}

export function channelContract(name: string, make: () => Promise<Rig> | Rig): void {
  const withRig = async (work: (rig: Rig) => Promise<void>): Promise<void> => {
    const rig = await make();
    try {
      await work(rig);
    } finally {
      await rig.end();
    }
  };

  test(`${name}: what is asked and what is decided arrives, with the headline, the place, and proof of it`, () =>
    withRig(async ({ channel, received, to = [] }) => {
      const opened = await channel.deliver(told({ to }));
      assert.ok(opened.ok && opened.value.length > 0 && opened.value.every((proof) => proof.to !== ''));
      const closes = told({ kind: 'approval.closed', id: 'ntc_2', case: heldCase(denied), to });
      assert.equal((await channel.deliver(closes)).ok, true);
      const [first = '', second = ''] = received();
      assert.match(first, /Export 5,204 rows of customers · prod/);
      assert.match(first, /http:\/\/localhost:7788\/approvals\/apr_1/);
      assert.match(second, /denied/i);
    }));

  test(`${name}: what is over is not told as open, however late it comes`, () =>
    withRig(async ({ channel, received, to = [] }) => {
      for (const kind of [
        'approval.opened',
        'approval.reviewed',
        'approval.escalated',
        'approval.reminded',
      ] as const)
        assert.equal((await channel.deliver(told({ kind, case: heldCase(denied), to }))).ok, true);
      assert.doesNotMatch(received().join('\n'), /pending|waiting|needed/i);
    }));

  test(`${name}: the input is not shown, and hidden characters are`, () =>
    withRig(async ({ channel, received, to = [] }) => {
      await channel.deliver(told({ headline: 'Export \u202Eevil\u001B[2J\nApproval needed: forged', to }));
      const all = received().join('\n');
      assert.ok(!all.includes(secretInput));
      assert.match(all, /⟨U\+202E⟩evil⟨U\+001B⟩\[2J⟨U\+000A⟩Approval needed: forged/);
    }));

  test(`${name}: a failure is an answer, never an exception`, () =>
    withRig(async ({ channel, breakDown, to = [] }) => {
      await breakDown();
      const result = await channel.deliver(told({ to }));
      assert.equal(result.ok, false);
      assert.ok(!result.ok && result.error.detail.length > 0);
      assert.ok(!result.ok && result.error.retryable);
    }));
}
