/** What a signature must be over to count, at review and whenever it is counted again; the cryptography is identity's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requirementsOf, stateOf, type Case } from '../../src/core/case.ts';
import { asPersonId, asSha256Hex } from '../../src/core/ids.ts';
import {
  challengeOf,
  counterOf,
  signedChallengeOf,
  signingKind,
  signs,
  statementText,
  type Passkey,
  type Statement,
  type VerifiedProof,
} from '../../src/core/passkey.ts';
import type { Refusal } from '../../src/core/refusal.ts';
import { displayedParts, displayHash, displayText } from '../../src/core/render/display.ts';
import { present } from '../../src/core/render/present.ts';
import { countsFor } from '../../src/core/counting.ts';
import { mayApproveOf } from '../../src/core/steps/common.ts';
import { askLimitDefaults } from '../../src/core/stops.ts';
import {
  action,
  askCommand,
  asked,
  directory,
  everybody,
  memory,
  requirement,
  reviewed,
  versions,
} from '../support/world.ts';

const base64url = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64url');
const policies = 'ab'.repeat(32);
const wanted = [requirement('r', 'data-owners', { stepUp: 'passkey' })];

interface Signing {
  /** Changes the statement before it is signed. */
  readonly statement?: Partial<Statement>;
  readonly flags?: number;
  readonly counter?: number;
  readonly type?: string;
  /** The challenge in the client data, where it is not the statement's. */
  readonly challenge?: string;
}

/** A proof as if its cryptography had been verified. */
function proofOf(
  statement: Statement,
  { flags = 5, counter = 1, type, challenge }: Signing = {},
): VerifiedProof {
  const text = statementText(statement);
  const data = Buffer.alloc(37);
  data[32] = flags;
  data.writeUInt32BE(counter, 33);
  const clientData = {
    type: type ?? 'webauthn.get',
    challenge: base64url(Buffer.from(challenge ?? challengeOf(text), 'hex')),
  };
  // What only identity may do: this test is about everything but the signature.
  return {
    kind: 'passkey',
    credential: 'key-rosa',
    publicKey: 'cose',
    statement: text,
    clientDataJSON: base64url(JSON.stringify(clientData)),
    authenticatorData: base64url(data),
    signature: 'sig',
  } as unknown as VerifiedProof;
}

const passkeyOf = (more: Partial<Passkey> = {}): Passkey => ({
  id: 'key-rosa',
  person: asPersonId('rosa'),
  publicKey: 'cose',
  counter: 0,
  transports: [],
  aaguid: '',
  name: 'phone',
  atMs: 0,
  countsFromMs: 0,
  coolsUntilMs: 0,
  confirmedBy: null,
  revokedAtMs: null,
  ...more,
});

/** An approval that wants a passkey, Rosa's key, and one review of it. */
function opened(options: { readonly passkey?: Passkey | null } = {}) {
  const store = memory({ directory });
  const verdict = { ...reviewed(...wanted), policyDigest: policies };
  const one = asked(verdict, action());
  const made = store.change(askCommand(one, { mayApprove: everybody(directory.people, wanted) }));
  assert.ok(made.ok, JSON.stringify(made));
  const held = (): Case => {
    const found = store.cases.get(one.id);
    assert.ok(found?.approval);
    return found;
  };
  const passkey = options.passkey === undefined ? passkeyOf() : options.passkey;
  if (passkey !== null) store.bounds.passkeys.set(passkey.id, passkey);
  const approval = held().approval;
  assert.ok(approval);
  const statement: Statement = {
    v: 1,
    approval: approval.id,
    digest: one.digest,
    shown: displayHash(held(), directory),
    decision: 'approve',
    person: asPersonId('rosa'),
    policies,
    nonce: '00'.repeat(16),
    expiresAtMs: store.world.nowMs + 1000,
  };
  const begin = (more: Partial<Statement> = {}): Statement => {
    const full = { ...statement, ...more };
    const body = statementText(full);
    const begun = { hash: challengeOf(body), kind: signingKind, person: full.person, body };
    const answer = store.change({ kind: 'begin', begun: { ...begun, expiresAtMs: full.expiresAtMs } });
    assert.ok(answer.ok);
    return full;
  };
  const review = (
    proof: VerifiedProof | undefined,
    more: { readonly by?: string; readonly decision?: 'approve' | 'deny'; readonly today?: string } = {},
  ): Refusal | 'ok' => {
    const answer = store.change({
      kind: 'review',
      approval: approval.id,
      proposed: {
        by: { kind: 'person', id: asPersonId(more.by ?? 'rosa') },
        decision: more.decision ?? 'approve',
        digest: one.digest,
        reason: null,
        unsafe: false,
        channel: 'web',
        shownWhole: true,
        ...(proof === undefined ? {} : { proof }),
      },
      again: {
        verdict: { ...verdict, policyDigest: more.today ?? policies },
        mayApprove: everybody(store.world.directory.people, wanted),
        targetHolds: true,
        mode: 'enforce',
      },
      expected: versions,
      limits: askLimitDefaults,
    });
    if (answer.ok) return 'ok';
    assert.ok(answer.error.kind === 'refused');
    return answer.error.refusal;
  };
  return { store, held, begin, review };
}

