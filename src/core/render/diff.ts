/**
 * Line by line: what stays, goes and comes (Myers would be faster; for what people read, a table is enough). Null where
 * the texts are too long to compare in a moment; both are shown elsewhere then.
 */

export interface DiffRow {
  readonly kind: 'same' | 'gone' | 'new' | 'skipped';
  /** For `skipped`: how many lines, as text. */
  readonly text: string;
}

/** Cells of the table of the differing middle: a second's work would be far more. */
const cellsMax = 1_000_000;
/** Unchanged lines that are kept around a change. */
const contextLines = 3;

/** The lines of two texts, aligned; empty where they are the same. */
export function diffLines(before: readonly string[], after: readonly string[]): readonly DiffRow[] | null {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (
    end < before.length - start &&
    end < after.length - start &&
    before.at(-1 - end) === after.at(-1 - end)
  )
    end += 1;
  const [left, right] = [before.slice(start, before.length - end), after.slice(start, after.length - end)];
  if (left.length === 0 && right.length === 0) return [];
  if (left.length * right.length > cellsMax) return null;
  const same = (text: string): DiffRow => ({ kind: 'same', text });
  return shortened([
    ...before.slice(0, start).map(same),
    ...middle(left, right),
    ...before.slice(before.length - end).map(same),
  ]);
}

/** The longest common subsequence, walked from the start: lines that go before lines that come. */
function middle(left: readonly string[], right: readonly string[]): readonly DiffRow[] {
  const width = right.length + 1;
  const longest = new Uint32Array((left.length + 1) * width);
  const at = (i: number, j: number): number => longest[i * width + j] ?? 0;
  for (let i = left.length - 1; i >= 0; i -= 1) {
    for (let j = right.length - 1; j >= 0; j -= 1) {
      longest[i * width + j] =
        left[i] === right[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const rows: DiffRow[] = [];
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    const [gone, come] = [left[i], right[j]];
    if (gone !== undefined && gone === come) {
      rows.push({ kind: 'same', text: gone });
      i += 1;
      j += 1;
    } else if (gone !== undefined && (come === undefined || at(i + 1, j) >= at(i, j + 1))) {
      rows.push({ kind: 'gone', text: gone });
      i += 1;
    } else {
      rows.push({ kind: 'new', text: come ?? '' });
      j += 1;
    }
  }
  return rows;
}

/** Long runs of unchanged lines become one row that says how many. */
function shortened(rows: readonly DiffRow[]): readonly DiffRow[] {
  const near = rows.map((_, index) =>
    rows
      .slice(Math.max(0, index - contextLines), index + contextLines + 1)
      .some((row) => row.kind !== 'same'),
  );
  const out: DiffRow[] = [];
  let skipped = 0;
  for (const [index, row] of rows.entries()) {
    if (near[index] === true) {
      if (skipped > 0) out.push({ kind: 'skipped', text: String(skipped) });
      skipped = 0;
      out.push(row);
    } else skipped += 1;
  }
  if (skipped > 0) out.push({ kind: 'skipped', text: String(skipped) });
  return out;
}
