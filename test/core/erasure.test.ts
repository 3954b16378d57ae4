/** Who may erase what, and who takes a hold away: each tie, each refusal in its order, and the step that writes exactly what its entry says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Action } from '../../src/core/action.ts';
import type { Case, Review } from '../../src/core/case.ts';
import { aboutNothing, seal, emptyHead, type EntryDraft, type Sealed } from '../../src/core/entry.ts';
import { erasedCase } from '../../src/core/erased-case.ts';
import { covers, isDueForErasure, partIn, refusesErasure } from '../../src/core/erasure.ts';
import type { Directory } from '../../src/core/directory.ts';
import { asGlassId, type Glass } from '../../src/core/glass.ts';
import { asAgentId, asApprovalId, asHoldId, asPersonId, type PersonId } from '../../src/core/ids.ts';
import type { Loaded } from '../../src/core/loaded.ts';
import { present } from '../../src/core/render/present.ts';
import { releaserMs, type Erasable, type Erasing, type Hold } from '../../src/core/retention.ts';
import { veiled } from '../../src/core/sight.ts';
import { step } from '../../src/core/steps/step.ts';
import * as w from '../support/world.ts';

const oz = asPersonId('oz');
const pia = asPersonId('pia');
const directory: Directory = {
  ...w.directory,
  people: [...w.directory.people, w.person('oz', 'platform'), w.person('pia', 'platform')],
  agents: [
    { id: asAgentId('crm-bot'), owners: [asPersonId('sam'), asPersonId('mia')], groups: [] },
    { id: asAgentId('planner'), owners: [asPersonId('lee')], groups: [] },
  ],
};
const world = { directory, changes: [], nowMs: 1_000_000 };

const sealed = (index: number, more: Partial<EntryDraft> = {}): Sealed =>
  seal(
    {
      type: 'action.asked',
      by: { kind: 'agent', id: asAgentId('crm-bot') },
      about: aboutNothing,
      subject: null,
      data: {},
      ...more,
    },
    { index, atMs: 1, salt: 'ab', head: emptyHead },
  );

const review = (person: string, more: Partial<Review> = {}): Review => ({
  person: asPersonId(person),
  decision: 'approve',
  digest: w.asked(w.allowed).digest,
  reason: 'secret word',
  unsafe: false,
  channel: 'web',
  atMs: 1,
  shown: w.hash,
  via: { kind: 'link' },
  proof: null,
  ...more,
});

const over = (action: Partial<Action> = {}, more: Partial<Case> = {}): Case => ({
  asked: w.asked(w.reviewed(w.requirement('export', 'data-owners')), w.action(action)),
  approval: null,
  reviews: [],
  grant: null,
  ending: { atMs: 2, code: 'denied', reason: 'secret word', by: { kind: 'gate' } },
  execution: null,
  ...more,
});

const unit = (
  held: Case | null,
  entries: readonly Sealed[] = [sealed(0)],
  glass: Glass | null = null,
): Erasable => ({
  held,
  glass,
  entries,
});
const erasing = (units: readonly Erasable[], more: Partial<Erasing> = {}): Erasing => ({
  published: 100,
  holds: [],
  units,
  next: null,
  ...more,
});

const glass = (more: Partial<Glass> = {}): Glass => ({
  id: asGlassId('gls_1'),
  approval: asApprovalId('apr_g'),
  agent: asAgentId('crm-bot'),
  operation: 'crm___export_rows',
  fromMs: 0,
  untilMs: 1,
  asker: pia,
  approvers: [oz],
  owners: [],
  reason: 'x',
  ended: null,
  review: { by: asPersonId('ada'), standing: 'independent', finding: 'x', atMs: 2 },
  ...more,
});

const hold = (more: Partial<Hold> = {}): Hold => ({
  id: asHoldId('hld_1'),
  action: null,
  person: null,
  reason: 'x',
  placedAtMs: 0,
  placedBy: oz,
  released: null,
  ...more,
});

test('nobody-erases-their-own: each tie to an action, and to an entry about none', () => {
  const ties: readonly (readonly [who: string, one: Erasable])[] = [
    ['sam', unit(over())], // accountable owner
    ['mia', unit(over())], // any other owner
    ['rosa', unit(over({ startedBy: asPersonId('rosa') }))],
    ['rosa', unit(over({ delegation: [{ kind: 'person', id: asPersonId('rosa') }] }))],
    ['lee', unit(over({ delegation: [{ kind: 'agent', id: asAgentId('planner') }] }))],
    ['oz', unit(over({}, { reviews: [review('oz')] }))],
    ['oz', unit(over({}, { reviews: [review('rosa', { decision: 'deny', standingInFor: oz })] }))],
    [
      'oz',
      unit(
        over({}, { ending: { atMs: 2, code: 'cancelled', reason: null, by: { kind: 'person', id: oz } } }),
      ),
    ],
    [
      'oz',
      unit(over(), [sealed(0), sealed(1, { type: 'execution.settled', by: { kind: 'person', id: oz } })]),
    ],
    ['pia', unit(over(), [sealed(0)], glass())],
    ['oz', unit(over(), [sealed(0)], glass())],
    ['ada', unit(over(), [sealed(0)], glass())],
    ['oz', unit(null, [sealed(0, { type: 'person.signed_in', by: { kind: 'person', id: oz } })])],
    [
      'oz',
      unit(null, [sealed(0, { type: 'token.issued', by: { kind: 'operator' }, data: { person: 'oz' } })]),
    ],
    [
      'lee',
      unit(null, [sealed(0, { type: 'action.refused', by: { kind: 'agent', id: asAgentId('planner') } })]),
    ],
  ];
  for (const [who, one] of ties) {
    const part = partIn(one, asPersonId(who), world);
    assert.ok(part !== undefined, `${who}: ${JSON.stringify(one.held?.asked.action)}`);
    const refusal = refusesErasure(one, asPersonId(who), erasing([one]), world);
    assert.deepEqual([refusal?.code, refusal?.evidence], ['not_permitted', { part }], who);
    assert.equal(partIn(unit(over()), pia, world), undefined, 'and nobody else');
  }
});

test('a part that somebody had when it was asked stays theirs, whatever the directory says today', () => {
  const approval = {
    ...({} as NonNullable<Case['approval']>),
    conflict: [{ person: oz, why: 'owns the agent crm-bot' }],
  };
  assert.equal(partIn(unit(over({}, { approval })), oz, world), 'owns the agent crm-bot');
});

test('holds, what is open, and what is not in the tree refuse in this order; the retention keeps to them too', () => {
  const whole = unit(over(), [sealed(4), sealed(99)]);
  const no = (one: Erasable, more: Partial<Erasing> = {}) =>
    refusesErasure(one, oz, erasing([one], more), world)?.code;
  assert.equal(no(whole), undefined);
  assert.equal(no(whole, { holds: [hold()] }), 'on_hold');
  assert.equal(no(whole, { published: 99 }), 'not_over');
  const started = { status: 'started' } as NonNullable<Case['execution']>;
  const open = [
    unit(over({}, { ending: null })),
    unit(over({}, { ending: null, execution: started })),
    unit(over(), [sealed(0)], glass({ asker: asPersonId('rosa'), approvers: [], review: null })),
  ];
  for (const one of open) {
    assert.equal(no(one), 'not_over');
    assert.equal(isDueForErasure(one, 50, erasing([one])), false);
  }
  const unknown = unit(over({}, { ending: null, execution: { ...started, status: 'unknown' } }));
  assert.equal(no(unknown), 'not_over', 'a person settles it first');
  assert.equal(isDueForErasure(unknown, 50, erasing([])), true, 'time takes it all the same');
  assert.equal(isDueForErasure(whole, 99, erasing([])), false, 'something of it is younger');
  assert.equal(isDueForErasure(whole, 100, erasing([])), true);
  assert.equal(isDueForErasure(whole, 100, erasing([], { holds: [hold()] })), false);
  assert.equal(isDueForErasure(whole, 100, erasing([], { published: 99 })), false);
  const accepted = unit(null, [sealed(3, { type: 'policies.accepted' })]);
  assert.equal(isDueForErasure(accepted, 100, erasing([])), false, 'what may be in force stays');
});

test('a hold covers everything, one action, or what names one person; a name is no beginning of another', () => {
  const one = unit(over({ input: { to: 'rosa' } }), [sealed(0, { data: { people: ['mia'] } })]);
  const on = (more: Partial<Hold>) => covers(hold(more), one);
  assert.ok(on({}));
  assert.ok(on({ person: asPersonId('rosa') }) && on({ person: asPersonId('mia') }));
  assert.ok(!on({ person: asPersonId('ros') }) && !on({ person: asPersonId('pia') }));
  assert.ok(on({ action: one.held?.asked.id ?? null }));
  assert.ok(!on({ action: w.asked(w.allowed).id }));
  assert.ok(covers(hold({ person: pia }), unit(over(), [sealed(0)], glass())));
});

const loaded = (more: Partial<Loaded>): Loaded => ({
  case: null,
  tools: [],
  link: null,
  used: false,
  recent: [],
  crowd: null,
  begun: [],
  passkeys: [],
  tokens: [],
  change: null,
  stops: [],
  unsafe: [],
  versions: w.versions,
  directory,
  glasses: [],
  changes: [],
  nowMs: world.nowMs,
  nextIndex: 200,
  ...more,
});

test('hold-takes-two: another operator releases it; who did erases nothing of it for a week', () => {
  const release = (by: PersonId, more: Partial<Loaded> = {}) =>
    step(
      { kind: 'release', by, hold: asHoldId('hld_1'), reason: 'over' },
      loaded({ holds: [hold()], ...more }),
    );
  const code = (result: ReturnType<typeof step>) =>
    result.answer.ok
      ? 'ok'
      : result.answer.error.kind === 'refused'
        ? result.answer.error.refusal.code
        : 'stale';
  assert.equal(code(release(oz)), 'not_permitted');
  assert.equal(code(release(asPersonId('rosa'))), 'not_permitted', 'no operator');
  assert.equal(code(release(pia)), 'ok');
  assert.equal(release(pia).entries[0]?.data['alone'], undefined);
  const gone = {
    ...directory,
    people: directory.people.map((one) => (one.id === oz ? one : { ...one, active: false as const })),
  };
  assert.equal(
    release(oz, { directory: gone }).entries[0]?.data['alone'],
    true,
    'a sole operator is not stuck',
  );
  const released = (atMs: number) => [hold({ released: { atMs, by: pia, reason: 'over' } })];
  const one = unit(over());
  const no = (by: PersonId, atMs: number) =>
    refusesErasure(one, by, erasing([one], { holds: released(atMs) }), world)?.code;
  assert.equal(no(pia, world.nowMs - 1), 'not_permitted');
  assert.equal(no(oz, world.nowMs - 1), undefined);
  assert.equal(no(pia, world.nowMs - releaserMs), undefined);
});

test('what is written is what the entry says; the log’s own account of itself stays', () => {
  const held = over();
  const entries = [sealed(3), sealed(4, { type: 'review.recorded' }), sealed(9, { type: 'payloads.erased' })];
  const one = unit(held, entries);
  const command = {
    kind: 'erase',
    by: { kind: 'person', id: oz },
    scope: { kind: 'action', action: held.asked.id },
    reason: 'asked for',
    basis: null,
  } as const;
  const result = step(command, loaded({ erasing: erasing([one]) }));
  assert.ok(result.answer.ok && result.answer.value.kind === 'erased');
  assert.deepEqual(result.answer.value.indexes, [[3, 4]]);
  assert.deepEqual(result.entries[0]?.data['indexes'], [[3, 4]]);
  const [write] = result.writes;
  assert.ok(write?.row === 'erased');
  assert.deepEqual(write.indexes, [[3, 4]]);
  assert.equal(write.cases[0]?.asked.erased, 200, 'it names the entry that says so');
  const empty = step(command, loaded({ erasing: erasing([unit(held, [])]) }));
  assert.deepEqual([empty.writes, empty.entries], [[], []]);
});

test('what is left of a case holds nothing of it, and is shown without harm, whatever it was', () => {
  const text = 'secret word';
  const input = { table: text, differences: [{ what: text }], agent: 'crm-bot', minutes: 5 };
  for (const [agent, operation] of [
    ['crm-bot', 'crm___export_rows'],
    ['gate', 'gate___change_config'],
    ['gate', 'gate___break_glass'],
    ['gate', 'gate___stop_observing'],
  ] as const) {
    const full = over(
      {
        agent: asAgentId(agent),
        operation,
        input,
        session: text,
        reason: text,
        resource: { type: 'Dataset', id: text },
      },
      { reviews: [review('rosa')] },
    );
    const left = erasedCase(
      {
        ...full,
        asked: {
          ...full.asked,
          callback: text,
          run: text,
          amount: 7,
          profile: { verb: 'Export', effect: 'export' },
        },
      },
      9,
    );
    assert.doesNotMatch(JSON.stringify(left), /secret word/, operation);
    assert.equal(left.asked.digest, full.asked.digest);
    assert.equal(veiled(left).asked.erased, 9, 'and to whom it would have been hidden it is erased as well');
    const shown = present(left, {
      directory,
      changes: [],
      delegations: [],
      nowMs: world.nowMs,
      mayApprove: new Map(),
      channel: 'web',
      past: null,
      reader: { kind: 'person', id: oz },
    });
    assert.match(JSON.stringify(shown.undetermined), /entry 9 of the log/, operation);
    assert.equal(shown.exact.whole, false, 'it cannot be approved');
  }
});
