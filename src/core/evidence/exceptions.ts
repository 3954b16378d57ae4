/**
 * What an auditor has to look at. Each has a name that another making of the same evidence gives it too; lists are bounded, and what
 * is left out is counted. Names: model-exceptions.ts.
 */
import type { Entry } from '../entry.ts';
import type { PersonId } from '../ids.ts';
import type { Shown } from '../render/shown.ts';
import {
  acceptedDrafts,
  alteredDrafts,
  cooperativeDraft,
  downtimeDrafts,
  draftOf,
  leaverDrafts,
  namedMax,
  observedDrafts,
  rowDrafts,
  tamperedDraft,
  targetDrafts,
  type Draft,
  type Group,
} from './exception-drafts.ts';
import { noteGlass, withGlass, type GlassAfter } from './exception-glass.ts';
import { createRowsAbout } from './exception-rows.ts';
import { exceptionKinds, type Answered, type Exception, type ExceptionKind } from './model-exceptions.ts';
import { listedMax, type PopulationRow } from './model-rows.ts';
import type { PolicyVersion, Reconciliation, Roster, Scope } from './model-sections.ts';

import type { History } from './versions.ts';

/** Exceptions of one kind that are listed. */
export const ofKindMax = listedMax;

export interface ExceptionFold {
  /** An entry of the range, in order; `tampered`: its payload is gone and no entry says that it was erased. */
  add(entry: Entry, tampered: boolean): void;
  /** A row of the population; carried: it was asked before the period, and only what happened in it counts. */
  row(row: PopulationRow, within: { readonly from: number; readonly to: number }, carried: boolean): void;
  done(of: {
    readonly history: History;
    readonly scope: Scope;
    readonly roster: Roster;
    readonly policies: readonly PolicyVersion[];
    readonly reconciliations: readonly Reconciliation[];
    readonly answers: readonly Answered[];
  }): {
    readonly exceptions: readonly Exception[];
    readonly leftOut: readonly { readonly kind: ExceptionKind; readonly count: number }[];
    readonly otherAnswers: readonly Answered[];
  };
}

export function createExceptions(nameOf: (person: PersonId) => Shown): ExceptionFold {
  const kept: Draft[] = [];
  const left = new Map<ExceptionKind, number>();
  const listed = new Map<ExceptionKind, number>();
  const put = (draft: Draft): void => {
    const count = listed.get(draft.kind) ?? 0;
    if (count >= ofKindMax) {
      left.set(draft.kind, (left.get(draft.kind) ?? 0) + 1);
      return;
    }
    listed.set(draft.kind, count + 1);
    kept.push(draft);
  };
  const cooperative = new Map<string, Group>();
  const observed = new Map<string, Group>();
  const glasses = new Map<string, Group>();
  const after = new Map<string, GlassAfter>();
  const about = createRowsAbout();
  return {
    add(entry, tampered) {
      if (tampered) put(tamperedDraft(entry));
      if (entry.erased === true) return;
      about.add(entry);
      if (entry.type === 'glass.closed' || entry.type === 'glass.reviewed') noteGlass(after, entry);
      const draft = draftOf(entry, nameOf);
      if (draft !== undefined) put(draft);
    },
    row(row, within, carried) {
      for (const draft of rowDrafts(row, within, carried)) put(draft);
      if (carried) return;
      about.row(row);
      if (row.enforcement === 'cooperative' && row.startedIndex !== null)
        group(cooperative, row.operation ?? '?', row);
      if (row.outcome === 'observed') group(observed, row.operation ?? '?', row);
      if (row.glass !== null) group(glasses, row.glass, row);
    },
    done({ history, scope, roster, policies, reconciliations, answers }) {
      for (const draft of [
        ...observedDrafts(scope, observed),
        ...[...cooperative].map(([operation, one]) => cooperativeDraft(operation, one)),
        ...downtimeDrafts(scope),
        ...acceptedDrafts(policies, roster),
        ...alteredDrafts(history),
        ...leaverDrafts(roster),
        ...targetDrafts(reconciliations),
      ])
        put(draft);
      const answered = new Map<string, Answered[]>();
      for (const one of answers) answered.set(one.exception, [...(answered.get(one.exception) ?? []), one]);
      const exceptions = kept
        .map((draft): Exception => ({
          ...about.with(withGlass(draft, glasses, after, nameOf)),
          answers: answered.get(draft.name) ?? [],
        }))
        .toSorted((a, b) => exceptionKinds.indexOf(a.kind) - exceptionKinds.indexOf(b.kind));
      const names = new Set(exceptions.map(({ name }) => name));
      return {
        exceptions,
        leftOut: [...left].map(([kind, count]) => ({ kind, count })),
        otherAnswers: answers.filter(({ exception }) => !names.has(exception)),
      };
    },
  };
}

function group(groups: Map<string, Group>, name: string, row: PopulationRow): void {
  const one = groups.get(name) ?? { count: 0, rows: [], entries: [] };
  one.count += 1;
  if (one.rows.length < namedMax) {
    one.rows.push(row.row);
    one.entries.push(row.index);
  }
  groups.set(name, one);
}
