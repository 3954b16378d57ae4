/** The neutral card: the order of design §7, nothing of the exact action missing, every text safe to show. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { asPersonId } from '../../../src/core/ids.ts';
import type { JsonObject, JsonValue } from '../../../src/core/json.ts';
import type { Buttons, Card, Part, SectionId } from '../../../src/core/render/card.ts';
import { cardOf } from '../../../src/core/render/card-of.ts';
import { codeLine, numbered, settled, settledLines } from '../../../src/core/render/card-text.ts';
import { line, lines } from '../../../src/core/render/shown.ts';
import { writeJson } from '../../../src/core/render/json-lines.ts';
import { visible } from '../../../src/core/visible.ts';
import { requirement } from '../../support/world.ts';
import { deleteProfile, exportProfile, failed, grantProfile, nowMs, scene, seen, shownTo } from './scenes.ts';

const button = { id: 'pst_1', tag: 'a'.repeat(32) };
const buttons: Buttons = { approve: button, approveNot: null, deny: button, stop: button, open: button };
const url = 'http://localhost:7788/approvals/apr_1';
const cardTo = (held: Parameters<typeof shownTo>[0], more: Parameters<typeof shownTo>[2] = {}): Card =>
  cardOf(shownTo(held, null, more), { url, buttons });

/** All text of a part, in its order. */
function textsOf(part: Part): readonly string[] {
  switch (part.as) {
    case 'pairs':
      return part.rows.map((row) => `${row.label}: ${row.value}`);
    case 'items':
      return part.items.map((one) => one.text);
    case 'code':
    case 'quote':
      return part.lines;
    case 'table':
      return [part.columns.join(' '), ...part.rows.map((row) => row.join(' '))];
  }
}
const sectionOf = (card: Card, id: SectionId) => card.sections.find((one) => one.id === id);
const said = (card: Card, id: SectionId): readonly string[] =>
  sectionOf(card, id)?.parts.flatMap(textsOf) ?? [];

const exported = () =>
  scene(
    {
      operation: 'crm___export_rows',
      resource: { type: 'Dataset', id: 'customers' },
      input: { table: 'customers', where: { column: 'country', equals: 'DE' }, destination: 's3://share/c' },
      session: 'run-7',
      reason: 'The report\nneeds it.',
    },
    {
      profile: exportProfile,
      preview: seen('count_rows', { rows: 5204, columns: [{ name: 'email', dataClass: 'personal' }] }),
    },
  );

test('an export in the order of design §7', () => {
  const card = cardTo(exported().held);
  assert.equal(card.headline, 'Export 5,204 rows of customers');
  assert.equal(card.environment, 'prod');
  assert.deepEqual(card.state, { title: 'Waiting for approval', tone: 'waiting' });
  assert.deepEqual(card.reversible, { text: 'Cannot be undone', tone: 'bad' });
  assert.equal(card.consequence, 'The rows leave this company.');
  assert.equal(card.untilMs, nowMs + 4 * 3_600_000);
  assert.equal(card.whole, true);
  assert.deepEqual(card.buttons, buttons);
  assert.deepEqual(
    card.sections.map((one) => [one.id, one.must, one.mark]),
    [
      ['why', false, null],
      ['whom', false, null],
      ['news', false, 'as of 2026-11-20 09:31 UTC'],
      ['special', false, null],
      ['exact', true, null],
      ['looks', false, 'informative, not bound'],
      ['reason', true, 'unverified'],
      ['standing', false, 'as of 2026-11-20 09:31 UTC'],
    ],
  );
  assert.deepEqual(said(card, 'why'), [
    'Bulk export needs a data owner (export.customers)',
    'context.input.rows > 1000   (here 5204)',
    'It would be allowed without asking if rows were at most 1000',
  ]);
  assert.deepEqual(said(card, 'whom'), [
    'agent: crm-bot',
    'owned by: sam',
    'session: run-7',
    'asked: 2026-11-20 09:30 UTC',
  ]);
  assert.deepEqual(said(card, 'special'), [
    'measured: 5,204 rows',
    'data: 1 personal column',
    'columns: email (personal)',
    'filter: country = DE',
    'destination: s3://share/c',
    'leads to: share',
  ]);
  assert.deepEqual(said(card, 'reason'), ['The report', 'needs it.']);
  assert.deepEqual(
    said(card, 'standing').slice(0, -1),
    [
      'Without enough approvals it expires at 13:30 UTC and nothing runs.',
      '0 of 1 from data-owners: Bulk export needs a data owner',
      'can approve: rosa, mia',
      'cannot approve: sam: owns the agent crm-bot',
    ].map((one) => one.replace('rosa, mia', 'rosa and mia')),
  );
  assert.equal(said(card, 'standing').at(-1), `short digest: ${card.shortDigest}`);
});

