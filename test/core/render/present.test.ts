/** What people see, by case. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { asPersonId } from '../../../src/core/ids.ts';
import type { JsonValue } from '../../../src/core/json.ts';
import { presentText } from '../../../src/core/render/text.ts';
import { requirement } from '../../support/world.ts';
import { deleteProfile, exportProfile, failed, grantProfile, nowMs, scene, seen, shownTo } from './scenes.ts';

const columns = [
  { name: 'id', dataClass: 'none' },
  { name: 'email', dataClass: 'personal' },
  { name: 'plan', dataClass: 'business' },
];
const exported = () =>
  scene(
    {
      operation: 'crm___export_rows',
      resource: { type: 'Dataset', id: 'customers' },
      input: {
        table: 'customers',
        where: { column: 'country', equals: 'DE' },
        destination: 's3://acme-share/customers.csv',
      },
      session: 'run-7',
      reason: 'The report needs it.',
    },
    { profile: exportProfile, preview: seen('count_rows', { rows: 5204, columns }) },
  );
const granted = () =>
  scene(
    {
      operation: 'ops___grant_role',
      resource: { type: 'Role', id: 'admin' },
      input: { principal: 'crm-bot', role: 'admin', scope: 'prod' },
      startedBy: asPersonId('lee'),
    },
    {
      profile: grantProfile,
      before: seen('list_roles', {
        roles: [
          { principal: 'crm-bot', role: 'viewer', scope: 'customers' },
          { principal: 'rosa', role: 'admin', scope: 'prod' },
        ],
      }),
    },
    [
      requirement('grant.admin', 'data-owners', {
        title: 'Admin needs two',
        quorum: 2,
        reasonRequired: true,
      }),
    ],
  );
const region = () =>
  scene(
    {
      operation: 'ops___delete_region',
      resource: { type: 'Region', id: 'eu-west-1' },
      input: { region: 'eu-west-1' },
    },
    {
      profile: deleteProfile,
      preview: seen('describe_region', {
        region: 'eu-west-1',
        clusters: [
          { name: 'edge', environment: 'prod', nodes: 4, stateful: false, services: [{ name: 'ingress' }] },
          { name: 'core', environment: 'prod', nodes: 12, stateful: true, services: [] },
        ],
        statefulVolumes: [{ cluster: 'core', service: 'postgres', gb: 800 }],
      }),
    },
  );

/** Compares with a file; `UPDATE_GOLDEN=1` writes it, and the change is reviewed like any other. */
function golden(name: string, text: string): void {
  const file = fileURLToPath(new URL(`golden/${name}.txt`, import.meta.url));
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(new URL('golden', import.meta.url), { recursive: true });
    writeFileSync(file, text);
  }
  assert.equal(text, readFileSync(file, 'utf8'));
}

// Ids and salts are random or counted; the digest is of them.
const steady = (text: string): string =>
  text.replace(/sha256:[0-9a-f]{12,64}/g, 'sha256:…').replace(/act_\d+/g, 'act_1');

test('the three cases that matter most, as a terminal shows them', () => {
  const past = {
    total: 3,
    byState: { succeeded: 1, denied: 2 },
    sinceMidnight: 1,
    last: { atMs: nowMs - 3_600_000, state: 'denied' },
  };
  golden(
    'export',
    steady(presentText(shownTo(exported().held, 'rosa', { past }), { color: false, width: 92 })),
  );
  const two = granted();
  const once = two.review('rosa', { reason: 'On call.' });
  golden('grant', steady(presentText(shownTo(once, 'sam'), { color: false, width: 92 })));
  golden('region', steady(presentText(shownTo(region().held, 'rosa'), { color: false, width: 92 })));
});

test('an export: measured rows, data classes, filter, destination', () => {
  const shown = shownTo(exported().held, 'rosa');
  assert.equal(shown.headline.text, 'Export 5,204 rows of customers · prod');
  assert.equal(shown.special?.kind, 'export');
  if (shown.special?.kind !== 'export') return;
  assert.equal(shown.special.measured, '5,204 rows');
  assert.equal(shown.special.classes, '1 personal and 1 business columns');
  assert.deepEqual(
    shown.special.fields.map((one) => `${one.label}: ${one.value}`),
    ['filter: country = DE', 'destination: s3://acme-share/customers.csv', 'leads to: acme-share'],
  );
  assert.deepEqual(shown.undetermined, []);
});

