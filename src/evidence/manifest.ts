/** manifest.json: every file of a package with its digest, size and what it counts. It is signed, and its digest is logged. */
import type { Evidence } from '../core/evidence/model.ts';
import { sha256Hex } from '../core/sha256.ts';
import { rfc3339 } from '../core/time.ts';
import type { PackedFile } from '../ports/evidence-pack.ts';
import { asPayload } from './json.ts';

/** A file of a package, counted. */
export interface PackageFile extends PackedFile {
  /** What it holds so many of, such as `{rows: 128}`. */
  readonly counts?: Readonly<Record<string, number>>;
}

/** The manifest's text. @param files sorted by name here, whatever order they come in. */
export function manifestText(evidence: Evidence, files: readonly PackageFile[]): string {
  const { log, period, query, completeness } = evidence;
  const checkpoint = (one: typeof log.end) =>
    one === null ? null : { origin: one.origin, size: one.size, root: one.root };
  return asPayload({
    v: 1,
    kind: 'countersign evidence',
    gate: evidence.gate,
    generator: { name: evidence.generator.name, version: evidence.generator.version },
    madeAt: rfc3339(evidence.madeAtMs),
    madeBy: { ...evidence.madeBy },
    query: {
      from: rfc3339(period.fromMs),
      to: rfc3339(period.toMs),
      asOf: query.asOf,
      command: evidence.command,
    },
    log: {
      origin: log.origin,
      from: log.from,
      to: log.to,
      count: log.count,
      start: checkpoint(log.start),
      end: checkpoint(log.end),
      tier: log.tier,
    },
    rows: completeness.rows,
    asked: completeness.asked,
    complete: completeness.complete,
    files: sorted(files).map((file) => ({
      name: file.name,
      sha256: sha256Hex(file.bytes),
      bytes: file.bytes.length,
      ...(file.counts === undefined ? {} : { counts: file.counts }),
    })),
  });
}

/** For `sha256sum -c`. */
export const sumsText = (files: readonly PackageFile[]): string =>
  sorted(files)
    .map((file) => `${sha256Hex(file.bytes)}  ${file.name}\n`)
    .join('');

const sorted = (files: readonly PackageFile[]): readonly PackageFile[] =>
  files.toSorted((a, b) => (a.name < b.name ? -1 : 1));
