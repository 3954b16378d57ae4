/**
 * A store that counts its commands and makes the spans of what they decide. Each thing is told by the gate whose command did it
 * (`changed`), so that several gates of one store tell it once. Nothing here changes a command or an answer.
 */
import type { Command } from '../core/command.ts';
import type { Answer } from '../core/loaded.ts';
import type { Result } from '../core/result.ts';
import type { CommandName, Meters } from '../ports/meters.ts';
import type { ChangeError, Store } from '../ports/store.ts';
import type { Tracing } from '../ports/tracing.ts';
import { countCase } from './case-meters.ts';
import { traceCase } from './case-spans.ts';

/** @param people whether spans name who reviewed. */
export const watched = (
  store: Store,
  { meters, tracing, people }: { readonly meters: Meters; readonly tracing: Tracing; readonly people: boolean },
): Store => ({
  ...store,
  change: async (command, idempotency, haste) => {
    const startMs = Date.now();
    const start = performance.now();
    const result = await store.change(command, idempotency, haste);
    const name = nameOf(command);
    meters.observe('change_seconds', (performance.now() - start) / 1000, { command: name });
    count(meters, name, result);
    if (command.kind === 'ask') countAsk(meters, command.asked, result);
    if (result.ok && result.value.kind === 'case' && result.value.changed) {
      countCase(meters, command, result.value.case);
      traceCase(tracing, command, result.value.case, { startMs, people });
    }
    // Nobody waits for its case: it was allowed, and the gate ran it.
    if (command.kind === 'outcome' && result.ok && result.value.kind === 'done')
      meters.count('executions', { status: command.status, enforcement: 'mediated' });
    return result;
  },
  caseBy: timed(meters, store.caseBy),
  held: timed(meters, store.held),
  entries: timed(meters, store.entries),
  principalOf: timed(meters, store.principalOf),
  bearerOf: timed(meters, store.bearerOf),
});

/** A read whose time is taken. */
const timed =
  <A extends readonly unknown[], R>(
    meters: Meters,
    read: (...args: A) => Promise<R>,
  ): ((...args: A) => Promise<R>) =>
  async (...args) => {
    const start = performance.now();
    try {
      return await read(...args);
    } finally {
      meters.observe('store_read_seconds', (performance.now() - start) / 1000, {});
    }
  };

function count(meters: Meters, command: CommandName, result: Result<Answer, ChangeError>): void {
  if (result.ok) return;
  const { error } = result;
  switch (error.kind) {
    case 'refused':
      return meters.count('refusals', { command, code: error.refusal.code });
    case 'fault':
      return meters.count('change_faults', { command });
    case 'stale':
      return meters.count('change_stale', { command });
  }
}

function countAsk(
  meters: Meters,
  asked: Extract<Command, { kind: 'ask' }>['asked'],
  result: Result<Answer, ChangeError>,
): void {
  if (!result.ok || result.value.kind !== 'case') return;
  if (result.value.joined) return meters.count('asks_joined', {});
  meters.count('verdicts', { effect: asked.verdict.effect, mode: asked.mode });
}

/** What a command is counted as. */
function nameOf({ kind }: Command): CommandName {
  switch (kind) {
    case 'ask':
    case 'review':
    case 'claim':
    case 'outcome':
    case 'cancel':
    case 'settle':
    case 'due':
      return kind;
    default: // what else there is concerns no action
      return 'other';
  }
}
