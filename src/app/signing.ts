/**
 * Signing an approval with a passkey: the gate says what is signed, the person's authenticator signs its hash, and the review
 * brings it back (proof.ts).
 */
import {
  challengeOf,
  signingKind,
  signingMs,
  statementText,
  type Passkey,
  type Statement,
} from '../core/passkey.ts';
import type { Principal } from '../core/directory.ts';
import type { ApprovalId, PersonId } from '../core/ids.ts';
import { refuse, type Refusal } from '../core/refusal.ts';
import { displayHash } from '../core/render/display.ts';
import { err, ok, type Result } from '../core/result.ts';
import { judgeNow } from './again.ts';
import type { Parts } from './parts.ts';
import { noPasskeys } from './proof.ts';
import { readHeld, refusalOf } from './review.ts';

/** What one person may begin with passkeys within a minute. */
export const begunPerMinuteMax = 30;

/** What a browser needs to ask an authenticator for a signature. */
export interface Asking {
  readonly rpId: string;
  /** Base64url. */
  readonly challenge: string;
  readonly allow: readonly Pick<Passkey, 'id' | 'transports'>[];
  readonly expiresAtMs: number;
}

/** Takes one from what a person may begin this minute. */
export function refusesPace(parts: Parts, person: PersonId): Refusal | undefined {
  const more = { times: 1, max: begunPerMinuteMax };
  return parts.pace.begun.takes(person, more, parts.clock.nowMs())
    ? undefined
    : refuse('quota', 'You began this too often within a minute; wait a little.', { max: begunPerMinuteMax });
}

export const base64urlOf = (hexadecimal: string): string =>
  Buffer.from(hexadecimal, 'hex').toString('base64url');

/** A person's passkeys that can be asked for a signature. */
export const usable = async (parts: Parts, person: PersonId): Promise<readonly Passkey[]> =>
  (await parts.store.passkeysOf(person)).filter((one) => one.revokedAtMs === null);

/** Issues the challenge for one decision by one person: the hash of what they are shown, of what they would decide, and of the policies in force. */
export async function beginSigning(
  parts: Parts,
  by: Principal,
  of: { readonly approval: ApprovalId; readonly decision: 'approve' | 'deny' },
): Promise<Result<Asking & { readonly statement: string }, Refusal>> {
  if (by.kind !== 'person') return err(refuse('not_a_person', 'Agents cannot review; a person must.'));
  const site = parts.passkeys?.site ?? err(noPasskeys);
  if (!site.ok) return site;
  const held = await readHeld(parts, by, of.approval);
  if (!held.ok) return held;
  const passkeys = await usable(parts, by.id);
  if (passkeys.length === 0)
    return err(
      refuse('step_up_required', `You have no passkey yet. Enrol one at ${parts.origin}/passkeys.`, {
        person: by.id,
      }),
    );
  const pace = refusesPace(parts, by.id);
  if (pace !== undefined) return err(pace);
  const [again, directory] = await Promise.all([
    judgeNow(parts, held.value, [by.id]),
    parts.store.directory(),
  ]);
  const expiresAtMs = parts.clock.nowMs() + signingMs;
  const statement = statementText({
    v: 1,
    ...of,
    digest: held.value.asked.digest,
    shown: displayHash(held.value, directory),
    person: by.id,
    policies: again.verdict.policyDigest,
    nonce: Buffer.from(parts.random.bytes(16)).toString('hex'),
    expiresAtMs,
  } satisfies Statement);
  const hash = challengeOf(statement);
  const begun = { hash, kind: signingKind, person: by.id, body: statement, expiresAtMs };
  const result = await parts.store.change({ kind: 'begin', begun });
  return result.ok
    ? ok({
        rpId: site.value.rpId,
        challenge: base64urlOf(hash),
        allow: passkeys.map(({ id, transports }) => ({ id, transports })),
        expiresAtMs,
        statement,
      })
    : err(refusalOf(result.error));
}
