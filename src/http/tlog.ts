/** Who reads `/tlog/…` where it is not public: an auditor, by token or by session. */
import { theGate } from '../core/acts.ts';
import type { PersonId } from '../core/ids.ts';
import { allows } from '../app/access.ts';
import type { Parts } from '../app/parts.ts';
import { absencesNow } from '../app/review.ts';
import type { Identity } from '../ports/identity.ts';

/** Whether who sends a request may read the log. */
export async function readsLog(parts: Parts, identity: Identity, request: Request): Promise<boolean> {
  const person = await personOf(identity, request);
  if (person === undefined) return false;
  return allows(parts, await absencesNow(parts), { person, act: 'read_log', subject: theGate });
}

async function personOf(identity: Identity, request: Request): Promise<PersonId | undefined> {
  if (request.headers.has('authorization')) {
    const by = await identity.bearer(request);
    return by.ok && by.value.kind === 'person' ? by.value.id : undefined;
  }
  const session = await identity.session(request);
  return session.ok ? session.value.person : undefined;
}
