/** What makes evidence: in a gate, and for the command line beside one. */
import { readFileSync } from 'node:fs';
import { createEvidenceDesk, type EvidenceDesk } from '../app/evidence-make.ts';
import type { Making } from '../app/evidence.ts';
import { packEvidence } from '../evidence/package.ts';
import type { Proving } from '../ports/evidence-pack.ts';

/** The published version; package.json is two folders up, from src/main/ and from dist/main/ alike. */
function version(): string {
  const read: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return typeof read === 'object' && read !== null && 'version' in read ? String(read.version) : 'unknown';
}

/** @param quorum of the settings; where no witness is configured, one that cosigned would still be one. */
export const evidenceDesk = (parts: Making, transparency: Proving, quorum: number): EvidenceDesk =>
  createEvidenceDesk(parts, {
    pack: packEvidence,
    transparency,
    generator: { name: 'Countersign', version: version() },
    quorum: Math.max(1, quorum),
  });
