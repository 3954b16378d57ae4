/**
 * What a restore does about erasures and holds. Promises: what the live store knows to be erased is erased again in what the backup
 * brings, with an entry that names it; a hold that is in force in either stays so, and one that was released stays released.
 */
import { aboutNothing, type EntryDraft } from '../core/entry.ts';
import { erasedCase } from '../core/erased-case.ts';
import { countOf, rangesFrom, rangesOf, type Range } from '../core/erased.ts';
import type { JsonValue } from '../core/json.ts';
import { ok } from '../core/result.ts';
import type { Hold } from '../core/retention.ts';
import type { Batch } from './batch.ts';
import { caseBy, casesOf } from './case-rows.ts';
import { integer, text } from './columns.ts';
import { holdOf } from './hold-rows.ts';
import type { SqliteDriver } from './sqlite-driver.ts';

/** Rows that are read at a time. */
const pageMax = 1000;

export interface Gone {
  /** In the backup's tree, so that they are erased at once. */
  readonly indexes: readonly Range[];
  /** Not in it yet. */
  readonly later: readonly Range[];
  /** Ids. */
  readonly actions: readonly string[];
}

/** What is erased here and is not in the backup; the same entries, because their digests are the same. */
export function goneSince(live: SqliteDriver): Gone {
  const found: Range[] = [];
  for (let after = -1, read = pageMax; read === pageMax;) {
    const rows = live.query(
      `SELECT m.idx FROM main.entries m JOIN saved.entries s ON s.idx = m.idx AND s.pae = m.pae
        WHERE m.idx > $1 AND m.statement = '' AND s.statement <> '' ORDER BY m.idx LIMIT ${pageMax}`,
      [after],
    );
    const indexes = rows.map((row) => integer(row, 'idx'));
    found.push(...rangesOf(indexes));
    after = indexes.at(-1) ?? after;
    read = rows.length;
  }
  const actions = live.query(
    `SELECT m.id FROM main.actions m JOIN saved.actions s ON s.id = m.id WHERE m.join_key = '' AND s.join_key <> ''
      AND EXISTS (SELECT 1 FROM main.entries e WHERE e.action_ord = m.ord AND e.statement = '')`,
  );
  const [row] = live.query('SELECT size FROM saved.log_published WHERE one = 1');
  const published = row === undefined ? 0 : integer(row, 'size');
  const all = rangesFrom(found).ranges;
  const part = (first: number, last: number): readonly Range[] =>
    all.flatMap(([from, to]): readonly Range[] => {
      const range = [Math.max(from, first), Math.min(to, last)] as const;
      return range[0] <= range[1] ? [range] : [];
    });
  return {
    indexes: part(0, published - 1),
    later: part(published, Number.MAX_SAFE_INTEGER),
    actions: actions.map((one) => text(one, 'id')),
  };
}

/** Once everything of the backup is over. */
export async function eraseAgain(live: SqliteDriver, batch: Batch, gone: Gone): Promise<void> {
  if (gone.indexes.length + gone.later.length + gone.actions.length === 0) return;
  const cases = gone.actions.flatMap((id) => casesOf(live.query(caseBy.action, [id])));
  const told: EntryDraft = {
    type: 'payloads.erased',
    by: { kind: 'operator' },
    about: aboutNothing,
    subject: null,
    data: {
      scope: { kind: 'restored' },
      count: countOf(gone.indexes),
      indexes: gone.indexes.map(([from, to]): JsonValue => [from, to]),
      reason: 'They were erased before the store was restored from a backup that holds them.',
      basis: null,
    },
  };
  await batch.apply({
    answer: ok({ kind: 'done' }),
    writes: [
      {
        row: 'erased',
        indexes: gone.indexes,
        cases: cases.map((held) => erasedCase(held, batch.log.size)),
        // Of a glass in both the live row was kept.
        glasses: [],
      },
      { row: 'eraseLater', indexes: gone.later },
    ],
    entries: [told],
    notices: [],
  });
}

/** Of a hold in both the live row is kept, which was released if it is released anywhere. Answers what the backup did not know. */
export function keepHolds(live: SqliteDriver): readonly EntryDraft[] {
  const inForce = (schema: 'main' | 'saved'): readonly Hold[] =>
    live.query(`SELECT body FROM ${schema}.holds WHERE released_at_ms IS NULL`).map(holdOf);
  const [here, there] = [inForce('main'), inForce('saved')];
  const has = (some: readonly Hold[], { id }: Hold): boolean => some.some((one) => one.id === id);
  live.run('INSERT INTO main.holds SELECT * FROM saved.holds WHERE true ON CONFLICT DO NOTHING');
  const now = inForce('main');
  return [
    ...here.filter((one) => !has(there, one)).map((one) => entryOf('hold.placed', one)),
    ...there.filter((one) => !has(now, one)).map((one) => entryOf('hold.released', one)),
  ];
}

/** The entry that said so first is in the log that was replaced. */
const entryOf = (
  type: 'hold.placed' | 'hold.released',
  { id, action, person, reason, placedBy }: Hold,
): EntryDraft => ({
  type,
  by: { kind: 'operator' },
  about: aboutNothing,
  subject: null,
  data: { id, action, person, reason, placedBy, restored: true },
});
