/** Controls that the evidence speaks to, and what it found for each. */
import type { Shown } from '../render/shown.ts';

/** `cannot_say`: something that it rests on is unknown; `no_instances`: nothing of the kind happened. */
export type ControlFinding = 'no_exceptions' | 'exceptions' | 'cannot_say' | 'no_instances';

export interface ControlResult {
  /** "CC6.1". */
  readonly id: string;
  readonly framework: 'SOC 2 (Trust Services Criteria)';
  /** What the product can evidence of it. */
  readonly statement: string;
  /** Sections of this report. */
  readonly evidencedBy: readonly string[];
  readonly finding: ControlFinding;
  /** The numbers, in a sentence. */
  readonly result: Shown;
  /** Names of exceptions, at most 20. */
  readonly exceptions: readonly string[];
}

/** Another framework's clause that the same evidence may speak to: suggested, and no statement of conformity. */
export interface Suggested {
  readonly framework: string;
  readonly clause: string;
  readonly what: string;
  readonly evidencedBy: readonly string[];
}
