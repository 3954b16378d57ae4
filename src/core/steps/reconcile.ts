/** A comparison with what a target recorded is kept, and is an entry. Operators, and whoever has the rights of the files. */
import type { By } from '../case.ts';
import type { ReconcileCommand } from '../command-log.ts';
import { isOperator, type Directory } from '../directory.ts';
import { aboutNothing } from '../entry.ts';
import type { Loaded, Step } from '../loaded.ts';
import { refuse } from '../refusal.ts';
import { rfc3339 } from '../time.ts';
import { data, done, refused } from './common.ts';

export function reconcile({ by, found }: ReconcileCommand, loaded: Loaded): Step {
  if (!mayReconcile(by, loaded.directory))
    return refused(refuse('not_permitted', 'Only operators compare the log with what targets recorded.'));
  const { id, source, targets, from, to, files, rows, matched, gateOnly, targetOnly } = found;
  const entry = {
    id,
    source,
    targets,
    from,
    to,
    file: files[0]?.sha256 ?? null,
    files: files.map((file) => file.sha256),
    rows,
    matched,
    gateOnly: gateOnly.count,
    targetOnly: targetOnly.count,
  };
  return {
    ...done,
    writes: [{ row: 'reconciliation', kept: { ...found, at: rfc3339(loaded.nowMs), by } }],
    entries: [{ type: 'reconciliation.recorded', by, about: aboutNothing, subject: null, data: data(entry) }],
  };
}

/** The gate has no file of a target, and an agent's word would be about itself. */
function mayReconcile(by: By, directory: Directory): boolean {
  switch (by.kind) {
    case 'operator':
      return true;
    case 'person':
      return isOperator(directory, by.id);
    case 'gate':
    case 'agent':
      return false;
  }
}