test('a grant: who gains, that it is the agent itself, what it holds today', () => {
  const shown = shownTo(granted().held, 'mia');
  assert.equal(shown.headline.text, 'Grant admin to crm-bot · prod');
  assert.equal(shown.special?.kind, 'privilege');
  if (shown.special?.kind !== 'privilege') return;
  assert.equal(shown.special.selfGain, 'The one who gains is the agent that asks.');
  assert.deepEqual(shown.special.holds, ['viewer on customers']);
  assert.equal(shown.special.hasAlready, false);
  assert.ok(shown.special.fields.some((one) => one.value === 'no end: it does not expire'));
});

test('a deletion: destroys by name, stateful ones first', () => {
  const shown = shownTo(region().held, 'rosa');
  assert.equal(shown.headline.text, 'Delete region eu-west-1 · prod');
  assert.equal(shown.special?.kind, 'infrastructure');
  if (shown.special?.kind !== 'infrastructure') return;
  assert.deepEqual(
    shown.special.things.map((one) => `${one.fate} ${one.kind} ${one.name}${one.stateful ? ' !' : ''}`),
    ['destroy cluster core !', 'destroy volume postgres on core !', 'destroy cluster edge'],
  );
  assert.equal(shown.special.summary, 'Destroys 2 clusters and 1 volume. 2 of these keep data that is lost.');
});

test('a plan of changes: destroys and replacements first', () => {
  const plan = {
    resource_changes: [
      { address: 'a.new', change: { actions: ['create'] } },
      { address: 'b.db', change: { actions: ['delete', 'create'] } },
      { address: 'c.old', change: { actions: ['delete'] } },
      { address: 'd.same', change: { actions: ['no-op'] } },
    ],
  };
  const { held } = scene(
    { input: {} },
    {
      profile: { verb: 'Apply', effect: 'execute', preview: { tool: 'plan', input: {} } },
      preview: seen('plan', plan),
    },
  );
  const { special } = shownTo(held, null);
  assert.deepEqual(
    special?.kind === 'infrastructure' ? special.things.map((one) => `${one.fate} ${one.name}`) : [],
    ['destroy c.old', 'replace b.db', 'create a.new'],
  );
});

test('what an MCP tool answers is read from its structured content, or from its one text', () => {
  const answers: readonly JsonValue[] = [
    { structuredContent: { rows: 7 }, content: [] },
    { content: [{ type: 'text', text: '{"rows":7}' }] },
    { rows: 7 },
  ];
  for (const value of answers) {
    const { held } = scene(
      { input: { table: 't' } },
      { profile: exportProfile, preview: seen('count_rows', value) },
    );
    assert.match(shownTo(held, null).headline.text, /^Export 7 rows of /);
  }
});

test('what the gate could not determine comes first, never as silence', () => {
  const whats = (one: Parameters<typeof scene>[0], more: Parameters<typeof scene>[1]) =>
    shownTo(scene(one, more).held, 'rosa').undetermined.map((each) => each.what);
  assert.deepEqual(whats({}, {}), ['What this does', 'Which resource it is about']);
  assert.deepEqual(
    whats({ input: { table: 't' } }, { profile: exportProfile, preview: failed('count_rows', 'timed out') }),
    ['How much it affects'],
  );
  assert.deepEqual(
    whats({ input: { table: 't' } }, { profile: exportProfile, preview: seen('count_rows', {}) }),
    ['The number of rows'],
  );
  assert.deepEqual(
    whats({ input: {} }, { profile: exportProfile, preview: seen('count_rows', { rows: 1 }) }),
    ['Which resource it is about'],
  );
  assert.deepEqual(
    whats(
      { enforcement: 'cooperative', input: { region: 'r' } },
      { profile: { verb: 'Delete', effect: 'delete' } },
    ),
    [
      'Whether it can be undone',
      'Which environment it touches',
      'How much it affects',
      'Which resource it is about',
      'Whether this is what runs',
    ],
  );
  const claimed = shownTo(
    scene(
      { resource: { type: 'Account', id: 'a-1' } },
      { profile: { verb: 'Refund', effect: 'write', environment: 'prod', reversible: true } },
    ).held,
    'rosa',
  );
  assert.match(claimed.undetermined[0]?.why ?? '', /claimed by the agent/);
});

