/**
 * A package of evidence: rendered on a thread of its own, listed in a manifest, signed. Promises: the same model gives the same
 * bytes of every file but the signature (ECDSA is not deterministic); what cannot be proven yet is said and not left out silently.
 */
import { zipSync, type Zippable } from 'fflate';
import type { Evidence } from '../core/evidence/model.ts';
import { asSha256Hex } from '../core/ids.ts';
import { holdsSecret, objectIn } from '../core/receipts.ts';
import { err, ok } from '../core/result.ts';
import { sha256Hex } from '../core/sha256.ts';
import type { PackError, PackEvidence, Packed, PackParts, Proving } from '../ports/evidence-pack.ts';
import type { LogProofs, SampleReceipt } from './attachments.ts';
import { asPayload } from './json.ts';
import { manifestText, sumsText, type PackageFile } from './manifest.ts';
import { listing } from './report-actions.ts';
import { populationCells } from './sheets.ts';
import { renderer } from './thread.ts';
import { manifestType } from './verify-text.ts';
import { namesOf } from './words.ts';

/** Rows that one package holds; a longer population is made by shorter periods. */
export const populationRowsMax = 300_000;

/** See ports/evidence-pack.ts. */
export const packEvidence: PackEvidence = async (parts) => {
  const { evidence, transparency, tell } = parts;
  const expected = evidence.completeness.rows;
  const tooMany = (rows: number): PackError => ({ kind: 'too_many', rows, max: populationRowsMax });
  if (expected > populationRowsMax) return err(tooMany(expected));
  const names = namesOf(evidence);
  const listed = listing();
  const thread = renderer();
  try {
    let rows = 0;
    for await (const page of parts.rows) {
      parts.ends?.throwIfAborted();
      for (const row of page) listed.add(row);
      thread.add(page.map((row) => populationCells(row, names)));
      rows += page.length;
      if (rows > populationRowsMax) return err(tooMany(rows));
      tell?.('reading rows', rows / Math.max(1, expected));
    }
    if (rows !== expected) return err({ kind: 'miscounted', rows, expected });
    tell?.('collecting proofs', 0);
    const proofs = await proofsOf(evidence, transparency);
    const receipts = await receiptsOf(parts);
    tell?.('writing documents', 0);
    const files = await thread.files({ evidence, listed: listed.rows, proofs, receipts }, parts.ends);
    return ok(signed(evidence, files, transparency));
  } finally {
    await thread.end();
  }
};

const encoded = (name: string, text: string): PackageFile => ({
  name,
  bytes: new TextEncoder().encode(text),
});

function signed(evidence: Evidence, files: readonly PackageFile[], { sign }: Pick<Proving, 'sign'>): Packed {
  const listed = [...files, encoded('SHA256SUMS', sumsText(files))];
  const manifest = manifestText(evidence, listed);
  const all = [
    ...listed,
    encoded('manifest.json', manifest),
    encoded('manifest.dsse.json', sign(manifestType, manifest)),
  ];
  return { files: all, manifest: asSha256Hex(sha256Hex(manifest)), zip: () => zipped(all) };
}

async function proofsOf({ log: { start, end } }: Evidence, from: Proving): Promise<LogProofs> {
  const provable =
    start !== null && end !== null && start.origin === end.origin && start.size > 0 && start.size <= end.size;
  return {
    trustedRoot: asPayload(await from.trustedRoot()),
    verifierKeys: await from.verifierKeys(),
    consistency: provable ? await from.consistency(start.size, end.size) : null,
  };
}

/** As core/receipts.ts hands them out: no statement and no bytes of what is hidden, and no bytes that hold a secret. */
async function receiptsOf({
  evidence: { samples },
  transparency,
  proofsOnly = false,
}: PackParts): Promise<readonly SampleReceipt[]> {
  const receipts: SampleReceipt[] = [];
  const indexes = new Set(samples.chosen.flatMap((one) => one.receipts));
  const hidden = new Set(samples.chosen.flatMap((one) => (one.row.hidden ? one.receipts : [])));
  for (const index of indexes) {
    const found = await transparency.receipt(index);
    if (found.ok) {
      const { bundle, proof, action } = found.value;
      const open = action === null ? null : objectIn(action);
      if (proofsOnly || hidden.has(index))
        receipts.push({ index, bundle: null, proof, action: null, why: whyNot('hidden') });
      else if (open !== null && holdsSecret(open))
        receipts.push({ index, bundle, proof, action: null, why: whyNot('secret') });
      else receipts.push({ index, bundle, proof, action, why: null });
      continue;
    }
    const { error } = found;
    const proof = error.kind === 'erased' ? error.proof : null;
    receipts.push({ index, bundle: null, proof, action: null, why: whyNot(error.kind) });
  }
  return receipts;
}

function whyNot(kind: string): string {
  if (kind === 'hidden')
    return 'what it holds is hidden from whoever made this, so only the proof of its digest is here.';
  if (kind === 'secret')
    return 'the exact action holds what looks like a secret and is not handed out; its receipt names its digest.';
  if (kind === 'erased') return 'its content was erased, so only the proof of its digest is left.';
  if (kind === 'not_yet')
    return 'it is recorded, and in no signed state of the log yet: make the evidence again later.';
  if (kind === 'not_found') return 'the log has no such entry.';
  return 'its receipt could not be read.';
}

/** 1980 is the first year that a zip knows; the same wherever it is made. */
const zipTime = new Date(1980, 0, 1);

/** All files as one zip; the same files give the same bytes. */
function zipped(files: readonly PackageFile[]): Uint8Array<ArrayBuffer> {
  const entries: Zippable = {};
  for (const { name, bytes } of files)
    entries[name] = [bytes, { mtime: zipTime, level: /\.(?:pdf|xlsx)$/.test(name) ? 0 : 6 }];
  return zipSync(entries);
}
