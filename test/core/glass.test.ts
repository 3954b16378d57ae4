import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Directory } from '../../src/core/directory.ts';
import {
  asGlassId,
  glassFor,
  glassRequirement,
  glassReviewers,
  isOpenGlass,
  mayAskGlass,
  mayReadGlass,
  refusesGlassAsked,
  type Glass,
} from '../../src/core/glass.ts';
import { asAgentId, asApprovalId, asGroupId, asPersonId } from '../../src/core/ids.ts';

const person = (id: string, ...groups: string[]): Directory['people'][number] => ({
  id: asPersonId(id),
  name: id,
  groups: groups.map(asGroupId),
});
const inactive = (one: Directory['people'][number]): Directory['people'][number] => ({
  ...one,
  active: false,
});
const bot = { id: asAgentId('bot'), owners: [asPersonId('sam')], groups: [] };
const of = (...people: Directory['people'][number][]): Directory => ({
  people,
  agents: [bot],
  roles: { operators: asGroupId('platform'), auditors: asGroupId('audit') },
});

const glass: Glass = {
  id: asGlassId('gls_1'),
  approval: asApprovalId('apr_1'),
  agent: bot.id,
  operation: 'shop___refund',
  fromMs: 1000,
  untilMs: 2000,
  asker: asPersonId('rosa'),
  approvers: [asPersonId('mia'), asPersonId('lee')],
  owners: [asPersonId('sam')],
  reason: 'because',
  ended: null,
  review: null,
};
const [sam, rosa, mia, lee] = [
  person('sam'),
  person('rosa', 'admins'),
  person('mia', 'admins'),
  person('lee', 'admins'),
];
const reviewers = (directory: Directory): readonly unknown[] => {
  const { standing, people } = glassReviewers(glass, directory);
  return [standing, [...people]];
};

test('it is open from its first to before its last moment, unless it ended', () => {
  const at = [999, 1000, 1999, 2000].map((nowMs) => isOpenGlass(glass, nowMs));
  assert.deepEqual(at, [false, true, true, false]);
  const ended = { atMs: 1500, why: 'person', by: { kind: 'gate' }, reason: null } as const;
  assert.equal(isOpenGlass({ ...glass, ended }, 1600), false);
});

test('it lifts its own agent’s one operation, by its whole name', () => {
  const found = (agent: string, operation: string): boolean =>
    glassFor([glass], { agent: asAgentId(agent), operation }, 1500) !== undefined;
  assert.equal(found('bot', 'shop___refund'), true);
  assert.equal(found('other', 'shop___refund'), false);
  for (const operation of ['shop___refunds', 'shop___', 'SHOP___refund', 'shop___refund:input', ''])
    assert.equal(found('bot', operation), false, operation);
  const star = { ...glass, operation: 'shop___*' };
  assert.equal(glassFor([star], { agent: bot.id, operation: 'shop___refund' }, 1500), undefined);
});

test('two people, and one only where the whole company is two: people who were taken away still count', () => {
  const quorum = (directory: Directory): number => glassRequirement(directory).quorum;
  assert.equal(quorum(of(sam, rosa)), 1);
  assert.equal(quorum(of(sam, rosa, mia)), 2);
  assert.equal(quorum(of(sam, rosa, inactive(mia))), 2, 'deactivating others takes effect at once');
});

test('who reviews: those whose work it is, then anybody without a part in it, then who approved, then who is left', () => {
  const tom = person('tom');
  const ada = person('ada', 'audit');
  assert.deepEqual(reviewers(of(sam, rosa, mia, lee, tom, ada)), ['independent', ['ada']]);
  assert.deepEqual(reviewers(of(sam, rosa, mia, lee, tom)), ['independent', ['tom']]);
  assert.deepEqual(reviewers(of(sam, rosa, mia, lee)), ['approver', ['mia', 'lee']]);
  assert.deepEqual(reviewers(of(sam, rosa)), ['involved', ['sam', 'rosa']]);
  const away = of(sam, rosa, mia, lee, inactive(tom), inactive(ada));
  assert.deepEqual(reviewers(away), ['independent', []], 'deactivating the others makes nobody a reviewer');
});

test('who owned the agent when it was opened has a part in it, whoever owns it now', () => {
  const sold = { ...of(sam, rosa, mia, lee, person('tom')), agents: [{ ...bot, owners: [rosa.id] }] };
  assert.deepEqual(reviewers(sold), ['independent', ['tom']]);
});

test('whoever asks: owners, operators, the group; active people all of them', () => {
  const oz = person('oz', 'platform');
  const ada = person('ada', 'audit');
  const directory = of(sam, rosa, oz, ada, inactive(lee));
  const may = ['sam', 'rosa', 'oz', 'ada', 'lee', 'ghost'].filter((id) =>
    mayAskGlass(directory, asPersonId(id), bot.id),
  );
  assert.deepEqual(may, ['sam', 'rosa', 'oz']);
  const named: Directory = { ...directory, roles: { ...directory.roles, breakGlass: asGroupId('audit') } };
  assert.equal(mayAskGlass(named, rosa.id, bot.id), false, 'another group has the role');
  assert.equal(mayAskGlass(named, ada.id, bot.id), true);
});

test('whoever has nothing to do with one reads nothing of it', () => {
  const directory = of(sam, rosa, mia, lee, person('tom'), person('ada', 'audit'), person('oz', 'platform'));
  const may = directory.people.filter((one) => mayReadGlass(glass, one.id, directory)).map((one) => one.id);
  assert.deepEqual(may, ['sam', 'rosa', 'mia', 'lee', 'ada', 'oz']);
});

test('what is asked is one operation, 1 to 60 whole minutes, and a reason', () => {
  const code = (more: object): string | undefined =>
    refusesGlassAsked({ operation: 'shop___refund', minutes: 60, reason: 'x', ...more })?.code;
  assert.equal(code({}), undefined);
  for (const minutes of [0, 61, 0.5, Number.NaN, Number.POSITIVE_INFINITY, -5])
    assert.equal(code({ minutes }), 'input_invalid', String(minutes));
  for (const operation of ['', 'shop', '*', 'gate___break_glass', '___refund'])
    assert.equal(code({ operation }), 'input_invalid', operation);
  assert.equal(code({ reason: ' \n' }), 'reason_required');
});
