/**
 * Choosing samples so that neither the gate nor whoever runs it can choose. The auditor picks a number after the end checkpoint is
 * fixed; from both follows a seed, and from the seed the rows. Without replacement, the same for everybody, and to be made again
 * with a shell:
 *
 *   SEED=$(printf '%s%s' "$ROOT" "$NUMBER" | sha256sum | cut -c1-64)
 *   for R in $(seq 1 "$ROWS"); do echo "$(printf '%s%s' "$SEED" "$R" | sha256sum | cut -c1-64) $R"; done | sort | head -n "$COUNT"
 *
 * ROOT is the third line of the end checkpoint, base64 as it stands there; NUMBER the auditor's digits as given; a row's key is the
 * SHA-256 of the seed's 64 hexadecimal digits and the row's number in decimal. The rows with the least keys are chosen.
 */
import { refuse, type Refusal } from '../refusal.ts';
import { err, ok, type Result } from '../result.ts';
import { sha256Hex } from '../sha256.ts';
import { line, type Shown } from '../render/shown.ts';
import type { SampleQuery } from './model.ts';

/** Most samples of one report: each is a page. */
export const samplesMax = 250;
/** Longest number of an auditor, in digits. */
const digitsMax = 40;

/** @param root base64, as the checkpoint has it. @param number decimal digits */
export const seedOf = (root: string, number: string): string => sha256Hex(`${root}${number}`);

/** `count` different rows of 1 to `rows`, ascending; all of them where there are not so many. */
export function selectRows(seed: string, rows: number, count: number): readonly number[] {
  // The least keys so far, ascending: as many as are wanted, however many rows there are.
  const least: { readonly key: string; readonly row: number }[] = [];
  for (let row = 1; row <= rows; row += 1) {
    const key = sha256Hex(`${seed}${row}`);
    const last = least.at(-1);
    if (least.length >= count && (last === undefined || key > last.key)) continue;
    least.splice(placeOf(least, key), 0, { key, row });
    if (least.length > count) least.pop();
  }
  return least.map((one) => one.row).toSorted((a, b) => a - b);
}

function placeOf(least: readonly { readonly key: string }[], key: string): number {
  let [low, high] = [0, least.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((least[middle]?.key ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Refuses what is no choice. */
export function refusesSamples(query: SampleQuery | null): Refusal | undefined {
  const wrong = (detail: string): Refusal => refuse('input_invalid', detail, { pointer: '/samples' });
  if (query === null) return undefined;
  if (query.kind === 'rows') {
    if (query.rows.length === 0 || query.rows.length > samplesMax)
      return wrong(`Name from 1 to ${samplesMax} rows.`);
    return query.rows.every((row) => Number.isSafeInteger(row) && row >= 1)
      ? undefined
      : wrong('Rows are whole numbers from 1.');
  }
  if (!/^\d+$/.test(query.number) || query.number.length > digitsMax)
    return wrong(`The auditor’s number is from 1 to ${digitsMax} decimal digits.`);
  return Number.isSafeInteger(query.count) && query.count >= 1 && query.count <= samplesMax
    ? undefined
    : wrong(`Choose from 1 to ${samplesMax} samples.`);
}

/** The rows, ascending, each once; refused where the log is not published that far, or there is no such row. */
export function chosenRows(
  query: SampleQuery | null,
  of: { readonly rows: number; readonly root: string | null },
): Result<readonly number[], Refusal> {
  if (query === null) return ok([]);
  if (query.kind === 'seed')
    return of.root === null
      ? err(
          refuse(
            'input_invalid',
            'No checkpoint covers the end of this period yet, so there is no seed to choose by; try again when it is published.',
            { pointer: '/samples' },
          ),
        )
      : ok(selectRows(seedOf(of.root, query.number), of.rows, query.count));
  const rows = [...new Set(query.rows)].toSorted((a, b) => a - b);
  const beyond = rows.find((row) => row > of.rows);
  return beyond === undefined
    ? ok(rows)
    : err(
        refuse('input_invalid', `There is no row ${beyond}: the population has ${of.rows}.`, {
          pointer: '/samples/rows',
        }),
      );
}

/** How they were chosen, for the report. */
export function selectionWords(query: SampleQuery | null, root: string | null): readonly Shown[] {
  if (query === null) return [line('No samples were asked for.')];
  if (query.kind === 'rows') return [line('The auditor named the rows.')];
  return [
    line(
      'The auditor names a number once the end checkpoint is fixed, so that neither side can choose rows. That it was named after and not before, only the auditor knows.',
    ),
    line(
      `Seed: SHA-256 of the text of the end checkpoint’s root (${root ?? '?'}) followed by the number ${query.number}, in hexadecimal: ${root === null ? '?' : seedOf(root, query.number)}.`,
    ),
    line('Key of a row: SHA-256 of the seed’s 64 digits followed by the row’s number in decimal.'),
    line(`Chosen: the ${query.count} rows with the least keys.`),
    line('VERIFY.txt, step 7, has the same as commands for a shell: they must name the same rows.'),
  ];
}
