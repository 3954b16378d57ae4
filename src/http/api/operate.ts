/** What operators do by HTTP: accept a tool's definition. */
import { asSha256Hex } from '../../core/ids.ts';
import { refuse } from '../../core/refusal.ts';
import { err, ok } from '../../core/result.ts';
import { acceptTool } from '../../app/review.ts';
import { Fields, readBody } from './body.ts';
import { personOf, type Handler } from './call.ts';
import { idempotencyOf } from './idempotency.ts';

/** Of a definition. */
const hashForm = /^[0-9a-f]{64}$/;
/** What no definition has: stands where there is nothing to accept. */
const noHash = asSha256Hex('0'.repeat(64));

/**
 * `POST /v1/servers/S/tools/T/accept`: operators only. `hash` names the definition that was looked at; without it, it is the
 * newest that the server gave. Again: nothing more changes.
 */
export const accept: Handler = async (call) => {
  const person = personOf(call);
  if (!person.ok) return person;
  const body = await readBody(call.request);
  if (!body.ok) return body;
  const fields = new Fields(body.value);
  const hash = fields.optionalText('hash', 64);
  const refusal = fields.refusal();
  if (refusal !== undefined) return err(refusal);
  if (hash !== null && !hashForm.test(hash))
    return err(
      refuse('input_invalid', '"hash" must be the 64 hexadecimal digits of a definition.', {
        pointer: '/hash',
      }),
    );
  const idempotency = idempotencyOf(call, body.value);
  if (!idempotency.ok) return idempotency;
  const { server = '', tool = '' } = call.path;
  const seen = (await call.parts.store.tools(server)).find((one) => one.tool === tool);
  const shown = hash === null ? (seen?.seenHash ?? seen?.hash ?? noHash) : asSha256Hex(hash);
  const accepted = await acceptTool(call.parts, person.value, { server, tool, hash: shown });
  if (!accepted.ok) return accepted;
  const pinned = (await call.parts.store.tools(server)).find((one) => one.tool === tool);
  return ok({
    status: 200,
    body: { server, tool, status: pinned?.status ?? 'disabled', hash: pinned?.hash ?? null },
  });
};
