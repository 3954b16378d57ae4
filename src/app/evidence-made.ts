/** What is written about the evidence: that it was made, by whoever delivers it, and what management answers. */
import type { Idempotency } from '../core/command.ts';
import type { Principal } from '../core/directory.ts';
import { aboutNothing } from '../core/entry.ts';
import type { Evidence } from '../core/evidence/model.ts';
import type { Sha256Hex } from '../core/ids.ts';
import type { JsonObject } from '../core/json.ts';
import { refuse, type Refusal } from '../core/refusal.ts';
import { err, ok, type Result } from '../core/result.ts';
import { rfc3339 } from '../core/time.ts';
import type { Parts } from './parts.ts';
import { refusalOf } from './review.ts';

type Writing = Pick<Parts, 'store'>;

/**
 * Writes `evidence.made`, before anything is handed out: what is not written down was not made.
 * @param manifest SHA-256 of the manifest of what is handed out.
 */
export async function recordEvidence(
  { store }: Writing,
  { period, madeBy, log, query, counts, generator }: Evidence,
  manifest: Sha256Hex,
): Promise<Result<null, Refusal>> {
  const { end } = log;
  const written = await store.change({
    kind: 'record',
    entries: [
      {
        type: 'evidence.made',
        by: madeBy.kind === 'person' ? { kind: 'person', id: madeBy.id } : { kind: 'operator' },
        about: aboutNothing,
        subject: null,
        data: {
          from: rfc3339(period.fromMs),
          to: rfc3339(period.toMs),
          asOf: query.asOf,
          rows: counts.rows,
          indexes: [log.from, log.to],
          checkpoint: end === null ? null : { origin: end.origin, size: end.size, root: end.root },
          generator: `${generator.name} ${generator.version}`,
          manifest,
          samples: samplesOf(query.samples),
          // Never a bare name: whoever looks for a person by id would find it as one that the gate knows.
          ...(madeBy.kind === 'operator' && madeBy.stated !== null
            ? { stated: `${madeBy.stated} (stated, not checked)` }
            : {}),
        },
      },
    ],
  });
  return written.ok ? ok(null) : err(refusalOf(written.error));
}

/** Which rows were looked at, so that the same can be asked for again. */
const samplesOf = (samples: Evidence['query']['samples']): JsonObject | null => {
  if (samples === null) return null;
  return samples.kind === 'rows' ? { rows: samples.rows } : { count: samples.count, number: samples.number };
};

/** An operator answers an exception, named as the evidence names it. People only. */
export async function answerException(
  { store }: Writing,
  by: Principal,
  { exception, text }: { readonly exception: string; readonly text: string },
  idempotency?: Idempotency,
): Promise<Result<null, Refusal>> {
  if (by.kind !== 'person')
    return err(refuse('not_a_person', 'Only people answer exceptions of the evidence.'));
  const written = await store.change({ kind: 'answerException', by: by.id, exception, text }, idempotency);
  return written.ok ? ok(null) : err(refusalOf(written.error));
}
