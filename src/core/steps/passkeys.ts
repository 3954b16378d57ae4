/**
 * Passkeys: enrolling one is a privileged act, because whoever has one can approve. It takes a grant by another person, or by
 * whoever has the configuration's file system rights, or the signature of a passkey that counts already; the person is told;
 * and unless another person granted it, it counts only after a while, in which a hijacked session would be noticed.
 */
import type { Way } from '../accounts.ts';
import { begunMax, spentFor } from '../begun.ts';
import { refusesConfirming } from '../claims.ts';
import type {
  BeginCommand,
  ConfirmPasskeyCommand,
  EnrolPasskeyCommand,
  GrantPasskeyCommand,
  RevokePasskeyCommand,
} from '../command-access.ts';
import type { By } from '../case.ts';
import { isAdmin, personIn } from '../directory.ts';
import { aboutNothing, type EntryDraft } from '../entry.ts';
import { asPersonId, type PersonId } from '../ids.ts';
import type { Loaded, Needs, Step, Write } from '../loaded.ts';
import { noteOf } from '../note.ts';
import {
  counterOf,
  enrolmentChallengeOf,
  enrolmentText,
  passkeysMax,
  refusesPasskey,
  signedChallengeOf,
  type Passkey,
  type VerifiedProof,
} from '../passkey.ts';
import { ok } from '../result.ts';
import { refuse, type Refusal } from '../refusal.ts';
import { data, done, refused } from './common.ts';

/** What a challenge for a new passkey may finish. */
export const enrolKind = 'passkey.enrol';
/** What a granted enrolment may finish; its body says who granted it: a person's id, or nothing for the operator. */
export const grantKind = 'passkey.grant';

type PasskeyEntry = Extract<EntryDraft['type'], `passkey.${string}`>;

const entry = (type: PasskeyEntry, by: By, fields: object): EntryDraft => ({
  type,
  by,
  about: aboutNothing,
  subject: null,
  data: data(fields),
});

const told = (loaded: Loaded, person: PersonId, kind: PasskeyEntry, fields: object): Write => ({
  row: 'note',
  note: noteOf({ person, kind, body: data(fields), atMs: loaded.nowMs }),
});

/** What the step of a review reads for the signature that it carries. */
export const proofNeeds = (proof: VerifiedProof | undefined): Pick<Needs, 'begun' | 'passkeys'> =>
  proof === undefined
    ? {}
    : {
        begun: [signedChallengeOf(proof.clientDataJSON) ?? ''],
        passkeys: { ids: [proof.credential], of: [] },
      };

export const enrolmentNeeds = ({ challenge, grant, proof, passkey, person }: EnrolPasskeyCommand): Needs => ({
  rows: 'nothing',
  begun: [challenge, ...(grant === null ? [] : [grant])],
  passkeys: { ids: [passkey.id, ...(proof === null ? [] : [proof.credential])], of: [person] },
});

export function begin({ begun }: BeginCommand, loaded: Loaded): Step {
  if (begun.person !== null && personIn(loaded.directory, begun.person) === undefined)
    return refused(refuse('not_a_person', 'This account belongs to no person of the directory.'));
  if ((loaded.begunOpen ?? 0) >= begunMax)
    return refused(refuse('quota', 'Too many are waiting to be finished here; try again in some minutes.'));
  return { ...done, writes: [{ row: 'begun', begun: { ...begun, usedAtMs: null } }] };
}

/** Whoever administers may grant and confirm, but never for themself. */
function refusesSecond(
  { by, way }: { readonly by: PersonId; readonly way: Way | undefined },
  person: PersonId,
  loaded: Loaded,
): Refusal | undefined {
  if (by === person)
    return refuse('not_permitted', 'Nobody does this for themself; another administrator must.', { person });
  if (!isAdmin(loaded.directory, by))
    return refuse('not_permitted', 'Only an administrator may do this.', { by });
  // What is new itself vouches for nothing: an account, or a group that a provider claimed lately.
  return refusesConfirming(by, way?.countsFromMs ?? 0, person, loaded);
}

