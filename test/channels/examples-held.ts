/** Opens one held action by the real steps, judged by a real engine: what examples-demo.ts and examples.ts are made with. */
import assert from 'node:assert/strict';
import type { Action } from '../../src/core/action.ts';
import { requirementsOf, type Asked, type Case, type Seen } from '../../src/core/case.ts';
import type { Directory } from '../../src/core/directory.ts';
import { asSha256Hex } from '../../src/core/ids.ts';
import type { JsonValue } from '../../src/core/json.ts';
import { sha256Hex } from '../../src/core/sha256.ts';
import type { Recent } from '../../src/core/recent.ts';
import { present, type Presentation } from '../../src/core/render/present.ts';
import { mayApproveOf } from '../../src/core/steps/common.ts';
import type { PolicyEngine } from '../../src/ports/policy.ts';
import { action, askCommand, asked, everybody, memory } from '../support/world.ts';

export interface Example {
  readonly name: string;
  readonly from: 'packs' | 'policies' | 'demo';
  readonly held: Case;
  readonly shown: Presentation;
}

/** A Wednesday in the year-end freeze of the starter policies. */
const nowMs = Date.UTC(2026, 11, 23, 9);

export interface Wish {
  readonly name: string;
  readonly from: Example['from'];
  readonly engine: PolicyEngine;
  readonly directory: Directory;
  readonly action: Partial<Action> & Pick<Action, 'agent' | 'operation' | 'input' | 'resource'>;
  readonly facts: Pick<Asked, 'profile' | 'preview' | 'before'>;
  readonly recent: Recent | null;
}

/** Null where nobody is asked. */
export function hold({ name, from, engine, directory, action: some, facts, recent }: Wish): Example | null {
  const verdict = engine.judge(some, nowMs, recent);
  if (verdict.effect !== 'review') return null;
  const store = memory({ directory });
  store.world.nowMs = nowMs;
  // What was counted is not in this store.
  const it = asked({ ...verdict, recent: null }, action({ target: targetOf(some.operation), ...some }), {
    atMs: nowMs,
    ...facts,
  });
  const mayApprove = everybody(directory.people, verdict.requirements);
  const opened = store.change(askCommand(it, { mayApprove }));
  assert.ok(opened.ok, JSON.stringify(opened));
  const held = store.cases.get(it.id);
  assert.ok(held);
  const shown = present(held, {
    directory,
    changes: [],
    nowMs: nowMs + 60_000,
    mayApprove: mayApproveOf(everybody(directory.people, requirementsOf(held))),
    channel: 'slack',
    past: {
      total: 12,
      byState: { succeeded: 11, denied: 1 },
      sinceMidnight: 2,
      last: { atMs: nowMs - 3_600_000, state: 'succeeded' },
    },
    reader: null,
  });
  return { name, from, held, shown };
}

function targetOf(operation: string): Action['target'] {
  const [server = '', tool = ''] = operation.split('___');
  // As long as real ones, and as different: pictures are made of them.
  const pin = (what: string) => asSha256Hex(sha256Hex(`${what} of ${operation}`));
  return {
    kind: 'mcp',
    server,
    tool,
    definition: pin('definition'),
    profile: pin('profile'),
    upstream: asSha256Hex(sha256Hex(server)),
  };
}

export const textOf = (lines: number): string =>
  Array.from({ length: lines }, (_, at) => `line ${at}: some words of a usual length\n`).join('');

/** What a tool answered when the gate looked; a page of text where nothing is said. */
export const looked = (
  tool: string,
  value: JsonValue = { content: [{ type: 'text', text: textOf(40) }] },
): Seen => ({
  tool,
  input: {},
  atMs: nowMs - 2000,
  answer: { ok: true, value },
});

export function recentOf(count: number, sum: number | null = null): Recent {
  const window = { count, sum };
  const scope = { hour: window, day: window, ever: window };
  return { agent: scope, owner: scope, operation: scope };
}