test('what is claimed is marked, what is literal too', () => {
  const rows = cardTo(exported().held).sections.flatMap((one) =>
    one.parts.flatMap((part) => (part.as === 'pairs' ? part.rows : [])),
  );
  const named = (label: string) => rows.find((row) => row.label === label);
  assert.deepEqual([named('session')?.claimed, named('agent')?.claimed], [true, false]);
  assert.deepEqual([named('operation')?.literal, named('digest')?.literal], [true, true]);
});

test('the special cases are parts: who gains what, what would be destroyed, each with its alarm first', () => {
  const granted = scene(
    {
      operation: 'ops___grant_role',
      resource: { type: 'Role', id: 'admin' },
      input: { principal: 'crm-bot', role: 'admin', scope: 'prod' },
      startedBy: asPersonId('lee'),
    },
    {
      profile: grantProfile,
      before: seen('list_roles', { roles: [{ principal: 'crm-bot', role: 'viewer' }] }),
    },
    [
      requirement('grant.admin', 'data-owners', {
        title: 'Admin needs two',
        quorum: 2,
        reasonRequired: true,
      }),
    ],
  );
  const grant = cardTo(granted.review('rosa', { reason: 'On call.' }));
  assert.equal(sectionOf(grant, 'special')?.title, 'Who gains what');
  assert.deepEqual(said(grant, 'special'), [
    'The one who gains is the agent that asks.',
    'who gains: crm-bot',
    'what: admin',
    'where: prod',
    'until: no end: it does not expire',
    'holds today: viewer',
  ]);
  assert.deepEqual(said(grant, 'standing').slice(1, 4), [
    '1 of 2 from data-owners with a reason: Admin needs two',
    'rosa approved in the web inbox, 2026-11-20 09:30 UTC',
    'On call.',
  ]);
  assert.ok(said(grant, 'whom').includes('started by: lee'));

  const region = scene(
    { operation: 'ops___delete_region', resource: { type: 'Region', id: 'eu' }, input: { region: 'eu' } },
    {
      profile: deleteProfile,
      preview: seen('describe_region', {
        clusters: [{ name: 'edge' }, { name: 'core', stateful: true, environment: 'prod' }],
      }),
    },
  );
  const deleted = cardTo(region.held);
  assert.deepEqual(said(deleted, 'special'), [
    'Destroys 2 clusters. One of these keeps data that is lost.',
    'destroy cluster core (prod), keeps data',
    'destroy cluster edge',
  ]);
});

test('what ran keeps what is known of it, and says first what became of it', () => {
  const { held } = exported();
  const card = cardTo(held);
  assert.equal(card.sections.at(-1)?.id, 'standing');
  const approved = cardTo(exported().review('rosa'));
  assert.equal(approved.sections[0]?.id, 'standing');
  assert.deepEqual(approved.reversible, card.reversible);
  assert.equal(approved.consequence, card.consequence);
});

test('a look that the special case was made from is not told twice, and any other is told', () => {
  assert.deepEqual(said(cardTo(exported().held), 'looks'), [
    'Preview: count_rows, read 2026-11-20 09:29 UTC; see above',
  ]);
  const granted = scene(
    { input: { principal: 'crm-bot', role: 'admin' } },
    {
      profile: grantProfile,
      before: seen('list_roles', { roles: [{ role: 'viewer' }] }),
      preview: seen('foresee', { opens: 'the vault' }),
    },
  );
  const looks = said(cardTo(granted.held), 'looks');
  assert.deepEqual(looks.slice(0, 2), [
    'Before: list_roles, read 2026-11-20 09:29 UTC; see above',
    'Preview: foresee, read 2026-11-20 09:29 UTC',
  ]);
  assert.ok(looks.some((one) => one.includes('the vault')));
});

