/**
 * `passkey grant|list|revoke|proof`: for whoever has the configuration's file system rights. What is granted here counts only
 * after a while, because no second person vouches for it. `proof` writes a stored signature so that `fido2-assert`, which is
 * not ours, can verify it.
 */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command as StoreCommand } from '../core/command.ts';
import { asApprovalId, asPersonId } from '../core/ids.ts';
import { isJsonObject } from '../core/json.ts';
import type { Proof } from '../core/passkey.ts';
import { readJson } from '../core/read-json.ts';
import { rfc3339 } from '../core/time.ts';
import { visibleLine } from '../core/visible.ts';
import { enrolmentMs } from '../app/passkeys.ts';
import { newEnrolment, publicKeyOf } from '../identity/passkeys.ts';
import { openStore, originOf, systemRandom } from '../main.ts';
import type { Settings } from '../config.ts';
import type { Store } from '../ports/store.ts';
import { Failure, only, UsageError, wordsOf, type Args, type Command } from './command.ts';
import { configOption, gateUrl, mustBeIn, settingsOf, urlOption } from './files.ts';
import { jsonText } from './json-text.ts';
import type { Io } from './io.ts';

export const passkeyCommand: Command = {
  name: 'passkey',
  summary: 'Grants, lists and revokes passkeys; writes a signature for another tool to verify.',
  usage: [
    'passkey grant PERSON [--config FILE]',
    'passkey list PERSON [--config FILE]',
    'passkey revoke ID [--config FILE]',
    'passkey proof APPROVAL [--person ID] [--out FOLDER] [--config FILE]',
  ],
  options: {
    config: configOption,
    url: { ...urlOption, help: 'the gate’s public origin; default: the configuration’s' },
    person: { value: 'ID', help: 'whose signature; needed where several people signed' },
    out: { value: 'FOLDER', help: 'writes what fido2-assert wants there; without it the proof is printed' },
  },
  details: [
    'All of it reads or writes the store itself, at the gate’s machine. A passkey that was granted here counts after limits.coolOff, or',
    'once an administrator confirms it. An ID that begins with a dash goes behind “--”. To verify a signature: fido2-assert -V -p -v -i FOLDER/assertion FOLDER/key.pem TYPE',
  ],
  run: async (args, io) => {
    const [what, ...rest] = args.words;
    // An id can begin with a dash; it then stands after `--`.
    const words = args.rest === undefined ? args : { ...args, rest: undefined };
    const one = (name: string): string =>
      wordsOf({ ...words, words: [...rest, ...(args.rest ?? [])] }, [name])[0] ?? '';
    only(args, what, { url: ['grant'], person: ['proof'], out: ['proof'] });
    switch (what) {
      case 'grant':
        return grant(one('PERSON'), args, io);
      case 'list':
        return list(one('PERSON'), args, io);
      case 'revoke':
        return revoke(one('ID'), args, io);
      case 'proof':
        return proof(one('APPROVAL'), args, io);
      case undefined:
        throw new UsageError('Say what to do: grant, list, revoke or proof.');
      default:
        throw new UsageError(`“${what}” cannot be done with passkeys; say grant, list, revoke or proof.`);
    }
  },
};

async function withStore<T>(settings: Settings, act: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(settings, { exclusive: false });
  try {
    return await act(store);
  } finally {
    await store.close();
  }
}

async function write(store: Store, command: StoreCommand): Promise<void> {
  const result = await store.change(command);
  if (result.ok) return;
  const { error } = result;
  throw new Failure(
    error.kind === 'refused'
      ? error.refusal.detail
      : error.kind === 'fault'
        ? error.detail
        : 'The store was busy; try again.',
  );
}

async function personOf(id: string, args: Args, io: Io): Promise<Settings> {
  const settings = await settingsOf(args, io, 'ignored');
  const known = settings.proposal.directory.people.map((one) => one.id);
  mustBeIn(id, known, 'person', io.typed(settings.file));
  return settings;
}

async function grant(id: string, args: Args, io: Io): Promise<number> {
  const said = args.values['url'] === undefined ? undefined : gateUrl(args, io);
  const settings = await personOf(id, args, io);
  const { token, hash } = newEnrolment(systemRandom);
  const expiresAtMs = Date.now() + enrolmentMs;
  const by = { kind: 'operator' } as const;
  await withStore(settings, (store) =>
    write(store, { kind: 'grantPasskey', person: asPersonId(id), by, hash, expiresAtMs }),
  );
  io.out(`${said ?? originOf(settings, settings.listen.port)}/passkeys#${token}`);
  io.say(
    io.paintErr.soft(`Good for one passkey of ${id}, who must be signed in, until ${rfc3339(expiresAtMs)}.`),
  );
  return 0;
}

