/** The log by HTTP, for auditors: entries in order, narrowed as on the log's page, and all of that as a file. */
import { theGate } from '../../core/acts.ts';
import { entryWords } from '../../core/render/log-words.ts';
import type { Absences } from '../../core/delegation.ts';
import type { PersonId } from '../../core/ids.ts';
import { mayReadLog } from '../../core/reads.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { maskSecrets } from '../../core/secrets.ts';
import { refusesByPolicy } from '../../app/access.ts';
import { exportFormats, exportLog, exportTerms, personReader } from '../../app/log-export.ts';
import { scanSeen } from '../../app/log-sight.ts';
import { filterOf, notUnderstood, wantedFrom, type Wanted } from '../../app/log-wanted.ts';
import { absencesNow } from '../../app/review.ts';
import { afterIndexOf, limitOf, personOf, type Call, type Handler } from './call.ts';

/** Who reads the log, with the world that they are judged in. */
async function readerOf(
  call: Call,
): Promise<Result<{ readonly person: PersonId; readonly now: Absences }, Refusal>> {
  const person = personOf(call);
  if (!person.ok) return person;
  const now = await absencesNow(call.parts);
  if (!mayReadLog(now.directory, person.value))
    return err(refuse('not_permitted', 'Only auditors read the log.'));
  const reading = { person: person.value, act: 'read_log', subject: theGate } as const;
  const refusal = refusesByPolicy(call.parts, now, reading);
  return refusal === undefined ? ok({ person: person.value, now }) : err(refusal);
}

/** The filters of the query; one that means nothing is refused, because what it leaves out would go unseen. */
function wantedOf({ url }: Call): Result<Wanted, Refusal> {
  const wanted = wantedFrom((name) => url.searchParams.get(name));
  const [wrong] = notUnderstood(wanted);
  return wrong === undefined
    ? ok(wanted)
    : err(refuse('input_invalid', `"${wrong}" could not be understood.`, { parameter: wrong }));
}

/**
 * `GET /v1/log?after=N&limit=M&agent=…`: entries in order, secrets masked. The signed bytes are elsewhere. With filters one answer
 * looks through a bounded part of the log, so that it may be short, or empty, and still have a `next`.
 */
export const list: Handler = async (call) => {
  const person = personOf(call);
  if (!person.ok) return person;
  const limit = limitOf(call);
  if (!limit.ok) return limit;
  const after = afterIndexOf(call);
  if (!after.ok) return after;
  const wanted = wantedOf(call);
  if (!wanted.ok) return wanted;
  const reader = await readerOf(call);
  if (!reader.ok) return reader;
  const { person: by, now } = reader.value;
  const query = { ...filterOf(wanted.value), first: after.value + 1, until: null, limit: limit.value };
  const found = await scanSeen({ parts: call.parts, world: now, person: by }, query, ({ entry, held }) => ({
    index: entry.index,
    at: entry.at,
    type: entry.type,
    by: entry.by,
    about: entry.about,
    data: maskSecrets(entry.data),
    sentence: entryWords(entry, now.directory, held?.asked ?? null).text,
    ...(entry.erased === true ? { erased: true } : {}),
  }));
  const { entries: items } = found;
  return ok({ status: 200, body: { items, ...(found.more ? { next: found.searchedTo - 1 } : {}) } });
};

/** `GET /v1/log/export?format=csv&agent=…`: decides nothing, and leaves an entry that says who took what. */
export const take: Handler = async (call) => {
  const wanted = wantedOf(call);
  if (!wanted.ok) return wanted;
  const reader = await readerOf(call);
  if (!reader.ok) return reader;
  const format = exportFormats.find((one) => one === call.url.searchParams.get('format'));
  if (format === undefined)
    return err(refuse('input_invalid', '"format" must be csv, jsonl or ocsf.', { parameter: 'format' }));
  // Nothing is taken by asking for its headers, so nothing is recorded.
  if (call.request.method === 'HEAD') return ok({ status: 200, body: {} });
  const { parts } = call;
  const { person, now } = reader.value;
  const asked = { wanted: wanted.value, format, ends: call.ends(), ...(await exportTerms(parts)) };
  const made = await exportLog(parts.store, personReader(parts, now, person), asked);
  if (!made.ok) return made;
  const headers = { 'countersign-rows': String(made.value.rows) };
  return ok({ status: 200, body: {}, download: { ...made.value, headers } });
};
