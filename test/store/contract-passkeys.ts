/** The contract, the part for passkeys: they belong to one person and key, what was begun ends once, and notes reach their person. */
import assert from 'node:assert/strict';
import type { EnrolPasskeyCommand } from '../../src/core/command-access.ts';
import { enrolKind } from '../../src/core/steps/passkeys.ts';
import { assertLog, noOf, storeTest, value, type MakeBench, type Opened } from './bench.ts';
import * as world from './world.ts';

const operator = { kind: 'operator' } as const;
const coolOffMs = 1000;

/** Begins and grants an enrolment, and answers the command that redeems it. */
export async function enrolment(
  { store, clock }: Opened,
  id: string,
  person: typeof world.rosa,
): Promise<EnrolPasskeyCommand> {
  const [challenge, grant] = [world.freshKey(), world.freshKey()];
  const expiresAtMs = clock.nowMs() + 60_000;
  value(await store.change({ kind: 'grantPasskey', person, by: operator, hash: grant, expiresAtMs }));
  const begun = { hash: challenge, kind: enrolKind, person, body: '', expiresAtMs };
  value(await store.change({ kind: 'begin', begun }));
  return {
    kind: 'enrolPasskey',
    person,
    challenge,
    grant,
    proof: null,
    passkey: {
      id,
      publicKey: `cose-${id}`,
      counter: 3,
      transports: ['usb', 'nfc'],
      aaguid: 'a',
      name: 'Schlüssel',
    },
    coolOffMs,
  };
}

export function passkeysContract(name: string, make: MakeBench): void {
  storeTest(`${name}: a passkey is kept with all that is known of it`, make, async (opened) => {
    const { store } = opened;
    value(await store.change(await enrolment(opened, 'key', world.rosa)));
    const [one] = await store.passkeysOf(world.rosa);
    assert.ok(one);
    assert.deepEqual(one, {
      id: 'key',
      person: world.rosa,
      publicKey: 'cose-key',
      counter: 3,
      transports: ['usb', 'nfc'],
      aaguid: 'a',
      name: 'Schlüssel',
      atMs: one.atMs,
      countsFromMs: one.atMs + coolOffMs,
      coolsUntilMs: one.atMs + coolOffMs,
      confirmedBy: null,
      revokedAtMs: null,
    });
    assert.deepEqual(await store.passkey('key'), one);
    assert.deepEqual(await store.passkeysWaiting(), [one]);
    opened.later(coolOffMs + 1);
    assert.deepEqual(await store.passkeysWaiting(), []);
    assert.deepEqual(await store.passkeysOf(world.mia), []);
    assert.equal(await store.passkey('other'), undefined);
    value(await store.change({ kind: 'revokePasskey', passkey: 'key', by: operator }));
    assert.notEqual((await store.passkey('key'))?.revokedAtMs ?? null, null);
    const notes = await store.notesOf(world.rosa, 10);
    assert.deepEqual(
      notes.map((note) => note.kind),
      ['passkey.revoked', 'passkey.enrolled', 'passkey.granted'],
    );
    assert.equal(notes[0]?.body['name'], 'Schlüssel');
    const types = await assertLog(store);
    assert.deepEqual(types.slice(-3), ['passkey.granted', 'passkey.enrolled', 'passkey.revoked']);
  });

  storeTest(`${name}: of two enrolments by one grant or challenge, one is made`, make, async (opened) => {
    const { store } = opened;
    const first = await enrolment(opened, 'a', world.rosa);
    const second = { ...first, passkey: { ...first.passkey, id: 'b' } };
    const answers = await Promise.all([store.change(first), store.change(second)]);
    assert.deepEqual(answers.map(noOf).toSorted(), ['not_permitted', 'ok']);
    assert.equal((await store.passkeysOf(world.rosa)).length, 1);
    assert.notEqual((await store.begun(first.challenge))?.usedAtMs ?? null, null);
  });

  storeTest(
    `${name}: a credential keeps its person and key, also once it is revoked`,
    make,
    async (opened) => {
      const { store } = opened;
      value(await store.change(await enrolment(opened, 'key', world.rosa)));
      const known = await store.passkey('key');
      assert.equal(noOf(await store.change(await enrolment(opened, 'key', world.mia))), 'input_invalid');
      value(await store.change({ kind: 'revokePasskey', passkey: 'key', by: operator }));
      assert.equal(noOf(await store.change(await enrolment(opened, 'key', world.mia))), 'input_invalid');
      assert.deepEqual({ ...(await store.passkey('key')), revokedAtMs: null }, known);
    },
  );

  storeTest(`${name}: a challenge is begun once, and gone a day after its time`, make, async (opened) => {
    const { store, clock } = opened;
    const begun = {
      hash: world.freshKey(),
      kind: 'passkey.sign',
      person: world.rosa,
      body: '{"v":1}',
      expiresAtMs: clock.nowMs() + 1000,
    };
    value(await store.change({ kind: 'begin', begun }));
    assert.deepEqual(await store.begun(begun.hash), { ...begun, usedAtMs: null });
    assert.equal(noOf(await store.change({ kind: 'begin', begun })), 'fault', 'it is named once');
    assert.equal(await store.begun('00'), undefined);
  });
}
