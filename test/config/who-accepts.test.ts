/** Who could accept a change, in words: said to whoever runs the gate, before they need it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whoAcceptsText } from '../../src/config/who-accepts.ts';
import { asAgentId, asGroupId, asPersonId } from '../../src/core/ids.ts';
import type { Directory } from '../../src/core/directory.ts';

const directory = (
  people: Readonly<Record<string, readonly string[]>>,
  more: Partial<Directory['roles']> = {},
): Directory => ({
  people: Object.entries(people).map(([id, groups]) => ({
    id: asPersonId(id),
    name: id,
    groups: groups.map(asGroupId),
    ...(groups.includes('left') ? { active: false as const } : {}),
  })),
  agents: [{ id: asAgentId('bot'), owners: [asPersonId('ana')], groups: [] }],
  roles: { operators: asGroupId('ops'), auditors: asGroupId('audit'), ...more },
});
const says = (now: Directory, whole = now): string | null =>
  whoAcceptsText({ directory: now, whole, nowMs: 0 });

test('enough people: nothing is said', () => {
  assert.equal(says(directory({ ana: ['admins'], ben: ['admins'] })), null);
  assert.equal(says(directory({ ana: ['admins'], ben: ['admins'] }, { adminsQuorum: 3 })), null);
});

test('one person, and what that means for their agents', () => {
  assert.match(
    says(directory({ ana: [] })) ?? '',
    /^ana is the only person here, .* takes a second person\.$/,
  );
  assert.equal(says(directory({})), null);
});

test('too few: who is left, and what helps', () => {
  assert.match(
    says(directory({ ana: ['ops'], ben: ['ops'] })) ?? '',
    /^warning: .*nobody in the group "admins"/,
  );
  const one = directory({ ana: ['admins'], ben: ['audit'] });
  assert.match(
    says(one) ?? '',
    /ana is alone .* could accept only what somebody else stands for \(countersign config propose\)/,
  );
  const unread = directory({ ana: ['admins'], ben: [] });
  assert.match(says(unread) ?? '', /ana is alone .*, which is not enough\. .*"countersign config accept"/);
  const left = directory({ ana: ['admins'], ben: ['admins', 'left'] });
  const before = directory({ ana: ['admins'], ben: ['admins'] });
  assert.match(says(left, before) ?? '', /ana is alone .*, which is not enough\./);
  const three = { ana: ['admins'], ben: ['admins'], cem: ['admins'] };
  const gone = directory({ ...three, cem: ['admins', 'left'] }, { adminsQuorum: 3 });
  assert.match(
    says(gone, directory(three, { adminsQuorum: 3 })) ?? '',
    /only 2 people in the group "admins"/,
  );
});