export function grantPasskey(command: GrantPasskeyCommand, loaded: Loaded): Step {
  const { person, by, hash, expiresAtMs } = command;
  const { way } = command;
  const no = by.kind === 'person' ? refusesSecond({ by: by.id, way }, person, loaded) : undefined;
  if (no !== undefined) return refused(no, [entry('passkey.refused', by, { for: person, code: no.code })]);
  // The operator's command works on an empty store too: what it gives opens nothing until the directory names the person.
  if (by.kind === 'person' && personIn(loaded.directory, person) === undefined)
    return refused(refuse('not_found', 'There is no such person.'));
  const granted = by.kind === 'person' ? by.id : null;
  return {
    ...done,
    writes: [
      {
        row: 'begun',
        begun: { hash, kind: grantKind, person, body: granted ?? '', expiresAtMs, usedAtMs: null },
      },
      told(loaded, person, 'passkey.granted', { by: granted }),
    ],
    entries: [entry('passkey.granted', by, { person, expiresAtMs })],
  };
}

/** Who vouches for a new passkey: another person, the operator, or a passkey of the same person. */
type Voucher =
  | { readonly kind: 'person'; readonly by: PersonId }
  | { readonly kind: 'operator' }
  | { readonly kind: 'passkey'; readonly passkey: Passkey };

const withoutVoucher = refuse(
  'step_up_required',
  'A passkey is enrolled with one that you have, or with an enrolment that an administrator granted you.',
);

// RULE passkey-enrolment
function voucherOf(command: EnrolPasskeyCommand, loaded: Loaded): Voucher | Refusal {
  const { person, grant, proof, challenge } = command;
  if (grant !== null) {
    const row = loaded.begun.find((one) => one.hash === grant);
    const spent = spentFor(row, grantKind, { person, nowMs: loaded.nowMs });
    if (row === undefined || spent !== undefined)
      return refuse(
        'not_permitted',
        'This enrolment was used, is too old, or was granted to somebody else.',
        {
          grant: spent ?? 'never begun',
        },
      );
    if (row.body === '') return { kind: 'operator' };
    const by = asPersonId(row.body);
    return refusesSecond({ by, way: undefined }, person, loaded) ?? { kind: 'person', by };
  }
  const passkey = loaded.passkeys.find((one) => one.id === proof?.credential);
  if (proof === null || passkey === undefined) return withoutVoucher;
  const text = enrolmentText({ person, challenge });
  if (proof.statement !== text || signedChallengeOf(proof.clientDataJSON) !== enrolmentChallengeOf(text))
    return refuse('step_up_required', 'The passkey signed something else than this enrolment.', {
      signed: proof.statement,
    });
  const now = { passkey, nowMs: loaded.nowMs, tied: () => false };
  return refusesPasskey(proof, person, now) ?? { kind: 'passkey', passkey };
}

function refusesEnrolment(command: EnrolPasskeyCommand, loaded: Loaded): Refusal | undefined {
  const { person, challenge, passkey } = command;
  if (personIn(loaded.directory, person) === undefined)
    return refuse('not_a_person', 'This account belongs to no person of the directory.');
  const begun = loaded.begun.find((one) => one.hash === challenge);
  const spent = spentFor(begun, enrolKind, { person, nowMs: loaded.nowMs });
  if (spent !== undefined)
    return refuse('not_permitted', 'This enrolment was not begun here just now; begin it again.', {
      challenge: spent,
    });
  if (loaded.passkeys.some((one) => one.id === passkey.id))
    return refuse('input_invalid', 'This passkey is known already, and belongs to one person, ever.');
  const mine = loaded.passkeys.filter((one) => one.person === person && one.revokedAtMs === null);
  return mine.length < passkeysMax
    ? undefined
    : refuse('quota', `One person has at most ${passkeysMax} passkeys; revoke one.`, { max: passkeysMax });
}

