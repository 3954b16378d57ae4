/** What people do: they approve, deny and stop, two at once and from different gates; go away; break the glass; erase and hold. */
import { endAway, goAway } from '../../../src/app/absences.ts';
import { askGlass, endGlass, reviewGlass } from '../../../src/app/glass.ts';
import { erasePayloads, placeHold, releaseHold } from '../../../src/app/retention.ts';
import { acceptTool, cancel, listHeld, review, settle } from '../../../src/app/review.ts';
import { beginSigning } from '../../../src/app/signing.ts';
import { lift, stopAgent } from '../../../src/app/stops.ts';
import { requirementsOf, type Case } from '../../../src/core/case.ts';
import { asDigest, type PersonId } from '../../../src/core/ids.ts';
import { verifierOf } from '../../../src/log/note.ts';
import { noTrust } from '../../../src/log/verify/keys.ts';
import { verifyBundle } from '../../../src/log/verify/receipt.ts';
import type { Assertion } from '../../../src/ports/passkeys.ts';
import { at, type SimGate } from './gate.ts';
import { notes, secretOf, type Ack, type Life } from './life.ts';
import { agents, operation, people } from './organisation.ts';

const said = (type: string, field: string, value: string): Ack => ({ kind: 'said', type, field, value });

const reasonFor = (life: Life, held: Case | null, share: number): string | null => {
  if (!life.random.chance(share)) return null;
  const reason = secretOf(life);
  if (held !== null) notes(life, reason, held.asked.id);
  return reason;
};

/** Looks at an inbox and decides about one of what is there; now and then two people do at the same moment, at two gates. */
export async function decides(life: Life, gates: readonly SimGate[]): Promise<void> {
  const { random } = life;
  const gate = random.pick(gates);
  const pending = await gate.parts.store.held({ status: 'pending', limit: 30 });
  if (pending.length === 0) return;
  const asked = random.pick(pending).approval?.eligibleThen.flatMap((one) => one.people) ?? [];
  const somebody = (): PersonId =>
    asked.length > 0 && random.chance(0.75) ? random.pick(asked) : random.pick(people);
  const person = somebody();
  const { items } = await listHeld(
    gate.parts,
    { kind: 'person', id: person },
    { status: 'pending', limit: 30 },
  );
  if (items.length === 0) return;
  const held = random.pick(items);
  const others = random.chance(0.4) ? [somebody(), somebody()] : [];
  await Promise.all(
    [person, ...others].map((one, nth) => {
      const where = nth === 0 ? gate : random.pick(gates);
      return at(where, () => decidesOne(life, where, one, held));
    }),
  );
}

async function decidesOne(life: Life, { parts }: SimGate, person: PersonId, held: Case): Promise<void> {
  const { random } = life;
  const { approval, asked } = held;
  if (approval === null) return;
  const by = { kind: 'person', id: person } as const;
  const decision = random.chance(0.12) ? 'deny' : 'approve';
  const assertion = requirementsOf(held).some((one) => one.stepUp !== null)
    ? await signs(life, parts, { person, held, decision })
    : undefined;
  const done = await review(parts, by, approval.id, {
    decision,
    digest: random.chance(0.03) ? asDigest(`sha256:${'0'.repeat(64)}`) : asked.digest,
    reason: reasonFor(life, held, 0.7),
    unsafe: random.chance(0.3),
    channel: random.pick(['web', 'api', 'cli'] as const),
    shownWhole: random.chance(0.97),
    ...(assertion === undefined ? {} : { assertion }),
  });
  if (done.ok) life.acks.push({ kind: 'reviewed', approval: approval.id, person, decision });
}

async function signs(
  life: Life,
  parts: SimGate['parts'],
  of: { readonly person: PersonId; readonly held: Case; readonly decision: 'approve' | 'deny' },
): Promise<Assertion | undefined> {
  const { person, held, decision } = of;
  if (held.approval === null) return undefined;
  const by = { kind: 'person', id: person } as const;
  const asking = await beginSigning(parts, by, { approval: held.approval.id, decision });
  if (!asking.ok) return undefined;
  // Somebody signs for somebody else, now and then.
  const signer = life.random.chance(0.05) ? life.random.pick(people) : person;
  return life.sign(signer, asking.value.challenge);
}

/** Everything that people do besides deciding, rarely each. */
export async function administers(life: Life, { parts }: SimGate): Promise<void> {
  const { random, acks } = life;
  const by = random.pick(people);
  const person = { kind: 'person', id: by } as const;
  const agent = random.pick(agents);
  const what = random.below(14);
  if (what === 0) {
    const done = await stopAgent(parts, by, agent, { reason: null, approval: null });
    if (done.ok) acks.push({ kind: 'stopped', agent });
  } else if (what <= 3) {
    for (const stop of await parts.store.stops()) {
      const done = await lift(parts, by, stop.agent, { operation: stop.operation, reason: null });
      if (done.ok) acks.push(said('stop.lifted', 'agent', stop.agent));
    }
  } else if (what === 4) {
    const [held] = await parts.store.held({ status: 'pending', limit: 1 });
    if (held?.approval == null) return;
    const done = await cancel(parts, person, held.approval.id, { reason: reasonFor(life, held, 0.5) });
    if (done.ok) acks.push({ kind: 'cancelled', approval: held.approval.id });
  } else if (what <= 6) await settles(life, parts, by);
  else if (what === 7) {
    const waits = (await parts.store.tools('files')).find((one) => one.status !== 'enabled');
    if (waits === undefined) return;
    const hash = waits.seenHash ?? waits.hash;
    if (hash === null) return;
    await acceptTool(parts, by, { server: 'files', tool: waits.tool, hash });
  } else if (what === 8) await isAway(life, parts, by);
  else if (what <= 10) await breaksGlass(life, parts, by);
  else await keeps(life, parts, by);
}

