/**
 * What tests of a store stand on: a database each, a clock that can be moved, and checks that every answer must pass.
 * `raw` goes past the store, as somebody with the database's password could.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Case } from '../../src/core/case.ts';
import type { AskCommand, Command } from '../../src/core/command.ts';
import { aboutNothing, chain, emptyHead, payloadType, preAuthentication } from '../../src/core/entry.ts';
import { asSha256Hex } from '../../src/core/ids.ts';
import type { Answer } from '../../src/core/loaded.ts';
import { sha256Hex } from '../../src/core/sha256.ts';
import type { Versions } from '../../src/core/verdict.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { ChangeError, Store } from '../../src/ports/store.ts';
import type { Row, SqlValue } from '../../src/store/driver.ts';
import * as world from './world.ts';

/** One database and the stores opened on it. */
export interface Bench {
  /** Opens a store on it; `exclusive: false` beside another. */
  readonly open: (options: OpenOptions) => Promise<Store>;
  /** Runs one statement on a connection of its own; rejects where the database refuses it. */
  readonly raw: (sql: string, params?: readonly SqlValue[]) => Promise<readonly Row[]>;
  readonly remove: () => Promise<void>;
}

export interface OpenOptions {
  readonly exclusive?: boolean;
  readonly clock?: Clock;
  /** The gate that writes; default: none does. */
  readonly gate?: string;
}

export type MakeBench = () => Promise<Bench>;

export const channels = ['web', 'hook'] as const;

/** What a test of an open store gets. */
export interface Opened extends Bench {
  readonly store: Store;
  readonly versions: Versions;
  /** Adds to the store's clock. */
  readonly later: (ms: number) => void;
  readonly clock: Clock;
}

/** A test with a store that has accepted the small world's directory. */
export function storeTest(name: string, bench: MakeBench, body: (opened: Opened) => Promise<void>): void {
  test(name, async () => {
    const made = await bench();
    let offset = 0;
    const clock: Clock = { nowMs: () => Date.now() + offset };
    try {
      const store = await made.open({ clock });
      try {
        value(await store.change(world.acceptDirectory()));
        const versions = await store.versions();
        await body({ ...made, store, versions, clock, later: (ms) => void (offset += ms) });
      } finally {
        await store.close();
      }
    } finally {
      await made.remove();
    }
  });
}

type Changed =
  { readonly ok: true; readonly value: Answer } | { readonly ok: false; readonly error: ChangeError };

/** The answer of a change that must succeed. */
export function value(changed: Changed): Answer {
  assert.ok(changed.ok, `a no: ${JSON.stringify(changed)}`);
  return changed.value;
}

export function caseOf(changed: Changed): Case {
  const answer = value(changed);
  assert.ok(answer.kind === 'case');
  return answer.case;
}

/** The code of a refusal, `stale` or `fault`; `ok` where there was none. */
export function noOf(changed: Changed): string {
  if (changed.ok) return 'ok';
  return changed.error.kind === 'refused' ? changed.error.refusal.code : changed.error.kind;
}

/** Recomputes the whole log from its statements, and compares it with the head. */
export async function assertLog(store: Store): Promise<readonly string[]> {
  const types: string[] = [];
  let head = emptyHead;
  for (let after = -1; ;) {
    const page = await store.entries(after, 400);
    if (page.length === 0) break;
    for (const sealed of page) {
      after += 1;
      assert.equal(sealed.entry.index, after, 'entries are dense');
      const { predicate } = JSON.parse(sealed.statement) as { predicate: object };
      const { v: _v, salt, ...told } = predicate as { v: number; salt: string };
      assert.deepEqual(told, sealed.entry, 'the entry is what its statement says');
      assert.match(salt, /^[0-9a-f]{64}$/);
      const pae = sha256Hex(preAuthentication(payloadType, sealed.statement));
      assert.equal(sealed.pae, pae);
      head = chain(head, asSha256Hex(pae));
      assert.equal(sealed.head, head, `entry ${after} follows from the one before it`);
      types.push(sealed.entry.type);
    }
  }
  assert.deepEqual(await store.head(), { size: types.length, head });
  return types;
}

/** Asks for something that wants people, and answers what a review of it needs. */
export async function hold(
  opened: Opened,
  command?: AskCommand,
): Promise<{ held: Case; review: AskCommand }> {
  const review = command ?? world.ask(world.review(opened.versions));
  return { held: caseOf(await opened.store.change(review)), review };
}

export const handle = (ask: AskCommand) => ({
  approval: ask.approval,
  digest: ask.asked.digest,
  verdict: ask.asked.verdict,
});

/** Holds and approves. */
export async function approved(opened: Opened, command?: AskCommand): Promise<AskCommand> {
  const { review } = await hold(opened, command);
  const held = caseOf(await opened.store.change(world.reviewOf(handle(review), world.rosa)));
  assert.ok(held.grant);
  return review;
}

export const note = (n: number): Command => ({
  kind: 'record',
  entries: [{ type: 'gate.started', by: { kind: 'gate' }, about: aboutNothing, subject: null, data: { n } }],
});

/** Waits, within a limit that only a hung test reaches. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 3_000; tries += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail(`still waiting: ${what}`);
}