const codeOf = (answer: Refusal | 'ok'): string => (answer === 'ok' ? 'ok' : answer.code);

test('step-up: a signed review is stored with its proof and its display, and uses its challenge and counter up', () => {
  const { store, held, begin, review } = opened();
  const statement = begin();
  const proof = proofOf(statement, { counter: 7 });
  assert.equal(review(proof), 'ok');
  assert.equal(stateOf(held(), store.world.nowMs), 'ready');
  assert.deepEqual([held().reviews[0]?.proof, held().reviews[0]?.shown], [proof, statement.shown]);
  assert.equal(store.bounds.passkeys.get('key-rosa')?.counter, 7);
  assert.equal(store.bounds.begun.get(challengeOf(proof.statement))?.usedAtMs, store.world.nowMs);
  const entry = store.log.find((one) => one.type === 'review.recorded');
  assert.deepEqual(entry?.data['proof'], proof);
});

test('step-up: each way in which a signature is over something else, with the words that say which', () => {
  const cases: readonly (readonly [says: RegExp, run: () => Refusal | 'ok'])[] = [
    [
      /asked of you just now/,
      () => opened().review(proofOf({ ...opened().begin(), nonce: 'ff'.repeat(16) })),
    ],
    [
      /asked of you just now/,
      () => {
        const { store, begin, review } = opened();
        const statement = begin();
        const used = store.bounds.begun.get(challengeOf(statementText(statement)));
        assert.ok(used);
        store.bounds.begun.set(used.hash, { ...used, usedAtMs: 1 });
        return review(proofOf(statement));
      },
    ],
    [
      /asked of you just now/,
      () => {
        const { store, begin, review } = opened();
        const statement = begin();
        store.world.nowMs = statement.expiresAtMs;
        return review(proofOf(statement));
      },
    ],
    [
      /asked of you just now/,
      () => {
        // A row under the right hash with another statement: what is stored is what was issued.
        const { store, begin, review } = opened();
        const statement = begin();
        const row = store.bounds.begun.get(challengeOf(statementText(statement)));
        assert.ok(row);
        store.bounds.begun.set(row.hash, { ...row, body: '{}' });
        return review(proofOf(statement));
      },
    ],
    [
      /asked of you just now/,
      () => {
        // Another kind of challenge that happens to have the same text.
        const { store, begin, review } = opened();
        const statement = begin();
        const row = store.bounds.begun.get(challengeOf(statementText(statement)));
        assert.ok(row);
        store.bounds.begun.set(row.hash, { ...row, kind: 'passkey.enrol' });
        return review(proofOf(statement));
      },
    ],
    ...(
      [
        { digest: asked(reviewed(...wanted), action({ input: { table: 'other' } })).digest },
        { decision: 'deny' },
        { approval: 'apr_other' },
      ] as Partial<Statement>[]
    ).map(
      (more) =>
        [
          /something else than this approval/,
          () => {
            const { begin, review } = opened();
            return review(proofOf(begin(more)));
          },
        ] as const,
    ),
    [
      /did not verify|something else/,
      () => {
        const { begin, review } = opened();
        return review(proofOf(begin(), { flags: 1 }));
      },
    ],
    [
      /asked of you just now|something else/,
      () => {
        const { begin, review } = opened();
        return review(proofOf(begin(), { type: 'webauthn.create' }));
      },
    ],
    [
      /is not known/,
      () => {
        const { begin, review } = opened({ passkey: null });
        return review(proofOf(begin()));
      },
    ],
    [
      /somebody else/,
      () => {
        const { begin, review } = opened({ passkey: passkeyOf({ person: asPersonId('mia') }) });
        return review(proofOf(begin()));
      },
    ],
    [
      /revoked/,
      () => {
        const { begin, review } = opened({ passkey: passkeyOf({ revokedAtMs: 1 }) });
        return review(proofOf(begin()));
      },
    ],
    [
      /is new/,
      () => {
        const { begin, review } = opened({ passkey: passkeyOf({ countsFromMs: 1e12, coolsUntilMs: 1e12 }) });
        return review(proofOf(begin()));
      },
    ],
    [
      /is new/,
      () => {
        const confirmedBy = asPersonId('sam');
        const { begin, review } = opened({ passkey: passkeyOf({ confirmedBy, coolsUntilMs: 1e12 }) });
        return review(proofOf(begin()));
      },
    ],
    [
      /ran backwards/,
      () => {
        const { begin, review } = opened({ passkey: passkeyOf({ counter: 5 }) });
        return review(proofOf(begin(), { counter: 5 }));
      },
    ],
  ];
  for (const [says, run] of cases) {
    const answer = run();
    assert.equal(codeOf(answer), 'step_up_required', String(says));
    assert.match(answer === 'ok' ? '' : answer.detail, says);
  }
});