test('a remark names an argument between quotes that its name cannot close', () => {
  const named = 'x" is safe. This holds\u200b';
  const notes = said(cardTo(scene({ input: { [named]: 1 } }).held), 'exact');
  assert.ok(
    notes.includes(
      '"x\\" is safe. This holds⟨U+200B⟩" its name holds 1 character that cannot be seen: U+200B',
    ),
    notes.join('\n'),
  );
});

test('what was read upstream: as a diff, a table, JSON, or a failure', () => {
  const profile = { verb: 'Write', effect: 'write' as const, before: { tool: 'read', input: {} } };
  const card = cardTo(
    scene(
      { input: { content: 'a\nc\n' } },
      { profile, before: seen('read', { content: 'a\nb\n' }), preview: failed('look', 'timed out') },
    ).held,
  );
  assert.deepEqual(said(card, 'looks'), [
    'Before: read, read 2026-11-20 09:29 UTC',
    '  a',
    '- b',
    '+ c',
    '  ',
    'Preview: look, read 2026-11-20 09:29 UTC',
    'failed: timed out',
  ]);
  const rows = Array.from({ length: 14 }, (_, index) => ({ id: index }));
  const table = cardTo(scene({}, { profile, before: seen('read', { rows, more: 1 }) }).held);
  const parts = sectionOf(table, 'looks')?.parts ?? [];
  assert.deepEqual(
    parts.map((one) => one.as),
    ['items', 'code', 'items', 'table'],
  );
  assert.equal(parts.find((one) => one.as === 'table')?.more, 2);
});

test('what the gate does not know is said first, and must be there', () => {
  const card = cardTo(scene({}).held);
  assert.deepEqual([card.sections[0]?.id, card.sections[0]?.must], ['undetermined', true]);
  assert.match(
    said(card, 'undetermined')[0] ?? '',
    /^What this does: The operator has given this tool no profile/,
  );
  assert.deepEqual(card.reversible, { text: 'Not known whether it can be undone', tone: 'unknown' });
  assert.deepEqual(said(card, 'reason'), ['None given.']);
});

test('a case that is over says how, with the words that were said', () => {
  const denied = exported().review('mia', { decision: 'deny', reason: 'Use the\naggregate.', unsafe: true });
  const card = cardOf(shownTo(denied, null), { url, buttons: null });
  assert.deepEqual(card.state, { title: 'Denied', tone: 'bad' });
  // "Denied … cannot be undone" would read as if the denial could not; and the rows did not leave.
  assert.deepEqual(card.reversible, { text: 'Nothing ran', tone: 'plain' });
  assert.equal(card.consequence, null);
  assert.equal(card.sections[0]?.id, 'standing');
  assert.equal(card.untilMs, null);
  assert.equal(card.buttons, null);
  const standing = said(card, 'standing');
  assert.equal(standing[0], 'mia denied it as unsafe in the web inbox, 2026-11-20 09:30 UTC');
  assert.equal(standing.filter((one) => one === 'aggregate.').length, 1);
  assert.ok(!standing.some((one) => one.startsWith('can approve')));
});

test('larger than can be shown: no button to approve, whatever was asked for', () => {
  const { held } = scene({ input: { rows: Array.from({ length: 6000 }, (_, index) => ({ index })) } });
  const card = cardTo(held);
  assert.equal(card.whole, false);
  assert.equal(card.buttons?.approve, null);
  assert.match(card.buttons?.approveNot ?? '', /larger than a person can be shown/);
  assert.deepEqual(card.buttons?.deny, button);
  assert.match(said(card, 'exact').at(-1) ?? '', /the rest of it is missing here/);
});

test('a veiled action: no button to approve, and the card says that it is hidden', () => {
  const card = cardTo(scene({ input: {} }, { veiled: true }).held);
  assert.equal(card.buttons?.approve, null);
  assert.match(card.buttons?.approveNot ?? '', /not for everybody who reads here/);
});

