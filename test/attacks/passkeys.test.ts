/** Attacks on signing with a passkey and on enrolling one, from outside, against a whole gate. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { asPersonId } from '../../src/core/ids.ts';
import { signingMs } from '../../src/core/passkey.ts';
import { newLink } from '../../src/identity/sessions.ts';
import { systemRandom } from '../../src/main.ts';
import { Authenticator, honestFlags } from '../support/authenticator.ts';
import type { Answer } from '../support/gate.ts';
import { signedPolicies, startSigningGate, type SigningGate } from '../support/passkeys.ts';

let gate: SigningGate;
let rosa: Authenticator;
let mia: Authenticator;
before(async () => {
  gate = await startSigningGate();
  rosa = await gate.enrol('rosa');
  mia = await gate.enrol('mia');
});
after(() => gate?.stop());

/** A new approval for each test. */
let approval: Answer['body'];
let cents = 1000;
beforeEach(async () => {
  approval = await gate.ask((cents += 1));
});

const stillPending = async (): Promise<void> => {
  const now = await gate.call(gate.tokens.rosa, 'GET', `/v1/approvals/${approval.id}`);
  assert.deepEqual([now.body.status, now.body.reviews], ['pending', []]);
};

/** Refused with this code, nothing recorded but the refusal. */
async function refused(answer: Answer, code: string): Promise<void> {
  assert.equal(answer.body.code, code, JSON.stringify(answer.body));
  await stillPending();
  const entries = await gate.gate().parts.store.entriesAbout(approval.action.id);
  const last = entries.at(-1)?.entry;
  assert.equal(last?.type, 'review.refused');
  assert.equal(Reflect.get(last?.data ?? {}, 'code'), code);
}

test('step-up: a signature over this approval by this person counts, and is kept so that anybody can check it', async () => {
  const { challenge, statement } = await gate.asked('rosa', approval.id);
  const answer = await gate.review('rosa', approval, rosa.sign(challenge));
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  assert.equal(answer.body.status, 'approved');
  const entries = await gate.gate().parts.store.entriesAbout(approval.action.id);
  const recorded = entries.map((one) => one.entry).find((one) => one.type === 'review.recorded');
  assert.ok(recorded);
  const { proof, shown } = recorded.data as { proof: Record<string, string>; shown: string };
  assert.deepEqual([proof['statement'], proof['credential']], [statement, rosa.id]);
  assert.equal(JSON.parse(statement).shown, shown);
  const held = await gate.gate().parts.store.caseBy({ approval: approval.id });
  assert.deepEqual(held?.reviews[0]?.proof, proof, 'the review and its entry hold the same');
});

test('step-up: a token alone is not enough, through the API or as the command line', async () => {
  await refused(await gate.review('rosa', approval, null), 'step_up_required');
  const cli = await gate.call(
    gate.tokens.rosa,
    'POST',
    `/v1/approvals/${approval.id}/reviews`,
    { decision: 'approve', digest: approval.digest },
    { 'x-countersign-channel': 'cli' },
  );
  await refused(cli, 'step_up_required');
});

test('step-up: an assertion for another approval is refused', async () => {
  const other = approval;
  const { challenge } = await gate.asked('rosa', other.id);
  approval = await gate.ask((cents += 1));
  await refused(await gate.review('rosa', approval, rosa.sign(challenge)), 'step_up_required');
});

test('step-up: a signed denial approves nothing, and a signed approval denies nothing', async () => {
  const deny = await gate.asked('rosa', approval.id, 'deny');
  await refused(await gate.review('rosa', approval, rosa.sign(deny.challenge)), 'step_up_required');
  const approve = await gate.asked('rosa', approval.id);
  const flipped = await gate.review('rosa', approval, rosa.sign(approve.challenge), { decision: 'deny' });
  await refused(flipped, 'step_up_required');
});

test('step-up: another person’s signature or challenge is refused', async () => {
  const asked = await gate.asked('rosa', approval.id);
  await refused(await gate.review('mia', approval, rosa.sign(asked.challenge)), 'step_up_required');
  await refused(await gate.review('mia', approval, mia.sign(asked.challenge)), 'step_up_required');
  await refused(await gate.review('rosa', approval, mia.sign(asked.challenge)), 'step_up_required');
});

test('step-up: without user verification, or without the user, it is refused', async () => {
  for (const flags of [honestFlags & ~0x04, honestFlags & ~0x01, 0]) {
    const { challenge } = await gate.asked('rosa', approval.id);
    await refused(await gate.review('rosa', approval, rosa.sign(challenge, { flags })), 'step_up_required');
  }
});