test('the headline admits what was not measured', () => {
  const { held } = scene(
    { input: { table: 'customers' }, resource: { type: 'Dataset', id: 'customers' } },
    { profile: exportProfile, preview: failed('count_rows', 'no') },
  );
  assert.equal(shownTo(held, null).headline.text, 'Export an unknown number of rows of customers · prod');
  assert.equal(shownTo(scene({}).held, null).headline.text, 'Run export_rows of crm');
});

test('where the reader stands is what a review would be told', () => {
  const { held } = exported();
  const of = (who: string) => shownTo(held, who).reader;
  assert.equal(of('rosa')?.cannotApprove, null);
  assert.equal(of('sam')?.cannotApprove?.code, 'no_self_approval');
  assert.equal(of('sam')?.cannotDeny, null);
  assert.equal(of('ada')?.cannotApprove?.code, 'not_an_approver');
  assert.equal(of('ada')?.cannotDeny?.code, 'not_an_approver');
  assert.equal(of('sam')?.canCancel, true);
  assert.equal(of('rosa')?.canCancel, false);
  assert.equal(shownTo(held, null).reader, null);
  const asks = shownTo(granted().held, 'rosa').reader;
  assert.deepEqual([asks?.cannotApprove, asks?.reasonRequired], [null, true]);
});

test('who can, who cannot and why; a quorum in progress', () => {
  const two = granted();
  const shown = shownTo(two.review('rosa', { reason: 'Yes.' }), 'rosa');
  assert.deepEqual(
    shown.needs.map((one) => [one.count, one.quorum, one.met]),
    [[1, 2, false]],
  );
  assert.deepEqual(shown.canApprove, ['mia']);
  assert.deepEqual(shown.cannotApprove, [
    { name: 'sam', why: 'owns the agent crm-bot' },
    { name: 'lee', why: 'started the session' },
  ]);
  assert.equal(shown.reader?.cannotApprove?.code, 'already_reviewed');
  assert.deepEqual(
    shown.reviews.map((one) => [one.name, one.decision, one.reason]),
    [['rosa', 'approve', ['Yes.']]],
  );
});

test('how it ended, in words', () => {
  const titles = (held: ReturnType<typeof exported>['held'], atMs = nowMs + 60_000) =>
    shownTo(held, 'rosa', { nowMs: atMs }).standing;
  assert.equal(titles(exported().held).title, 'Waiting for approval');
  assert.equal(titles(exported().held).untilMs, nowMs + 4 * 3_600_000);
  assert.equal(titles(exported().held, nowMs + 5 * 3_600_000).title, 'Expired');
  const denied = titles(
    exported().review('mia', { decision: 'deny', reason: 'Use the\naggregate.', unsafe: true }),
  );
  assert.deepEqual([denied.title, denied.said], ['Denied', ['Use the', 'aggregate.']]);
  assert.match(denied.text, /^Denied by mia at 09:30 UTC\. Nothing ran\.$/);
  assert.equal(titles(exported().review('mia')).title, 'Approved, not run yet');
});

test('larger than can be shown is said, and cannot be approved', () => {
  const { held } = scene({ input: { rows: Array.from({ length: 6000 }, (_, index) => ({ index })) } });
  const shown = shownTo(held, 'rosa');
  assert.equal(shown.shownWhole, false);
  assert.equal(shown.reader?.cannotApprove?.code, 'shown_incomplete');
  assert.equal(shown.reader?.cannotDeny, null);
  const long = scene({ reason: 'x'.repeat(300_000) });
  assert.equal(shownTo(long.held, 'rosa').shownWhole, false);
});