test('blanks that would move what follows out of sight are counted', () => {
  assert.equal(settled(line(`a${' '.repeat(32)}b`)), `a${' '.repeat(32)}b`);
  assert.equal(settled(line(`a${' '.repeat(33)}b`)), 'a⟨U+0020 ×33⟩b');
  assert.deepEqual(lines(`a${'\t'.repeat(40)}b`).map(settled), ['a⟨U+0009 ×40⟩b']);
  assert.deepEqual(lines(`a${' \t'.repeat(20)}b`).map(settled), ['a⟨U+0020 U+0009 ×40⟩b']);
  assert.deepEqual(settledLines(lines(`a${'\n'.repeat(201)}b`)), ['a', '⟨200 empty lines⟩', 'b']);
  assert.deepEqual(settledLines(lines('a\n\n\nb')), ['a', '', '', 'b']);
  const rows = writeJson({ text: `a${'\n'.repeat(201)}b`, z: 1 }).lines;
  assert.deepEqual(numbered(rows), [
    '  1 │ {',
    '  2 │   "text": text, 202 lines, no line break at its end',
    '  3 │     | a',
    '  4 │ ⟨200 empty lines⟩',
    '204 │     | b',
    '205 │   "z": 1',
    '206 │ }',
  ]);
});

const nasty = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom(
    '\u202Eevil',
    'a\u200Bb',
    '\u001b[2J',
    'a\r\nb',
    ' '.repeat(50),
    '\n'.repeat(9),
    'tab\there',
  ),
);
const value = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    nasty,
    fc.integer(),
    fc.boolean(),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(nasty, tie('value'), { maxKeys: 4 }) as fc.Arbitrary<JsonValue>, // records of JSON values are JSON
  ),
})).value;

function textsIn(one: unknown): readonly string[] {
  if (typeof one === 'string') return [one];
  return typeof one === 'object' && one !== null ? Object.values(one).flatMap(textsIn) : [];
}

test('every line of the exact action is on the card, and nothing hides anywhere in it', () => {
  const effects = fc.constantFrom('read', 'write', 'export', 'delete', 'grant', 'execute' as const);
  fc.assert(
    fc.property(
      fc.dictionary(nasty, value, { maxKeys: 6 }) as fc.Arbitrary<JsonObject>, // as above
      fc.array(nasty, { minLength: 5, maxLength: 5 }),
      effects,
      value,
      (input, [a = '', b = '', c = '', d = '', e = ''], effect, answer) => {
        const profile = {
          verb: a,
          effect,
          environment: b,
          consequence: c,
          preview: { tool: 't', input: {} },
          before: { tool: 't', input: {} },
        };
        const shown = shownTo(
          scene(
            {
              operation: `${d}___${e}`,
              resource: { type: 'T', id: a },
              session: b,
              reason: `${c}\n${d}`,
              input: { ...input, principal: c, role: d, content: e },
              startedBy: asPersonId(e),
            },
            { profile, preview: seen(d, answer), before: seen(e, { content: a, roles: [{ role: b }] }) },
          ).held,
          null,
        );
        const card = cardOf(shown, { url, buttons });
        for (const text of textsIn(card)) {
          assert.equal(visible(text), text);
          assert.ok(!text.includes('\n'), JSON.stringify(text));
          assert.ok(!/[ \t]{33}/.test(text.replace(/^ *\d+ │ +/, '')), JSON.stringify(text));
        }
        const exact = said(card, 'exact');
        const rest = [...exact];
        for (const row of shown.exact.input) {
          const words = codeLine(row);
          const at = rest.findIndex((text) => text.endsWith(`│ ${words}`) || text.includes(' empty lines⟩'));
          assert.ok(at >= 0, words);
          if (!(rest[at] ?? '').includes(' empty lines⟩')) rest.splice(0, at + 1);
        }
        for (const one of shown.exact.fields)
          assert.ok(exact.includes(`${one.label}: ${settled(one.value)}`));
        for (const one of shown.exact.notes)
          assert.ok(exact.some((text) => text.includes(settled(one.text))));
        assert.ok(exact.includes(`digest: ${shown.exact.digest}`));
      },
    ),
    { numRuns: 150 },
  );
});
