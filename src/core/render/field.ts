/** One named value of a presentation. */
import { line, type Shown } from './shown.ts';

export interface Field {
  readonly label: Shown;
  readonly value: Shown;
  /** Literal: shown in a fixed-width face. */
  readonly literal: boolean;
  /** Said by the agent alone; nothing of the gate confirms it. */
  readonly claimed: boolean;
}

/** Label, value, literal; a null value is left out. */
export type FieldRow = readonly [label: string, value: string | null, literal: boolean];

export const fieldsOf = (rows: readonly (FieldRow | undefined)[], claimed = false): readonly Field[] =>
  rows.flatMap((row) =>
    row === undefined || row[1] === null
      ? []
      : [{ label: line(row[0]), value: line(row[1]), literal: row[2], claimed }],
  );
