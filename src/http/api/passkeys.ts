/**
 * Passkeys by HTTP, for people: what a browser or another program needs to enrol one, and to sign an approval with one. No
 * route here is for agents; who may do what is core's (core/steps/passkeys.ts).
 */
import { isAdmin } from '../../core/directory.ts';
import { asApprovalId, asPersonId, type PersonId } from '../../core/ids.ts';
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import type { Passkey } from '../../core/passkey.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { rfc3339 } from '../../core/time.ts';
import {
  beginEnrolment,
  confirmPasskey,
  enrol as enrolPasskey,
  grantEnrolment,
  nameCharsMax,
  revokePasskey,
  type Speaker,
} from '../../app/passkeys.ts';
import { beginSigning } from '../../app/signing.ts';
import type { Assertion, Registration } from '../../ports/passkeys.ts';
import { Fields, readBody } from './body.ts';
import { idIn, personOf, type Call, type Handler } from './call.ts';

/** Characters of a secret or a challenge that is worth reading. */
const secretCharsMax = 2000;

/** One passkey, for its person and whoever administers. */
export const passkeyView = (one: Passkey, nowMs: number): JsonObject => ({
  id: one.id,
  person: one.person,
  name: one.name,
  aaguid: one.aaguid,
  createdAt: rfc3339(one.atMs),
  countsFrom: rfc3339(one.countsFromMs),
  counts: one.revokedAtMs === null && one.countsFromMs <= nowMs,
  confirmedBy: one.confirmedBy,
  revokedAt: one.revokedAtMs === null ? null : rfc3339(one.revokedAtMs),
});

const textIn = (value: JsonObject, key: string): string => {
  const found = value[key];
  return typeof found === 'string' ? found : '';
};
const objectIn = (value: JsonObject, key: string): JsonObject => {
  const found = value[key];
  return isJsonObject(found) ? found : {};
};

/** A browser's `PublicKeyCredential.toJSON()` after a signature; what is missing is empty, and verifies as nothing. */
export function assertionOf(value: JsonValue): Assertion {
  const credential = isJsonObject(value) ? value : {};
  const response = objectIn(credential, 'response');
  return {
    id: textIn(credential, 'id'),
    clientDataJSON: textIn(response, 'clientDataJSON'),
    authenticatorData: textIn(response, 'authenticatorData'),
    signature: textIn(response, 'signature'),
  };
}

/** The same after a passkey was made. */
export function registrationOf(value: JsonValue): Registration {
  const credential = isJsonObject(value) ? value : {};
  const response = objectIn(credential, 'response');
  const transports = response['transports'] ?? [];
  return {
    id: textIn(credential, 'id'),
    clientDataJSON: textIn(response, 'clientDataJSON'),
    attestationObject: textIn(response, 'attestationObject'),
    transports: (isJsonArray(transports) ? transports : []).filter((one) => typeof one === 'string'),
  };
}

async function fieldsOf(call: Call): Promise<Result<Fields, Refusal>> {
  const body = await readBody(call.request);
  return body.ok ? ok(new Fields(body.value)) : body;
}

/** `GET /v1/passkeys?person=`: one's own; anybody's for who administers. */
export const list: Handler = async (call) => {
  const by = personOf(call);
  if (!by.ok) return by;
  const said = call.url.searchParams.get('person');
  const person = said === null ? by.value : asPersonId(said);
  const { store, clock } = call.parts;
  if (person !== by.value && !isAdmin(await store.directory(), by.value))
    return err(refuse('not_permitted', 'Only an administrator reads the passkeys of others.'));
  const items = (await store.passkeysOf(person)).map((one) => passkeyView(one, clock.nowMs()));
  return ok({ status: 200, body: { items } });
};

/** `POST /v1/passkeys/options`: the challenges for one new passkey, good for five minutes. */
export const options: Handler = async (call) => {
  const person = personOf(call);
  if (!person.ok) return person;
  const fields = await fieldsOf(call);
  const refusal = fields.ok ? fields.value.refusal() : fields.error;
  if (refusal !== undefined) return err(refusal);
  const begun = await beginEnrolment(call.parts, person.value);
  if (!begun.ok) return begun;
  const { rpId, create, challenge, allow, user, expiresAtMs } = begun.value;
  const body = { rpId, user, create, vouch: { challenge, allow }, expiresAt: rfc3339(expiresAtMs) };
  return ok({ status: 200, body });
};