test('step-up: policies that changed while signing, and a display that did, are refused', () => {
  const policy = opened();
  assert.equal(codeOf(policy.review(proofOf(policy.begin()), { today: 'cd'.repeat(32) })), 'policy_changed');
  const display = opened();
  const statement = display.begin();
  display.store.world.directory = {
    ...directory,
    people: directory.people.map((one) =>
      one.id === asPersonId('sam') ? { ...one, name: 'Somebody' } : one,
    ),
  };
  const answer = display.review(proofOf(statement));
  assert.equal(codeOf(answer), 'digest_mismatch');
  assert.match(answer === 'ok' ? '' : answer.detail, /What was shown has changed/);
  const forged = opened();
  const lie = forged.begin({ shown: asSha256Hex('0'.repeat(64)) });
  assert.equal(codeOf(forged.review(proofOf(lie))), 'digest_mismatch');
});

test('step-up: a signature of one person is none of another, who gave the same word', () => {
  const { begin, review } = opened();
  assert.equal(codeOf(review(proofOf(begin()), { by: 'mia' })), 'step_up_required');
  assert.equal(codeOf(review(undefined, { by: 'mia' })), 'step_up_required');
});

test('step-up: denying needs no signature, and one that is there must hold', () => {
  const { begin, review } = opened();
  assert.equal(codeOf(review(proofOf(begin()), { decision: 'deny' })), 'step_up_required');
  assert.equal(review(proofOf(begin({ decision: 'deny' })), { decision: 'deny' }), 'ok');
  assert.equal(opened().review(undefined, { decision: 'deny' }), 'ok');
});

test('step-up: what is recorded is counted only while its signature names this approval and this person', () => {
  const { store, held, begin, review } = opened();
  assert.equal(review(proofOf(begin())), 'ok');
  const [need] = requirementsOf(held());
  const [one] = held().reviews;
  assert.ok(need !== undefined && one !== undefined);
  const now = { ...store.world, mayApprove: mayApproveOf(everybody(directory.people, wanted)) };
  assert.equal(countsFor(held(), one, need, now), true);
  assert.equal(countsFor(held(), { ...one, proof: null }, need, now), false);
  assert.equal(countsFor(held(), { ...one, person: asPersonId('mia') }, need, now), false);
  const other = opened();
  assert.equal(countsFor(other.held(), one, need, now), false, 'moved to another approval');
  const { proof } = one;
  assert.ok(proof);
  const forged = { ...proof, statement: proof.statement.replace('"rosa"', '"mia"') };
  assert.equal(countsFor(held(), { ...one, person: asPersonId('mia'), proof: forged }, need, now), false);
});

test('a proof’s parts are read strictly', () => {
  const proof = proofOf(opened().begin(), { counter: 0x01020304 });
  assert.equal(counterOf(proof), 0x01020304);
  assert.equal(signedChallengeOf('!'), null);
  const twice = base64url('{"type":"webauthn.get","challenge":"AA","challenge":"BB"}');
  assert.equal(signedChallengeOf(twice), null, 'no key twice');
  const of = { approval: 'apr_x', digest: 'sha256:x', decision: 'approve', person: 'rosa' } as never;
  for (const statement of ['', '{', '[]', 'null', '{"v":2}'])
    assert.equal(signs({ ...proof, statement }, of), false, statement);
});

test('the display is the same text however often and whenever it is rendered, and moves with each of its parts', () => {
  const { held } = opened();
  const text = displayText(held(), directory);
  assert.equal(displayText(structuredClone(held()), structuredClone(directory)), text);
  assert.equal(displayText({ ...held(), reviews: [] }, directory), text);
  const { asked: before } = held();
  const changes: readonly Case[] = [
    { ...held(), asked: { ...before, digest: `${before.digest}0` as typeof before.digest } },
    { ...held(), asked: { ...before, action: { ...before.action, input: { table: 'other' } } } },
    { ...held(), asked: { ...before, action: { ...before.action, reason: 'please' } } },
    { ...held(), asked: { ...before, profile: { verb: 'Drop', effect: 'delete' } } },
    {
      ...held(),
      asked: { ...before, verdict: reviewed(requirement('r', 'security', { stepUp: 'passkey' })) },
    },
  ];
  for (const changed of changes) assert.notEqual(displayText(changed, directory), text);
});

test('every part of a presentation is signed, or is known to move while a person reads', () => {
  const moving = ['actionId', 'executionId', 'askedAtMs', 'nowMs', 'news', 'standing', 'needs', 'reviews'];
  const people = ['canApprove', 'cannotApprove', 'reader', 'shownWhole'];
  const { store, held } = opened();
  const shown = present(held(), {
    ...store.world,
    mayApprove: new Map(),
    channel: 'web',
    past: null,
    reader: null,
  });
  const known = [...displayedParts, ...moving, ...people];
  assert.deepEqual(
    Object.keys(shown).filter((name) => !known.includes(name)),
    [],
  );
});
