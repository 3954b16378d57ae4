/** What evidence is asked for, as people say it: on the command line, in a form, in a body. */
import type { EvidenceQuery, SampleQuery } from '../core/evidence/model.ts';
import { err, ok, type Result } from '../core/result.ts';

export interface SaidEvidence {
  /** A day (UTC), such as 2026-10-01, or RFC 3339. Inclusive. */
  readonly from: string | undefined;
  /** The same. Exclusive: a day is not in it. */
  readonly to: string | undefined;
  /** Entries of the log that count. */
  readonly asOf?: string | undefined;
  /** Row numbers: "1,5,9". */
  readonly rows?: string | undefined;
  /** How many rows are chosen by the end checkpoint and `number`. */
  readonly count?: string | undefined;
  /** The auditor's, in decimal digits. */
  readonly number?: string | undefined;
}

const dayForm = /^\d{4}-\d{2}-\d{2}$/;
const timeForm = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/;
const wholeForm = /^\d{1,15}$/;

/** The query that is meant; else one sentence of what is wrong. */
export function evidenceQueryOf(said: SaidEvidence): Result<EvidenceQuery, string> {
  const from = momentOf(said.from, 'from');
  if (!from.ok) return from;
  const to = momentOf(said.to, 'to');
  if (!to.ok) return to;
  if (from.value >= to.value) return err('The period must end after it begins; the day “to” is not in it.');
  const samples = samplesOf(said);
  if (!samples.ok) return samples;
  const { asOf = '' } = said;
  if (asOf !== '' && !wholeForm.test(asOf)) return err('“as of” is a number of entries of the log.');
  return ok({
    fromMs: from.value,
    toMs: to.value,
    asOf: asOf === '' ? null : Number(asOf),
    samples: samples.value,
  });
}

function momentOf(text: string | undefined, name: string): Result<number, string> {
  if (text === undefined || text === '')
    return err(`Say when the period begins and ends: “${name}” is missing.`);
  const ms = dayForm.test(text)
    ? Date.parse(`${text}T00:00:00Z`)
    : timeForm.test(text)
      ? Date.parse(text)
      : NaN;
  // A day that is none, such as 31 February, would be taken for another.
  const kept = Number.isFinite(ms) && (!dayForm.test(text) || new Date(ms).toISOString().startsWith(text));
  return kept ? ok(ms) : err(`“${text}” is no day such as 2026-10-01, and no RFC 3339 time.`);
}

function samplesOf({ rows = '', count = '', number = '' }: SaidEvidence): Result<SampleQuery | null, string> {
  if (rows !== '' && (count !== '' || number !== ''))
    return err('Either name rows, or say how many and the auditor’s number; not both.');
  if (rows !== '') {
    const said = rows.split(',').map((one) => one.trim());
    return said.every((one) => wholeForm.test(one))
      ? ok({ kind: 'rows', rows: said.map(Number) })
      : err('Samples are row numbers with commas between, such as 1,5,9.');
  }
  if (count === '' && number === '') return ok(null);
  if (!wholeForm.test(count)) return err('Say how many samples, as a number.');
  return number === ''
    ? err('Say the auditor’s number, which nobody else has chosen.')
    : ok({ kind: 'seed', number, count: Number(count) });
}
