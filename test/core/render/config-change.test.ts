/** A change of who may do what, as people see it: in words first, then literally, whoever wrote it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { identify, type Action } from '../../../src/core/action.ts';
import type { Case } from '../../../src/core/case.ts';
import type { Difference, Origin } from '../../../src/core/config-change.ts';
import { actionInputOf, changeConfigProfile } from '../../../src/core/config-change/asking.ts';
import { changeOperation, gateAgent } from '../../../src/core/gate.ts';
import { asAgentId, asDigest, asPersonId } from '../../../src/core/ids.ts';
import { headlineOf } from '../../../src/core/render/headline.ts';
import type { Presentation } from '../../../src/core/render/present.ts';
import { presentText } from '../../../src/core/render/text.ts';
import { visible } from '../../../src/core/visible.ts';
import { scene, shownTo, stringsIn } from './scenes.ts';

const difference = (more: Partial<Difference>): Difference => ({
  what: 'policy',
  id: 'p',
  before: null,
  after: null,
  tightens: false,
  says: 'adds the permit p',
  touches: [],
  ...more,
});

function actionOf(
  differences: readonly Difference[],
  origin: Origin,
  more: Partial<Action> = {},
): Partial<Action> {
  const digest = asDigest(`sha256:${'0'.repeat(64)}`);
  const input = actionInputOf(differences, { base: digest, candidate: digest, origin });
  assert.ok(input.ok, JSON.stringify(input));
  return { agent: gateAgent, operation: changeOperation, input: input.value, ...more };
}

/** As the gate would ask it: whoever else asks for such an operation is refused. */
function heldAs(more: Partial<Action>): Case {
  const { held } = scene({}, { profile: changeConfigProfile });
  return { ...held, asked: { ...held.asked, ...identify(held.asked.id, { ...held.asked.action, ...more }) } };
}

const shown = (
  differences: readonly Difference[],
  origin: Origin = { author: null },
  more: Partial<Action> = {},
): Presentation =>
  shownTo(
    heldAs({ resource: { type: 'Server', id: 'gate' }, ...actionOf(differences, origin, more) }),
    'rosa',
  );

const some = [
  difference({
    id: 'old',
    before: 'permit (principal, action, resource);',
    tightens: true,
    says: 'removes the permit old',
  }),
  difference({
    id: 'p',
    before: 'one\ntwo\nthree',
    after: 'one\n2\nthree',
    says: 'changes the text of the permit p',
  }),
  difference({
    id: 'q',
    after: '@id("q")\npermit (principal, action, resource);',
    says: 'adds the permit q',
  }),
  difference({ what: 'person', id: 'new', after: '{}', says: 'adds New (new)' }),
];

test('the headline counts what waits, by kind; where nothing waits, what is in force', () => {
  assert.equal(shown(some).headline.text, 'Change who may do what: 2 policies and 1 person');
  assert.equal(shown(some.slice(0, 1)).headline.text, 'Change who may do what: 1 policy');
  assert.equal(
    shown([
      difference({ what: 'group membership', id: 'sam in a' }),
      difference({ what: 'group membership', id: 'sam in b' }),
      difference({ what: 'entities', id: 'T::"x"' }),
      difference({ what: 'operation', id: 'o' }),
      // Two differences of one thing are one thing.
      difference({ what: 'operation', id: 'o' }),
    ]).headline.text,
    'Change who may do what: 2 group memberships, 1 operation and 1 entity',
  );
  assert.equal(shown([]).headline.text, 'Change who may do what');
});

test('every difference is there in words and literally, what waits first', () => {
  const { special, undetermined, reversible } = shown(some);
  assert.ok(special?.kind === 'config');
  assert.deepEqual(
    special.changes.map((one) => [one.name, one.says, one.inForce]),
    [
      ['policy p', 'changes the text of the permit p', false],
      ['policy q', 'adds the permit q', false],
      ['person new', 'adds New (new)', false],
      ['policy old', 'removes the permit old', true],
    ],
  );
  assert.deepEqual(
    special.changes[0]?.rows.map((row) => `${row.kind} ${row.text}`),
    ['same one', 'gone two', 'new 2', 'same three'],
  );
  assert.deepEqual(
    special.changes[1]?.rows.map((row) => `${row.kind} ${row.text}`),
    ['new @id("q")', 'new permit (principal, action, resource);'],
  );
  assert.deepEqual(
    special.changes[3]?.rows.map((row) => `${row.kind} ${row.text}`),
    ['gone permit (principal, action, resource);'],
  );
  assert.equal(reversible, true);
  assert.deepEqual(undetermined, [], 'the gate knows what it asks itself');
});