test('step-up: of another origin, another relying party, a frame, or another ceremony it is refused', async () => {
  const lies = [
    { origin: 'https://evil.example' },
    { origin: gate.origin.replace('localhost', '127.0.0.1') },
    { origin: `${gate.origin}.evil.example` },
    { rpId: 'evil.example' },
    { crossOrigin: true },
    { type: 'webauthn.create' },
  ];
  for (const lie of lies) {
    const { challenge } = await gate.asked('rosa', approval.id);
    await refused(await gate.review('rosa', approval, rosa.sign(challenge, lie)), 'step_up_required');
  }
});

test('step-up: a changed signature, statement, or authenticator data is refused', async () => {
  const { challenge } = await gate.asked('rosa', approval.id);
  const good = rosa.sign(challenge);
  const other = rosa.sign(challenge, { counter: 4_000_000 });
  await refused(
    await gate.review('rosa', approval, { ...good, authenticatorData: other.authenticatorData }),
    'step_up_required',
  );
  await refused(
    await gate.review('rosa', approval, { ...good, signature: other.signature }),
    'step_up_required',
  );
  for (const name of ['id', 'clientDataJSON', 'authenticatorData', 'signature'])
    for (const junk of ['', '!', 'AA', 'A'.repeat(100_000)])
      await refused(await gate.review('rosa', approval, { ...good, [name]: junk }), 'step_up_required');
});

test('step-up: a challenge is good once', async () => {
  // Two people are needed nowhere here, so what was used is tried again on the same approval by the same person.
  const { challenge } = await gate.asked('rosa', approval.id);
  const signed = rosa.sign(challenge);
  const answers = await Promise.all([
    gate.review('rosa', approval, signed),
    gate.review('rosa', approval, signed),
    gate.review('rosa', approval, signed),
  ]);
  assert.equal(answers.filter((one) => one.status === 201).length, 1);
  assert.equal(answers.filter((one) => one.status === 409).length, 2);
  const begun = await gate.gate().parts.store.begun(Buffer.from(challenge, 'base64url').toString('hex'));
  assert.notEqual(begun?.usedAtMs ?? null, null);
});

test('step-up: a challenge that this gate never issued, or issued too long ago, is refused', async () => {
  const made = Buffer.alloc(32, 7).toString('base64url');
  await refused(await gate.review('rosa', approval, rosa.sign(made)), 'step_up_required');
  const { challenge } = await gate.asked('rosa', approval.id);
  const signed = rosa.sign(challenge);
  gate.later(signingMs + 1);
  await refused(await gate.review('rosa', approval, signed), 'step_up_required');
});

test('step-up: the challenge of an enrolment signs no approval', async () => {
  const options = await gate.call(gate.tokens.rosa, 'POST', '/v1/passkeys/options');
  await refused(await gate.review('rosa', approval, rosa.sign(options.body.create)), 'step_up_required');
  await refused(
    await gate.review('rosa', approval, rosa.sign(options.body.vouch.challenge)),
    'step_up_required',
  );
});

test('step-up: the statement names the digest, and a review of another digest is refused', async () => {
  const { challenge, statement } = await gate.asked('rosa', approval.id);
  assert.equal(JSON.parse(statement).digest, approval.digest);
  const other = { id: approval.id, digest: `sha256:${'0'.repeat(64)}` };
  await refused(await gate.review('rosa', other, rosa.sign(challenge)), 'digest_mismatch');
});

test('step-up: a revoked passkey, and one whose counter runs backwards, are refused', async () => {
  const key = await gate.enrol('mia');
  const asked = await gate.asked('mia', approval.id);
  const signed = key.sign(asked.challenge);
  const revoked = await gate.call(gate.tokens.mia, 'POST', `/v1/passkeys/${key.id}/revoke`);
  assert.equal(revoked.status, 200);
  await refused(await gate.review('mia', approval, signed), 'step_up_required');
  const used = await gate.ask((cents += 1));
  const first = await gate.asked('mia', used.id);
  assert.equal((await gate.review('mia', used, mia.sign(first.challenge))).status, 201);
  const copy = await gate.asked('mia', approval.id);
  await refused(
    await gate.review('mia', approval, mia.sign(copy.challenge, { counter: mia.counter - 1 })),
    'step_up_required',
  );
  await refused(
    await gate.review('mia', approval, mia.sign(copy.challenge, { counter: 0 })),
    'step_up_required',
  );
});

