/** Receipts by HTTP: the list of an action's, the files of one, and the root of trust that stock verifiers take. */
import { asActionId } from '../../core/ids.ts';
import { receiptFormats } from '../../core/receipts.ts';
import { refuse } from '../../core/refusal.ts';
import { err, ok } from '../../core/result.ts';
import { listReceipts, receiptFile } from '../../app/receipts.ts';
import { idIn, type Handler } from './call.ts';

/** `GET /v1/actions/ID/receipts`: whoever may see the action; in the order of the log, with what of each they may have. */
export const list: Handler = async (call) => {
  const id = idIn(call, 'action', 'act');
  if (!id.ok) return id;
  const found = await listReceipts(call.parts, call.by, asActionId(id.value));
  if (!found.ok) return found;
  const items = found.value.map(({ index, type, at, text, formats }) => ({
    index,
    type,
    at,
    ...(text === null ? {} : { text }),
    links: Object.fromEntries(
      formats.map((format) => [format, `${call.parts.origin}/v1/log/${index}/receipt?format=${format}`]),
    ),
  }));
  return ok({ status: 200, body: { items } });
};

/** `GET /v1/log/INDEX/receipt?format=bundle|proof|action|key`: a file. Default: the bundle. */
export const one: Handler = async (call) => {
  const { index = '' } = call.path;
  if (!/^\d{1,15}$/.test(index)) return err(refuse('not_found', 'There is no receipt of such an entry.'));
  const said = call.url.searchParams.get('format') ?? 'bundle';
  const format = receiptFormats.find((known) => known === said);
  if (format === undefined)
    return err(
      refuse('input_invalid', `"format" must be ${receiptFormats.join(', ')}.`, { parameter: 'format' }),
    );
  const file = await receiptFile(call.parts, call.by, Number(index), format);
  return file.ok ? ok({ status: 200, body: {}, file: file.value }) : file;
};

/** `GET /v1/trusted-root`: public keys, for everybody who has a token. */
export const trustedRoot: Handler = async ({ parts }) =>
  parts.transparency === undefined
    ? err(refuse('not_found', 'This gate gives no receipts.'))
    : ok({ status: 200, body: await parts.transparency.trustedRoot() });