export function enrolPasskey(command: EnrolPasskeyCommand, loaded: Loaded): Step {
  const { person, challenge, grant, proof, coolOffMs } = command;
  const by = { kind: 'person', id: person } as const;
  const no = refusesEnrolment(command, loaded);
  const voucher = no ?? voucherOf(command, loaded);
  if ('code' in voucher)
    return refused(voucher, [
      entry('passkey.refused', by, {
        for: person,
        code: voucher.code,
        evidence: voucher.evidence ?? null,
      }),
    ]);
  const { nowMs } = loaded;
  const coolsUntilMs = nowMs + coolOffMs;
  const passkey: Passkey = {
    ...command.passkey,
    person,
    atMs: nowMs,
    coolsUntilMs,
    countsFromMs: voucher.kind === 'person' ? nowMs : coolsUntilMs,
    confirmedBy: voucher.kind === 'person' ? voucher.by : null,
    revokedAtMs: null,
  };
  const used = loaded.begun.filter((one) => one.hash === challenge || one.hash === grant);
  const said = {
    passkey: passkey.id,
    name: passkey.name,
    aaguid: passkey.aaguid,
    by: voucher.kind === 'person' ? voucher.by : voucher.kind,
    countsFromMs: passkey.countsFromMs,
  };
  return {
    ...done,
    writes: [
      ...used.map((one): Write => ({ row: 'begun', begun: { ...one, usedAtMs: nowMs } })),
      ...(voucher.kind === 'passkey' && proof !== null
        ? [{ row: 'passkey', passkey: { ...voucher.passkey, counter: counterOf(proof) } } as const]
        : []),
      { row: 'passkey', passkey },
      told(loaded, person, 'passkey.enrolled', said),
    ],
    entries: [entry('passkey.enrolled', by, { person, ...said })],
  };
}

const unknown = refuse('not_found', 'There is no such passkey.');

export function confirmPasskey(command: ConfirmPasskeyCommand, loaded: Loaded): Step {
  const { by } = command;
  const passkey = loaded.passkeys.find((one) => one.id === command.passkey);
  if (passkey === undefined || passkey.revokedAtMs !== null)
    return refused(isAdmin(loaded.directory, by) ? unknown : onlyAdmins);
  const no = refusesSecond({ by, way: command.way }, passkey.person, loaded);
  if (no !== undefined)
    return refused(no, [
      entry('passkey.refused', { kind: 'person', id: by }, { for: passkey.person, code: no.code }),
    ]);
  if (passkey.countsFromMs <= loaded.nowMs) return done;
  const said = { passkey: passkey.id, name: passkey.name, by };
  return {
    ...done,
    answer: ok({ kind: 'done' }),
    writes: [
      { row: 'passkey', passkey: { ...passkey, countsFromMs: loaded.nowMs, confirmedBy: by } },
      told(loaded, passkey.person, 'passkey.confirmed', said),
    ],
    entries: [entry('passkey.confirmed', { kind: 'person', id: by }, { person: passkey.person, ...said })],
  };
}

const onlyAdmins = refuse('not_permitted', 'Only an administrator may do this.');

/** Their own, and whoever administers: revoking only ever makes less possible. Again: nothing more changes. */
export function revokePasskey(command: RevokePasskeyCommand, loaded: Loaded): Step {
  const { by } = command;
  const passkey = loaded.passkeys.find((one) => one.id === command.passkey);
  if (by.kind === 'person') {
    const mine = passkey?.person === by.id && personIn(loaded.directory, by.id) !== undefined;
    if (!mine && !isAdmin(loaded.directory, by.id))
      return refused(passkey === undefined ? unknown : onlyAdmins);
  }
  if (passkey === undefined) return refused(unknown);
  if (passkey.revokedAtMs !== null) return done;
  const said = { passkey: passkey.id, name: passkey.name, by: by.kind === 'person' ? by.id : null };
  return {
    ...done,
    writes: [
      { row: 'passkey', passkey: { ...passkey, revokedAtMs: loaded.nowMs } },
      told(loaded, passkey.person, 'passkey.revoked', said),
    ],
    entries: [entry('passkey.revoked', by, { person: passkey.person, ...said })],
  };
}
