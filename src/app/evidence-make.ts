/**
 * Making a package of evidence, from asking to handing out: gather, render, record, and only then give. One at a time for each gate,
 * because each may read a million entries.
 */
import type { Evidence, EvidenceQuery } from '../core/evidence/model.ts';
import { refuse, type Refusal } from '../core/refusal.ts';
import { err, ok, type Result } from '../core/result.ts';
import { rfc3339 } from '../core/time.ts';
import type { PackError, PackEvidence, Packed, Proving } from '../ports/evidence-pack.ts';
import { recordEvidence } from './evidence-made.ts';
import { untilCovered } from './evidence-covered.ts';
import { gatherEvidence, type EvidenceBy, type Making } from './evidence.ts';

/** What makes evidence in a gate. */
export interface EvidenceMaking {
  readonly pack: PackEvidence;
  readonly transparency: Proving;
  readonly generator: Evidence['generator'];
  /** Distinct witnesses that make the log `witnessed`; at least 1. */
  readonly quorum: number;
}

export interface MakeQuery {
  readonly by: EvidenceBy;
  readonly query: EvidenceQuery;
  readonly tell?: (what: string, part: number) => void;
  readonly ends?: AbortSignal;
}

export interface MadeEvidence {
  readonly evidence: Evidence;
  readonly packed: Packed;
  /** Of a file that holds it: letters, digits, dots and dashes. */
  readonly name: string;
}

export interface EvidenceDesk {
  /** Rejects where it failed or was stopped. */
  make(asked: MakeQuery): Promise<Result<MadeEvidence, Refusal>>;
}

export function createEvidenceDesk(parts: Making, making: EvidenceMaking): EvidenceDesk {
  let busy = false;
  return {
    async make(asked) {
      if (busy)
        return err(refuse('quota', 'Evidence is being made for somebody else; ask again when it is done.'));
      busy = true;
      try {
        return await make(parts, making, asked);
      } finally {
        busy = false;
      }
    },
  };
}

async function make(
  parts: Making,
  { pack, transparency, generator, quorum }: EvidenceMaking,
  { by, query, tell, ends }: MakeQuery,
): Promise<Result<MadeEvidence, Refusal>> {
  const gathered = await gatherEvidence(parts, query, {
    by,
    generator,
    quorum,
    tell: (part) => {
      ends?.throwIfAborted();
      tell?.('reading the log', part);
    },
    covered: (size) => untilCovered(transparency, size, { tell, ends }),
  });
  if (!gathered.ok) return gathered;
  const { evidence } = gathered.value;
  const packed = await pack({
    evidence,
    rows: gathered.value.pages(),
    transparency,
    proofsOnly: !gathered.value.auditor,
    ...(tell === undefined ? {} : { tell }),
    ...(ends === undefined ? {} : { ends }),
  });
  if (!packed.ok) return err(refusalOf(packed.error));
  const recorded = await recordEvidence(parts, evidence, packed.value.manifest);
  return recorded.ok ? ok({ evidence, packed: packed.value, name: nameOf(evidence) }) : recorded;
}

function refusalOf(error: PackError): Refusal {
  switch (error.kind) {
    case 'too_many':
      return refuse(
        'too_large',
        `The period has ${error.rows} actions; one package holds ${error.max}. Make it for shorter periods.`,
      );
    case 'miscounted':
      return refuse(
        'audit_unavailable',
        `The log gave ${error.rows} rows where ${error.expected} were counted; nothing is handed out. Check the log.`,
      );
  }
}

const dayOf = (ms: number): string => rfc3339(ms).slice(0, 10);

const nameOf = ({ period, query }: Evidence): string =>
  `evidence-${dayOf(period.fromMs)}-to-${dayOf(period.toMs)}-as-of-${query.asOf}`;