test('who made it is said, and that they cannot approve it; of what was found, that nobody knows', () => {
  const origin = (one: Origin): readonly string[] => {
    const { special } = shown(some, one);
    assert.ok(special?.kind === 'config');
    return special.origin;
  };
  assert.match(origin({ author: null }).join(), /^Found on disk/);
  assert.deepEqual(origin({ author: asPersonId('rosa'), approver: 'zed@example.com', through: 'CI' }), [
    'Made by rosa (rosa), who cannot approve it.',
    'Approved elsewhere by zed@example.com; that fills no place here.',
    'Said by CI.',
  ]);
});

test('a terminal shows the same: words, then each literally', () => {
  const text = presentText(shown(some), { color: false, width: 80 });
  const at = (part: string): number => {
    const index = text.indexOf(part);
    assert.notEqual(index, -1, `${part}\n${text}`);
    return index;
  };
  assert.ok(at('Change who may do what: 2 policies and 1 person') < at('What would change'));
  assert.ok(
    at('- removes the permit old (in force already)') < at('policy p: changes the text of the permit p'),
  );
  assert.ok(at('- two') < at('+ 2'));
  assert.ok(at('+ permit (principal, action, resource);') < at('The exact action'));
});

test('no agent and no other operation looks like a change of the configuration', () => {
  const forged = (more: Partial<Action>) => shown(some, { author: null }, more);
  for (const more of [
    { agent: asAgentId('crm-bot') },
    { operation: 'crm___change_config' },
    { operation: 'gate___break_glass' },
  ]) {
    const { special, headline } = forged(more);
    assert.notEqual(special?.kind, 'config', JSON.stringify(more));
    assert.doesNotMatch(headline.text, /\d polic/, JSON.stringify(more));
  }
});

test('an input that is none of the gate’s is shown as nothing, and never fails', () => {
  const held = heldAs({
    agent: gateAgent,
    operation: changeOperation,
    input: { changes: [1, { what: 2 }, null] },
  });
  const { special } = shownTo(held, 'rosa');
  assert.ok(special?.kind === 'config');
  assert.equal(headlineOf(held.asked).text, 'Change who may do what');
});

test('what only a mask makes the same does not look unchanged', () => {
  const key = (tail: string) => `argv: ["--key", "sk-${'a'.repeat(20)}${tail}"]`;
  const { special } = shown([difference({ before: key('b'), after: key('c') })]);
  assert.ok(special?.kind === 'config');
  const [change] = special.changes;
  assert.match(change?.rows.map((row) => row.text).join() ?? '', /masked/);
  assert.ok(!stringsIn(special).some((text) => text.includes('sk-aaaa')));
});

test('nothing hides in a change, whatever stands in the files', () => {
  const nasty = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 30 }),
    fc.constantFrom(
      '\u202Eevil',
      'a\u200Bb',
      '\u001b[2J',
      'a\r\nb',
      'x\u2028y',
      '<b>&amp;',
      '\uFEFF',
      'a\n\nb\n',
    ),
  );
  const kinds = fc.constantFrom<Difference['what']>(
    'policy',
    'person',
    'group membership',
    'role',
    'server',
    'schema',
  );
  const differences = fc.array(
    fc.record({
      what: kinds,
      id: nasty,
      says: nasty,
      before: fc.option(nasty),
      after: fc.option(nasty),
      tightens: fc.boolean(),
    }),
    { maxLength: 5 },
  );
  fc.assert(
    fc.property(differences, nasty, nasty, (all, approver, through) => {
      const presentation = shown(all.map(difference), { author: asPersonId('sam'), approver, through });
      for (const text of stringsIn(presentation)) {
        assert.equal(visible(text), text);
        assert.ok(!text.includes('\n'), JSON.stringify(text));
      }
      const { special } = presentation;
      assert.ok(special?.kind === 'config');
      assert.equal(special.changes.length, all.length);
      const plain = presentText(presentation, { color: false, width: 72 });
      assert.equal(visible(plain), plain);
    }),
    { numRuns: 200 },
  );
});
