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
  {
    meters,
    tracing,
    people,
  }: { readonly meters: Meters; readonly tracing: Tracing; readonly people: boolean },
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
  caseBy: (key) => timed(meters, () => store.caseBy(key)),
  held: (query) => timed(meters, () => store.held(query)),
  entries: (after, limit) => timed(meters, () => store.entries(after, limit)),
  principalOf: (hash) => timed(meters, () => store.principalOf(hash)),
  bearerOf: (hash) => timed(meters, () => store.bearerOf(hash)),
});

/** A read whose time is taken. */
async function timed<R>(meters: Meters, read: () => Promise<R>): Promise<R> {
  const start = performance.now();
  try {
    return await read();
  } finally {
    meters.observe('store_read_seconds', (performance.now() - start) / 1000, {});
  }
}

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

/** What a command is counted as: by itself where it concerns an action. */
const named: ReadonlySet<string> = new Set<CommandName>([
  'ask', 'review', 'claim', 'outcome', 'cancel', 'settle', 'due',
]); // prettier-ignore

const isNamed = (kind: string): kind is CommandName => named.has(kind);

const nameOf = ({ kind }: Command): CommandName => (isNamed(kind) ? kind : 'other');