async function list(id: string, args: Args, io: Io): Promise<number> {
  const settings = await personOf(id, args, io);
  const all = await withStore(settings, (store) => store.passkeysOf(asPersonId(id)));
  const nowMs = Date.now();
  for (const one of all) {
    const state =
      one.revokedAtMs !== null
        ? io.paint.bad(`revoked ${rfc3339(one.revokedAtMs)}`)
        : one.countsFromMs <= nowMs
          ? io.paint.good('counts')
          : io.paint.wait(`counts from ${rfc3339(one.countsFromMs)}`);
    io.out(`${one.id}  ${io.paint.strong(visibleLine(one.name))}  ${state}`);
    io.out(
      io.paint.soft(
        `  enrolled ${rfc3339(one.atMs)}${one.confirmedBy === null ? '' : ` · vouched for by ${one.confirmedBy}`}`,
      ),
    );
  }
  if (all.length === 0) io.say(`${id} has no passkey.`);
  return 0;
}

async function revoke(id: string, args: Args, io: Io): Promise<number> {
  const settings = await settingsOf(args, io, 'ignored');
  const by = { kind: 'operator' } as const;
  await withStore(settings, (store) => write(store, { kind: 'revokePasskey', passkey: id, by }));
  io.say('Revoked: nothing that it signs from now on counts.');
  return 0;
}

async function proof(id: string, args: Args, io: Io): Promise<number> {
  const settings = await settingsOf(args, io, 'ignored');
  const held = await withStore(settings, (store) => store.caseBy({ approval: asApprovalId(id) }));
  if (held === undefined) throw new Failure(`There is no approval ${visibleLine(id)}.`);
  const { person, out } = args.values;
  const signed = held.reviews.filter(
    (one) => one.proof !== null && (person === undefined || one.person === person),
  );
  const [first, second] = signed;
  if (first?.proof == null)
    throw new Failure(
      `${id} holds no signature${person === undefined ? '' : ` of ${visibleLine(person)}`}: nobody${person === undefined ? '' : ' of that id'} approved it with a passkey.`,
    );
  if (second !== undefined)
    throw new UsageError(
      `Several people signed: say whose with --person (${signed.map((one) => one.person).join(', ')}).`,
    );
  if (out === undefined) {
    io.out(jsonText({ ...first.proof }));
    return 0;
  }
  const folder = io.path(out);
  const files = verifiable(first.proof);
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files.texts)) await writeFile(join(folder, name), text);
  io.out(`fido2-assert -V -p -v -i ${out}/assertion ${out}/key.pem ${files.type}`);
  io.say('It says nothing and exits 0 where the signature holds. What was signed is in statement.json.');
  return 0;
}

/** A byte string of CBOR (RFC 8949 §3.1), as libfido2 keeps authenticator data. */
function cborBytes(bytes: Buffer): Buffer {
  const { length } = bytes;
  const head =
    length < 24
      ? Buffer.from([0x40 | length])
      : length < 256
        ? Buffer.from([0x58, length])
        : Buffer.from([0x59, length >> 8, length & 255]);
  return Buffer.concat([head, bytes]);
}

/** The relying party is the host of the page that asked: the gate's own (identity/passkeys.ts). */
function rpIdOf(clientData: Buffer): string {
  const read = readJson(clientData);
  const origin = read.ok && isJsonObject(read.value) ? read.value['origin'] : undefined;
  const url = typeof origin === 'string' ? URL.parse(origin) : null;
  if (url === null) throw new Failure('What was signed names no origin.');
  return url.hostname;
}

/** The input of `fido2-assert -V`: client data hash, relying party, authenticator data, signature. */
export function verifiable({ clientDataJSON, authenticatorData, signature, publicKey, statement }: Proof): {
  readonly type: string;
  readonly texts: Readonly<Record<string, string>>;
} {
  const clientData = Buffer.from(clientDataJSON, 'base64url');
  const { pem, type } = publicKeyOf(publicKey);
  const assertion = [
    createHash('sha256').update(clientData).digest('base64'),
    rpIdOf(clientData),
    cborBytes(Buffer.from(authenticatorData, 'base64url')).toString('base64'),
    Buffer.from(signature, 'base64url').toString('base64'),
  ];
  return {
    type,
    texts: {
      assertion: `${assertion.join('\n')}\n`,
      'key.pem': pem,
      'statement.json': statement,
      'client-data.json': clientData.toString('utf8'),
    },
  };
}
