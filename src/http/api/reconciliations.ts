/** `/v1/reconciliations`: what targets recorded, compared with the log. Auditors and operators read; operators compare. */
import { theGate } from '../../core/acts.ts';
import { canonicalize } from '../../core/canonical.ts';
import { isOperator } from '../../core/directory.ts';
import { asSha256Hex, type PersonId } from '../../core/ids.ts';
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import { mayReadGate } from '../../core/reads.ts';
import {
  reconcileDefaults,
  skewMaxMs,
  type KeptReconciliation,
  type TargetRow,
} from '../../core/reconcile.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { sha256Hex } from '../../core/sha256.ts';
import { refusesByPolicy } from '../../app/access.ts';
import { reconcile } from '../../app/reconcile.ts';
import { daysIn, reportTimeOf } from '../../app/report-time.ts';
import { Fields, readBody } from './body.ts';
import { personOf, type Call, type Handler } from './call.ts';

/** Rows of one request. */
export const rowsMax = 10_000;
const rowsPerExecutionMax = 100_000;

async function reader(call: Call): Promise<Result<PersonId, Refusal>> {
  const person = personOf(call);
  if (!person.ok) return person;
  const directory = await call.parts.store.directory();
  if (!mayReadGate(directory, person.value))
    return err(refuse('not_permitted', 'Only operators and auditors read reconciliations.'));
  const reading = { person: person.value, act: 'read_gate', subject: theGate } as const;
  const refusal = refusesByPolicy(call.parts, { directory }, reading);
  return refusal === undefined ? person : err(refusal);
}

/** `GET /v1/reconciliations?from=&to=`: newest first, at most 100, without their rows. Default: of all times. */
export const list: Handler = async (call) => {
  const person = await reader(call);
  if (!person.ok) return person;
  const of = (name: string): string | undefined => call.url.searchParams.get(name) ?? undefined;
  const said = { from: of('from'), to: of('to') };
  const all = said.from === undefined && said.to === undefined;
  const time = reportTimeOf(said, call.parts.clock.nowMs(), daysIn(call.timezone));
  if (!all && !time.ok) return err(refuse('input_invalid', time.error, { parameter: 'from' }));
  const { fromMs, toMs } = all || !time.ok ? { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER } : time.value;
  const items = await call.parts.store.reconciliations(fromMs, toMs);
  return ok({ status: 200, body: { items: items.map(brief) } });
};

const brief = ({ targetOnly, gateOnly, ...one }: KeptReconciliation): object => ({
  ...one,
  targetOnly: { count: targetOnly.count },
  gateOnly: { count: gateOnly.count },
});

/** `GET /v1/reconciliations/ID`: with its rows, as far as they are kept. */
export const show: Handler = async (call) => {
  const person = await reader(call);
  if (!person.ok) return person;
  const one = await call.parts.store.reconciliation(call.path['reconciliation'] ?? '');
  return one === undefined
    ? err(refuse('not_found', 'There is no such reconciliation.'))
    : ok({ status: 200, body: one });
};

/** `POST /v1/reconciliations`: `{from, to?, targets?, rows: [{at, what, who?, id?}], name?, skewSeconds?, rowsPerExecution?}` → 201. Operators only. */
export const create: Handler = async (call) => {
  const person = personOf(call);
  if (!person.ok) return person;
  const { parts } = call;
  // The transaction asks again; before, nothing is read for somebody who may not.
  if (!isOperator(await parts.store.directory(), person.value))
    return err(refuse('not_permitted', 'Only operators compare the log with what targets recorded.'));
  const body = await readBody(call.request);
  if (!body.ok) return body;
  const { rows: given, targets: named, ...rest } = body.value;
  const fields = new Fields(rest);
  const name = fields.optionalText('name', 120) ?? 'the request';
  const from = fields.text('from', 40);
  const to = fields.optionalText('to', 40);
  const has = (field: string): boolean => Object.hasOwn(rest, field);
  const skewMs = has('skewSeconds')
    ? fields.whole('skewSeconds', { min: 0, max: skewMaxMs / 1000 }) * 1000
    : reconcileDefaults.skewMs;
  const rowsPerExecution = has('rowsPerExecution')
    ? fields.whole('rowsPerExecution', { min: 1, max: rowsPerExecutionMax })
    : reconcileDefaults.rowsPerExecution.json;
  const refusal = fields.refusal();
  if (refusal !== undefined) return err(refusal);
  const targets = targetsIn(named);
  const rows = rowsIn(given);
  if (!targets.ok) return targets;
  if (!rows.ok) return rows;
  const time = reportTimeOf({ from, to: to ?? undefined }, parts.clock.nowMs(), daysIn(call.timezone));
  if (!time.ok) return err(refuse('input_invalid', time.error, { pointer: '/from' }));
  const sha256 = asSha256Hex(sha256Hex(canonicalize(given ?? [])));
  const done = await reconcile(parts, {
    ...time.value,
    by: { kind: 'person', id: person.value },
    source: 'json',
    targets: targets.value,
    skewMs,
    rowsPerExecution,
    rows: rows.value,
    files: () => [{ name, sha256 }],
  });
  return done.ok ? ok({ status: 201, body: done.value }) : done;
};

function targetsIn(value: JsonValue | undefined): Result<readonly string[], Refusal> {
  if (value === undefined || value === null) return ok([]);
  const texts = isJsonArray(value) ? value.filter((one) => typeof one === 'string') : [];
  return isJsonArray(value) && texts.length === value.length && texts.length <= 100 && texts.every(isName)
    ? ok(texts)
    : err(refuse('input_invalid', '"targets" must be a list of names of servers.', { pointer: '/targets' }));
}

const isName = (text: string): boolean => /^[A-Za-z0-9._-]{1,64}$/.test(text);

function rowsIn(value: JsonValue | undefined): Result<readonly TargetRow[], Refusal> {
  if (!isJsonArray(value) || value.length > rowsMax)
    return err(
      refuse('input_invalid', `"rows" must be a list of at most ${rowsMax} rows.`, { pointer: '/rows' }),
    );
  const rows: TargetRow[] = [];
  for (const [at, one] of value.entries()) {
    const row = isJsonObject(one) ? rowIn(one, at) : undefined;
    if (row === undefined)
      return err(
        refuse('input_invalid', 'A row is {"at": RFC 3339, "what": text, "who"?: text, "id"?: text}.', {
          pointer: `/rows/${at}`,
        }),
      );
    rows.push(row);
  }
  return ok(rows);
}

const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

function rowIn(
  { at, what, who = null, id = null, ...rest }: JsonObject,
  index: number,
): TargetRow | undefined {
  const fits =
    typeof at === 'string' &&
    timeForm.test(at) &&
    typeof what === 'string' &&
    (who === null || typeof who === 'string') &&
    (id === null || typeof id === 'string') &&
    Object.keys(rest).length === 0;
  if (!fits) return undefined;
  const atMs = Date.parse(at);
  return { file: 0, place: index + 1, atMs: Number.isNaN(atMs) ? null : atMs, what, who, named: id };
}