async function settles(life: Life, parts: SimGate['parts'], by: PersonId): Promise<void> {
  const closed = await parts.store.held({ status: 'all', limit: 20 });
  const open = closed.find((one) => one.execution?.status === 'unknown');
  if (open?.execution == null) return;
  const reason = reasonFor(life, open, 1) ?? '';
  const { id } = open.execution;
  const done = await settle(parts, by, id, { status: 'succeeded', reason });
  if (done.ok) life.acks.push({ kind: 'settled', execution: id, status: 'succeeded' });
}

async function isAway(life: Life, parts: SimGate['parts'], by: PersonId): Promise<void> {
  const { random, acks } = life;
  const mine = (await parts.store.delegations()).filter((one) => one.from === by);
  const [one] = mine;
  if (one !== undefined && random.chance(0.6)) {
    const done = await endAway(parts, by, one.id);
    if (done.ok) acks.push(said('delegation.ended', 'delegation', one.id));
    return;
  }
  const untilMs = parts.clock.nowMs() + 600_000 + random.below(36_000_000);
  const done = await goAway(
    parts,
    { kind: 'person', id: by },
    { to: random.pick(people), fromMs: null, untilMs },
  );
  if (done.ok) acks.push(said('delegation.made', 'delegation', done.value.id));
}

async function breaksGlass(life: Life, parts: SimGate['parts'], by: PersonId): Promise<void> {
  const { random, acks } = life;
  const person = { kind: 'person', id: by } as const;
  const open = (await parts.store.openGlasses()).at(0);
  if (open === undefined) {
    const of = { agent: random.pick(agents), operation: random.pick([operation.refund, operation.wipe]) };
    const done = await askGlass(parts, person, { ...of, minutes: 1 + random.below(30), reason: 'It burns.' });
    if (done.ok) acks.push({ kind: 'asked', action: done.value.asked.id });
  } else if (open.ended === null && random.chance(0.3)) {
    const done = await endGlass(parts, person, open.id, { reason: null });
    if (done.ok) acks.push(said('glass.closed', 'glass', open.id));
  } else {
    const done = await reviewGlass(parts, person, open.id, { finding: 'Nothing burnt.' });
    if (done.ok) acks.push(said('glass.reviewed', 'glass', open.id));
  }
}

/** Erases what is over, holds what a court wants, and lets go of it. */
async function keeps(life: Life, parts: SimGate['parts'], by: PersonId): Promise<void> {
  const { random, acks } = life;
  const held = await parts.store.held({ status: 'closed', limit: 20 });
  if (held.length === 0) return;
  const { id } = random.pick(held).asked;
  const holds = (await parts.store.holds()).filter((one) => one.released === null);
  const which = random.below(3);
  if (which === 0 && holds.length < 2) {
    const done = await placeHold(parts, by, { action: id, person: null, reason: 'A court asks for it.' });
    if (done.ok) acks.push(said('hold.placed', 'id', done.value.id));
  } else if (which === 1 && holds.length > 0) {
    const one = random.pick(holds);
    const done = await releaseHold(parts, by, one.id, { reason: 'The court is done.' });
    if (done.ok) acks.push(said('hold.released', 'id', one.id));
  } else {
    const scope = { kind: 'action', action: id } as const;
    const done = await erasePayloads(parts, by, { scope, reason: 'Asked for.', basis: null });
    if (done.ok)
      acks.push({
        kind: 'erased',
        indexes: done.value.indexes.flatMap(([from, to]) =>
          Array.from({ length: to - from + 1 }, (_, nth) => from + nth),
        ),
      });
  }
}

/** Takes a receipt and verifies it as anybody would, with nothing but the log's key. */
export async function takesReceipt(life: Life, { parts }: SimGate): Promise<void> {
  const { transparency } = parts;
  if (transparency === undefined) return;
  const covered = await transparency.covered();
  if (covered === 0) return;
  const index = life.random.below(covered);
  const receipt = await transparency.receipt(index);
  if (!receipt.ok) {
    const { kind } = receipt.error;
    if (kind === 'not_found') life.wrongs.push(`no receipt of entry ${index}, and there are ${covered}`);
    return;
  }
  const [vkey = ''] = await transparency.verifierKeys();
  const log = [verifierOf(vkey)].filter((one) => one !== undefined);
  const shown = verifyBundle(receipt.value.bundle, { ...noTrust, log }, null);
  if (typeof shown === 'string') life.wrongs.push(`the receipt of entry ${index}: ${shown}`);
  else if (shown.index !== index) life.wrongs.push(`the receipt of entry ${index} is of ${shown.index}`);
  life.receipts.push(index);
}
