/** `POST /v1/evidence`: a package of evidence as a zip. `POST /v1/evidence/answers`: what management says to an exception. */
import { isJsonArray, isJsonObject, type JsonObject } from '../../core/json.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { answerException } from '../../app/evidence-made.ts';
import { evidenceQueryOf, type SaidEvidence } from '../../app/evidence-said.ts';
import { refusesEvidence } from '../../app/evidence.ts';
import { answerCharsMax } from '../../core/evidence/exception-names.ts';
import { Fields, readBody } from './body.ts';
import { personOf, type Handler } from './call.ts';
import { idempotencyOf } from './idempotency.ts';

/** Auditors and operators. One at a time is made; who asks meanwhile gets `quota`. */
export const make: Handler = async (call) => {
  const person = personOf(call);
  if (!person.ok) return person;
  const { parts } = call;
  const no = await refusesEvidence(parts, person.value);
  if (no !== undefined) return err(no);
  const body = await readBody(call.request);
  if (!body.ok) return body;
  const said = saidIn(body.value);
  if (!said.ok) return said;
  const query = evidenceQueryOf(said.value);
  if (!query.ok) return err(refuse('input_invalid', query.error));
  if (parts.evidence === undefined)
    return err(
      refuse('upstream_unavailable', 'This gate makes no evidence: it has no keys to sign it with.'),
    );
  const ends = call.ends();
  const made = await parts.evidence
    .make({ by: { kind: 'person', id: person.value }, query: query.value, ends })
    .catch((error: unknown) => {
      if (!ends.aborted) throw error;
      return err(
        refuse('upstream_unavailable', 'The evidence was not finished: the gate is stopping, or you left.'),
      );
    });
  if (!made.ok) return made;
  const { name, packed } = made.value;
  return ok({
    status: 200,
    body: {},
    file: { name: `${name}.zip`, type: 'application/zip', text: packed.zip() },
  });
};

/** `{from, to, asOf?, samples?: {rows: [1, 5]} | {count, number}}`. */
function saidIn(body: JsonObject): Result<SaidEvidence, Refusal> {
  const fields = new Fields(body);
  const from = fields.text('from', 40);
  const to = fields.text('to', 40);
  const asOf =
    body['asOf'] === undefined ? undefined : fields.whole('asOf', { min: 0, max: Number.MAX_SAFE_INTEGER });
  const samples = fields.optionalObject('samples');
  const refusal = fields.refusal();
  if (refusal !== undefined) return err(refusal);
  const chosen = samples === null ? {} : choiceIn(samples);
  return chosen === undefined
    ? err(
        refuse('input_invalid', '"samples" must be {"rows": [1, 5]} or {"count": 25, "number": "digits"}.', {
          pointer: '/samples',
        }),
      )
    : ok({ from, to, ...(asOf === undefined ? {} : { asOf: String(asOf) }), ...chosen });
}

function choiceIn(samples: JsonObject): Pick<SaidEvidence, 'rows' | 'count' | 'number'> | undefined {
  const { rows, count, number, ...rest } = samples;
  if (Object.keys(rest).length > 0 || !isJsonObject(samples)) return undefined;
  if (isJsonArray(rows) && count === undefined && number === undefined)
    return rows.every((one) => typeof one === 'number') ? { rows: rows.join(',') } : undefined;
  return rows === undefined && typeof count === 'number' && typeof number === 'string'
    ? { count: String(count), number }
    : undefined;
}

/** Operators. `{exception, text}` → 201. */
export const answer: Handler = async (call) => {
  const person = personOf(call);
  if (!person.ok) return person;
  const body = await readBody(call.request);
  if (!body.ok) return body;
  const fields = new Fields(body.value);
  const exception = fields.text('exception', 400);
  const text = fields.text('text', answerCharsMax * 2);
  const refusal = fields.refusal();
  if (refusal !== undefined) return err(refusal);
  const idempotency = idempotencyOf(call, body.value);
  if (!idempotency.ok) return idempotency;
  const done = await answerException(call.parts, call.by, { exception, text }, idempotency.value);
  return done.ok ? ok({ status: 201, body: { exception } }) : done;
};
