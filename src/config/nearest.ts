/** The known word that a mistyped one was probably meant to be: for unknown keys, options and commands. Pure. */

/** More edits than this are another word, not a slip. */
const editsMax = 2;

/**
 * The nearest of the known words, or undefined where none is near. A word that begins with what was typed (at least three
 * letters of it) counts as near, so that `approval` finds `approvals-web`.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const typed = word.toLowerCase();
  let best: { readonly one: string; readonly edits: number } | undefined;
  for (const one of known) {
    const lower = one.toLowerCase();
    const edits = typed.length >= 3 && lower.startsWith(typed) ? 1 : distance(typed, lower);
    // Half of a short word changed is no slip either.
    const near = edits <= editsMax && edits * 2 < Math.max(typed.length, lower.length);
    if (near && (best === undefined || edits < best.edits)) best = { one, edits };
  }
  return best?.one;
}

/** Words longer than this are compared no further: they are no keys of ours. */
const lengthMax = 64;

/** Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours, one each. */
function distance(a: string, b: string): number {
  if (a.length > lengthMax || b.length > lengthMax) return lengthMax;
  let before: readonly number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(
        Math.min(
          (last[j] ?? 0) + 1,
          (row[j - 1] ?? 0) + 1,
          (last[j - 1] ?? 0) + same,
          swapped ? (before[j - 2] ?? 0) + 1 : lengthMax,
        ),
      );
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? lengthMax;
}