test('step-up: a passkey that its person enrolled alone counts only after the cool-off, or once another confirmed it', async () => {
  const key = new Authenticator(gate.origin);
  const enrolled = await gate.tryEnrol('rosa', key, { voucher: rosa });
  assert.equal(enrolled.status, 201, JSON.stringify(enrolled.body));
  assert.equal(enrolled.body.counts, false);
  const asked = await gate.asked('rosa', approval.id);
  await refused(await gate.review('rosa', approval, key.sign(asked.challenge)), 'step_up_required');
  for (const by of ['rosa', 'mia', 'ada'] as const) {
    const answer = await gate.call(gate.tokens[by], 'POST', `/v1/passkeys/${key.id}/confirm`);
    assert.equal(answer.body.code, 'not_permitted', by);
  }
  const confirmed = await gate.call(gate.tokens.lee, 'POST', `/v1/passkeys/${key.id}/confirm`);
  assert.deepEqual([confirmed.status, confirmed.body.confirmedBy], [200, 'lee']);
  assert.equal((await gate.review('rosa', approval, key.sign(asked.challenge))).status, 201);
});

test('step-up: a passkey that the owner of the agent let count sooner does not for what that agent asks', async () => {
  const key = await gate.enrol('rosa', 'sam');
  const asked = await gate.asked('rosa', approval.id);
  await refused(await gate.review('rosa', approval, key.sign(asked.challenge)), 'step_up_required');
  gate.later(24 * 3_600_000);
  approval = await gate.ask((cents += 1));
  const later = await gate.asked('rosa', approval.id);
  assert.equal((await gate.review('rosa', approval, key.sign(later.challenge))).status, 201);
});

test('step-up: where the policies change while somebody signs, or what was shown does, it is signed anew', async () => {
  const other = await startSigningGate();
  try {
    const key = await other.enrol('rosa');
    const one = await other.ask(5000);
    const first = await other.asked('rosa', one.id);
    // Tightening is in force at once.
    await other.setPolicies(`${signedPolicies}
@id("never") @title("Nobody refunds this much") forbid (principal, action == Action::"shop___refund", resource)
when { context.input.cents > 100000 };`);
    const changed = await other.review('rosa', one, key.sign(first.challenge));
    assert.equal(changed.body.code, 'policy_changed', JSON.stringify(changed.body));
    const again = await other.asked('rosa', one.id);
    assert.equal((await other.review('rosa', one, key.sign(again.challenge))).status, 201);
  } finally {
    await other.stop();
  }
});

test('passkey-enrolment: without a grant or a passkey, or with another one’s, nothing is enrolled', async () => {
  const key = new Authenticator(gate.origin);
  const codeOf = async (answer: Promise<Answer>): Promise<string> => (await answer).body.code;
  assert.equal(await codeOf(gate.tryEnrol('rosa', key, {})), 'step_up_required');
  assert.equal(await codeOf(gate.tryEnrol('rosa', key, { voucher: mia })), 'step_up_required');
  assert.equal(
    await codeOf(gate.tryEnrol('rosa', key, { voucher: new Authenticator(gate.origin) })),
    'step_up_required',
  );
  assert.equal(await codeOf(gate.tryEnrol('rosa', key, { grant: 'cs_enrolment_x' })), 'not_permitted');
  assert.equal(
    await codeOf(gate.tryEnrol('rosa', key, { grant: `cs_enrolment_${'A'.repeat(43)}` })),
    'not_permitted',
  );
  assert.equal(await gate.gate().parts.store.passkey(key.id), undefined);
});

test('passkey-enrolment: nobody grants one to themself, and only administrators grant', async () => {
  assert.equal((await gate.grant('sam', 'sam')).body.code, 'not_permitted');
  assert.equal((await gate.grant('rosa', 'mia')).body.code, 'not_permitted');
  assert.equal((await gate.grant('lee', 'nobody')).body.code, 'not_found');
  const bot = await gate.call(gate.tokens.bot, 'POST', '/v1/people/rosa/enrolments');
  assert.equal(bot.body.code, 'not_permitted');
});

test('passkey-enrolment: a grant is for one person and one passkey, and ends', async () => {
  const granted = (await gate.grant('lee', 'mia')).body.token;
  const stolen = await gate.tryEnrol('rosa', new Authenticator(gate.origin), { grant: granted });
  assert.equal(stolen.body.code, 'not_permitted', 'it was for somebody else');
  const first = new Authenticator(gate.origin);
  assert.equal((await gate.tryEnrol('mia', first, { grant: granted })).status, 201);
  const again = await gate.tryEnrol('mia', new Authenticator(gate.origin), { grant: granted });
  assert.equal(again.body.code, 'not_permitted', 'it was used');
  const late = (await gate.grant('lee', 'mia')).body.token;
  gate.later(25 * 3_600_000);
  const tooLate = await gate.tryEnrol('mia', new Authenticator(gate.origin), { grant: late });
  assert.equal(tooLate.body.code, 'not_permitted', 'it was too old');
});

