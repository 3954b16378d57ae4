/**
 * `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a client that does not know whether its POST arrived sends
 * it again under the same key, and learns what the first did. The key is one of its sender's own; nobody can guess into
 * another's.
 */
import { canonicalize } from '../../core/canonical.ts';
import type { Idempotency } from '../../core/command.ts';
import type { JsonObject } from '../../core/json.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import { ok, err, type Result } from '../../core/result.ts';
import { sha256Hex } from '../../core/sha256.ts';
import type { Call } from './call.ts';

/** 1 to 255 visible ASCII characters. */
const keyForm = /^[\x21-\x7e]{1,255}$/;

/** The key of this call with what was asked under it; undefined where none was sent. */
export function idempotencyOf(call: Call, body: JsonObject): Result<Idempotency | undefined, Refusal> {
  const key = call.request.headers.get('idempotency-key');
  if (key === null) return ok(undefined);
  if (!keyForm.test(key)) {
    return err(
      refuse('input_invalid', 'An Idempotency-Key has 1 to 255 visible ASCII characters.', {
        header: 'idempotency-key',
      }),
    );
  }
  const { request, url, by } = call;
  // How long a caller waits is no part of what it asks, so the query is left out.
  // For whom an agent acts is: what was asked for one person is not answered to the session of another.
  const chain = by.kind === 'agent' && by.chain !== undefined ? `\n${JSON.stringify(by.chain)}` : '';
  const fingerprint = sha256Hex(`${request.method}\n${url.pathname}\n${canonicalize(body)}${chain}`);
  return ok({ principal: `${by.kind}:${by.id}`, key, fingerprint });
}
