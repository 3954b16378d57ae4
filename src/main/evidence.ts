/** What makes evidence: in a gate, and for the command line beside one. */
import { createEvidenceDesk, type EvidenceDesk } from '../app/evidence-make.ts';
import type { Making } from '../app/evidence.ts';
import { packEvidence } from '../evidence/package.ts';
import type { Proving } from '../ports/evidence-pack.ts';
import { programVersion } from './version.ts';

/** @param quorum of the settings; where no witness is configured, one that cosigned would still be one. */
export const evidenceDesk = (parts: Making, transparency: Proving, quorum: number): EvidenceDesk =>
  createEvidenceDesk(parts, {
    pack: packEvidence,
    transparency,
    generator: { name: 'Countersign', version: programVersion() },
    quorum: Math.max(1, quorum),
  });
