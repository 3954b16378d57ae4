/**
 * Denials that were given while the log could not be written: a no needs no permission of the log, but it is told to it as soon
 * as that can be. Promises: bounded; what is beyond the bound is counted and told as a number; nothing here ever lets anything
 * run. A crash before the log recovers loses them, and the entry `gate.started` after it says that there was one.
 */
import { aboutNothing, type EntryDraft } from '../core/entry.ts';
import type { Asked } from '../core/case.ts';
import type { AgentId } from '../core/ids.ts';
import { refuse, type Code, type Refusal } from '../core/refusal.ts';
import { rfc3339 } from '../core/time.ts';
import type { Store } from '../ports/store.ts';

/** Denials that are kept. */
export const unwrittenMax = 1000;

export interface Denied {
  readonly agent: AgentId;
  readonly operation: string;
  readonly code: Code;
  readonly atMs: number;
}

export interface Unwritten {
  keep(denied: Denied): void;
  stop(): void;
}

/** What an agent is told where nothing could be written: the no of the policies where that is the verdict, else that nothing runs. */
export function toldUnwritten(
  unwritten: Unwritten | undefined,
  { action, verdict, mode, atMs }: Asked,
  detail: string,
): Refusal {
  if (verdict.effect !== 'deny' || mode !== 'enforce') return auditUnavailable(detail);
  const { agent, operation } = action;
  unwritten?.keep({ agent, operation, code: verdict.code, atMs });
  return refuse(verdict.code, verdict.toldAgent, { recorded: false, detail });
}

/** For the agent: that nothing runs; for operators the log of the process says what failed. */
export const auditUnavailable = (detail: string): Refusal =>
  refuse('audit_unavailable', 'The log cannot be written, so nothing may run; ask again later.', { detail });

export function createUnwritten(store: Pick<Store, 'change' | 'onChange'>): Unwritten {
  let kept: readonly Denied[] = [];
  let more = 0;
  let writing = false;
  const write = async (): Promise<void> => {
    if (writing || (kept.length === 0 && more === 0)) return;
    writing = true;
    const [now, beyond] = [kept, more];
    const entries = [...now.map(entryOf), ...(beyond === 0 ? [] : [moreEntry(beyond)])];
    const result = await store.change({ kind: 'record', entries });
    if (result.ok) [kept, more] = [kept.slice(now.length), more - beyond];
    writing = false;
  };
  // A commit is what says that the log can be written again.
  const stopWatching = store.onChange(() => void write());
  return {
    keep(denied) {
      if (kept.length < unwrittenMax) kept = [...kept, denied];
      else more += 1;
    },
    stop: stopWatching,
  };
}

const note = 'Denied while the log could not be written; told to it afterwards.';

const entryOf = ({ agent, operation, code, atMs }: Denied): EntryDraft => ({
  type: 'action.refused',
  by: { kind: 'agent', id: agent },
  about: aboutNothing,
  subject: null,
  data: { operation, code, deniedAt: rfc3339(atMs), note },
});

const moreEntry = (count: number): EntryDraft => ({
  type: 'action.refused',
  by: { kind: 'gate' },
  about: aboutNothing,
  subject: null,
  data: { code: 'audit_unavailable', count, note: `So many more were. ${note}` },
});
