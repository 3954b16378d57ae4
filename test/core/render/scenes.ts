/** Held cases for tests of rendering, opened by real steps on the small world of test/support/world.ts. */
import { askLimitDefaults } from '../../../src/core/stops.ts';
import assert from 'node:assert/strict';
import type { Action } from '../../../src/core/action.ts';
import { requirementsOf, type Asked, type Case, type Seen } from '../../../src/core/case.ts';
import type { Principal } from '../../../src/core/directory.ts';
import { asPersonId, asPolicyId } from '../../../src/core/ids.ts';
import type { JsonValue } from '../../../src/core/json.ts';
import type { Profile } from '../../../src/core/profile.ts';
import { present, type PresentContext, type Presentation } from '../../../src/core/render/present.ts';
import type { Proposed } from '../../../src/core/review.ts';
import { mayApproveOf } from '../../../src/core/steps/common.ts';
import {
  action,
  askCommand,
  asked,
  directory,
  everybody,
  memory,
  requirement,
  reviewed,
  versions,
} from '../../support/world.ts';

export const nowMs = Date.UTC(2026, 10, 20, 9, 30);

export const seen = (tool: string, value: JsonValue): Seen => ({
  tool,
  input: {},
  atMs: nowMs - 2000,
  answer: { ok: true, value },
});
export const failed = (tool: string, detail: string): Seen => ({
  tool,
  input: {},
  atMs: nowMs - 2000,
  answer: { ok: false, detail },
});

export const exportProfile: Profile = {
  verb: 'Export',
  effect: 'export',
  environment: 'prod',
  reversible: false,
  resource: { type: 'Dataset', id: 'input.table' },
  consequence: 'The rows leave this company.',
  preview: { tool: 'count_rows', input: {}, count: 'rows' },
};
export const grantProfile: Profile = {
  verb: 'Grant',
  effect: 'grant',
  environment: 'prod',
  reversible: true,
  resource: { type: 'Role', id: 'input.role' },
  before: { tool: 'list_roles', input: {} },
};
export const deleteProfile: Profile = {
  verb: 'Delete region',
  effect: 'delete',
  environment: 'prod',
  reversible: false,
  resource: { type: 'Region', id: 'input.region' },
  preview: { tool: 'describe_region', input: {} },
};

const why = {
  text: 'A policy wants people.',
  policies: [],
  clauses: [
    {
      policy: asPolicyId('export.customers'),
      text: 'context.input.rows > 1000',
      left: '5204',
      right: '1000',
    },
  ],
  wouldAllow: ['if rows were at most 1000'],
};

export interface Scene {
  readonly held: Case;
  readonly store: ReturnType<typeof memory>;
  review(by: string, more?: Partial<Proposed>): Case;
}

/** Opens an approval by data-owners (or what `needs` says) and gives it with its store. */
export function scene(
  one: Partial<Action>,
  more: Partial<Asked> = {},
  needs = [requirement('export.customers', 'data-owners', { title: 'Bulk export needs a data owner' })],
): Scene {
  const store = memory({ directory });
  store.world.nowMs = nowMs;
  const verdict = { ...reviewed(...needs), explanation: why };
  const it = asked(verdict, action(one), { atMs: nowMs, ...more });
  const opened = store.change(askCommand(it, { mayApprove: everybody(directory.people, needs) }));
  assert.ok(opened.ok, JSON.stringify(opened));
  const held = (): Case => {
    const found = store.cases.get(it.id);
    assert.ok(found);
    return found;
  };
  return {
    held: held(),
    store,
    review(by, said = {}) {
      const proposed: Proposed = {
        by: { kind: 'person', id: asPersonId(by) },
        decision: 'approve',
        digest: it.digest,
        reason: null,
        unsafe: false,
        channel: 'web',
        shownWhole: true,
        ...said,
      };
      const approval = held().approval;
      assert.ok(approval);
      const result = store.change({
        kind: 'review',
        approval: approval.id,
        proposed,
        again: {
          verdict,
          mayApprove: everybody(directory.people, needs),
          targetHolds: true,
          mode: 'enforce' as const,
        },
        expected: versions,
        limits: askLimitDefaults,
      });
      assert.ok(result.ok, JSON.stringify(result));
      return held();
    },
  };
}

/** How somebody sees a case, a minute after it was asked. */
export function shownTo(held: Case, who: string | null, more: Partial<PresentContext> = {}): Presentation {
  const reader: Principal | null = who === null ? null : { kind: 'person', id: asPersonId(who) };
  return present(held, {
    directory,
    changes: [],
    nowMs: nowMs + 60_000,
    mayApprove: mayApproveOf(everybody(directory.people, requirementsOf(held))),
    channel: 'web',
    past: { total: 0, byState: {}, sinceMidnight: 0, last: null },
    reader,
    ...more,
  });
}

/** Every string anywhere in a value. */
export function stringsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(stringsIn);
}