/** `POST /v1/passkeys`: `{name, challenge, credential, grant? | vouch?}`. */
export const enrol: Handler = async (call) => {
  const person = personOf(call);
  if (!person.ok) return person;
  const read = await fieldsOf(call);
  if (!read.ok) return read;
  const fields = read.value;
  const input = {
    name: fields.text('name', nameCharsMax),
    challenge: fields.text('challenge', secretCharsMax),
    registration: registrationOf(fields.object('credential')),
    grant: fields.optionalText('grant', secretCharsMax),
    vouch: fields.optionalObject('vouch'),
  };
  const refusal = fields.refusal();
  if (refusal !== undefined) return err(refusal);
  const assertion = input.vouch === null ? null : assertionOf(input.vouch);
  const enrolled = await enrolPasskey(call.parts, person.value, { ...input, assertion });
  return enrolled.ok ? oneOf(call, input.registration.id, 201) : enrolled;
};

/** A passkey after a change, for whoever changed it. */
async function oneOf(call: Call, id: string, status: number): ReturnType<Handler> {
  const one = await call.parts.store.passkey(id);
  return one === undefined
    ? err(refuse('not_found', 'There is no such passkey.'))
    : ok({ status, body: passkeyView(one, call.parts.clock.nowMs()) });
}

const speakerOf = ({ by }: Call, id: PersonId): Speaker => ({
  id,
  way: by.kind === 'person' ? by.way : undefined,
});

/** A change of one passkey, named by the path, without a body. */
const changing =
  (change: (call: Call, by: PersonId, id: string) => Promise<Result<null, Refusal>>): Handler =>
  async (call) => {
    const by = personOf(call);
    if (!by.ok) return by;
    const fields = await fieldsOf(call);
    const refusal = fields.ok ? fields.value.refusal() : fields.error;
    if (refusal !== undefined) return err(refusal);
    const id = call.path['passkey'] ?? '';
    const changed = await change(call, by.value, id);
    return changed.ok ? oneOf(call, id, 200) : changed;
  };

/** `POST /v1/passkeys/ID/revoke`: one's own, and any for who administers. */
export const revoke: Handler = changing((call, by, id) => revokePasskey(call.parts, by, id));

/** `POST /v1/passkeys/ID/confirm`: a second person who administers; it counts at once. */
export const confirm: Handler = changing((call, by, id) =>
  confirmPasskey(call.parts, speakerOf(call, by), id),
);

/** `POST /v1/people/ID/enrolments`: lets somebody else enrol one passkey; the answer's token is shown once. */
export const grant: Handler = async (call) => {
  const by = personOf(call);
  if (!by.ok) return by;
  const fields = await fieldsOf(call);
  const refusal = fields.ok ? fields.value.refusal() : fields.error;
  if (refusal !== undefined) return err(refusal);
  const granted = await grantEnrolment(
    call.parts,
    speakerOf(call, by.value),
    asPersonId(call.path['person'] ?? ''),
  );
  if (!granted.ok) return granted;
  const { token, url, expiresAtMs } = granted.value;
  return ok({ status: 201, body: { token, url, expiresAt: rfc3339(expiresAtMs) } });
};

/** `POST /v1/approvals/ID/signing`: `{decision}`; what a passkey signs for it, good for five minutes. */
export const signing: Handler = async (call) => {
  const id = idIn(call, 'approval', 'apr');
  if (!id.ok) return id;
  const read = await fieldsOf(call);
  if (!read.ok) return read;
  const decision = read.value.word('decision', ['approve', 'deny']);
  const refusal = read.value.refusal();
  if (refusal !== undefined) return err(refusal);
  const asked = await beginSigning(call.parts, call.by, { approval: asApprovalId(id.value), decision });
  if (!asked.ok) return asked;
  const { expiresAtMs, ...rest } = asked.value;
  return ok({ status: 200, body: { ...rest, expiresAt: rfc3339(expiresAtMs) } });
};