test('passkey-enrolment: a credential belongs to one person, ever; a virtual authenticator and a missing verification are refused', async () => {
  const grant = async (): Promise<string> => (await gate.grant('lee', 'mia')).body.token;
  const taken = await gate.tryEnrol('mia', rosa, { grant: await grant() });
  assert.equal(taken.body.code, 'input_invalid');
  const virtual = Buffer.from('01020304050607080102030405060708', 'hex');
  const unverified = honestFlags & ~0x04;
  for (const lies of [
    { aaguid: virtual },
    { flags: unverified },
    { origin: 'https://evil.example' },
    { rpId: 'evil.example' },
    { crossOrigin: true },
    { type: 'webauthn.get' },
  ]) {
    const key = new Authenticator(gate.origin);
    const answer = await gate.tryEnrol('mia', key, { grant: await grant(), lies });
    assert.equal(answer.body.code, 'input_invalid', JSON.stringify(lies));
    assert.equal(await gate.gate().parts.store.passkey(key.id), undefined);
  }
});

test('passkey-enrolment: the person is told of it, and of a passkey that was revoked', async () => {
  const key = await gate.enrol('mia');
  await gate.call(gate.tokens.lee, 'POST', `/v1/passkeys/${key.id}/revoke`);
  const notes = await gate.gate().parts.store.notesOf(asPersonId('mia'), 100);
  const kinds = notes.filter((one) => one.body['passkey'] === key.id).map((one) => one.kind);
  assert.deepEqual(kinds.toSorted(), ['passkey.enrolled', 'passkey.revoked']);
});

/** A session as a browser has it, and what its forms prove themselves with. */
async function session(who: string): Promise<{ readonly cookie: string; readonly csrf: string }> {
  const { url, parts } = gate.gate();
  const { token, hash } = newLink(systemRandom);
  const expiresAtMs = parts.clock.nowMs() + 3_600_000;
  const made = await parts.store.change({ kind: 'link', person: asPersonId(who), hash, expiresAtMs });
  assert.ok(made.ok);
  const answer = await fetch(`${url}/sign-in`, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: gate.origin, 'sec-fetch-site': 'same-origin' },
    body: new URLSearchParams({ token }),
  });
  assert.equal(answer.status, 303);
  const cookie = /^[^;]+/.exec(answer.headers.get('set-cookie') ?? '')?.[0] ?? '';
  const page = await (await fetch(`${url}/passkeys`, { headers: { cookie } })).text();
  return { cookie, csrf: /name="csrf" value="([^"]+)"/.exec(page)?.[1] ?? '' };
}

test('passkey-enrolment: no page of another site, and nothing without the session’s token, begins or makes one', async () => {
  const { url, parts } = gate.gate();
  const { cookie, csrf } = await session('rosa');
  assert.notEqual(csrf, '');
  const post = (path: string, fields: Record<string, string>, headers: Record<string, string>) =>
    fetch(url + path, {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie, ...headers },
      body: new URLSearchParams(fields),
    });
  const ours = { origin: gate.origin, 'sec-fetch-site': 'same-origin' };
  const paths = ['options', 'enrol', 'revoke', 'confirm', 'grant'].map((one) => `/passkeys/${one}`);
  const had = await parts.store.passkeysOf(asPersonId('rosa'));
  for (const path of [...paths, `/approvals/${approval.id}/sign`]) {
    const fields = { csrf, decision: 'approve', passkey: rosa.id, person: 'mia' };
    const { csrf: _csrf, ...bare } = fields;
    for (const [said, headers] of [
      [fields, { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
      [fields, { origin: 'http://localhost:1', 'sec-fetch-site': 'same-site' }],
      [fields, {}],
      [bare, ours],
      [{ ...fields, csrf: 'x' }, ours],
    ] as const) {
      const answer = await post(path, said, headers);
      assert.equal(answer.status, 403, `${path} ${JSON.stringify(headers)}`);
    }
    const followed = await fetch(url + path, { headers: { cookie } });
    assert.equal(followed.status, 405, `${path} is only posted`);
  }
  assert.deepEqual(await parts.store.passkeysOf(asPersonId('rosa')), had);
  assert.equal((await post('/passkeys/options', { csrf }, ours)).status, 200, 'the form itself works');
});

test('step-up: the page’s form without a signature, or with one that a script made up, approves nothing', async () => {
  const { url } = gate.gate();
  const { cookie, csrf } = await session('rosa');
  const form = { csrf, decision: 'approve', digest: approval.digest };
  for (const proof of [null, '', 'x', '{}', '[]', '{"id":"x","response":{}}', '{"id":1,"response":[]}']) {
    const answer = await fetch(`${url}/approvals/${approval.id}/review`, {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie, origin: gate.origin, 'sec-fetch-site': 'same-origin' },
      body: new URLSearchParams(proof === null ? form : { ...form, proof }),
    });
    assert.equal(answer.status, 403);
    assert.match(await answer.text(), /step_up_required/);
    await stillPending();
  }
});
