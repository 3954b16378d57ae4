/** `GET /v1/report?last=7d`: what was asked, allowed and denied in a time, and what enforcing would ask of whom. */
import { theGate } from '../../core/acts.ts';
import { mayReadGate } from '../../core/reads.ts';
import { refuse } from '../../core/refusal.ts';
import { err, ok } from '../../core/result.ts';
import { refusesByPolicy } from '../../app/access.ts';
import { makeReport } from '../../app/report.ts';
import { daysIn, reportTimeOf } from '../../app/report-time.ts';
import { personOf, type Handler } from './call.ts';

/** Operators and auditors. One report at a time is made: each may read a million actions. */
export const report: Handler = async (call) => {
  const person = personOf(call);
  if (!person.ok) return person;
  const { parts, url, timezone } = call;
  const directory = await parts.store.directory();
  if (!mayReadGate(directory, person.value))
    return err(refuse('not_permitted', 'Only operators and auditors read the report.'));
  const reading = { person: person.value, act: 'read_gate', subject: theGate } as const;
  const refusal = refusesByPolicy(parts, { directory }, reading);
  if (refusal !== undefined) return err(refusal);
  const of = (name: string): string | undefined => url.searchParams.get(name) ?? undefined;
  const said = { last: of('last'), from: of('from'), to: of('to') };
  const time = reportTimeOf(said, parts.clock.nowMs(), daysIn(timezone));
  if (!time.ok) return err(refuse('input_invalid', time.error, { parameter: 'last' }));
  const ends = call.ends();
  const made = await parts.turns.take('report', () => makeReport(parts, time.value, { timezone, ends }));
  return made === null
    ? err(refuse('upstream_unavailable', 'The report was not finished: the gate is stopping, or you left.'))
    : ok({ status: 200, body: made });
};
