/** Files that change between two looks at them: nobody stands for what they were not shown. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Found } from '../../src/app/world-held.ts';
import { asGroupId, asPersonId } from '../../src/core/ids.ts';
import { directory as company, openGate, operations, policies } from '../http/gate.ts';

/** Rosa and Mia accept changes. */
const admins = ['rosa', 'mia'];
const people = company.people.map((one) =>
  admins.includes(one.id) ? { ...one, groups: [...one.groups, asGroupId('admins')] } : one,
);
const directory = { ...company, people, roles: { ...company.roles, admins: asGroupId('admins') } };

const found = (text: string): Found => ({
  proposal: {
    directory,
    servers: [
      {
        name: 'files',
        upstream: { kind: 'url', url: 'http://files.test/mcp', headers: {} },
        pin: 'manual',
        mode: 'enforce',
        modes: {},
        tools: {},
      },
    ],
    operations,
  },
  policies: { kind: 'texts', texts: { policies: [{ file: 'a.cedar', text }], schemas: [], entities: null } },
});

/** A permit; any forbid would only tighten. */
const more = (id: string): Found =>
  found(`${policies}\n@id("${id}") @title("More") permit (principal, action, resource);\n`);

test('config-change: the files are swapped while somebody stands for them, so that another change has their name', async (t) => {
  const gate = await openGate();
  t.after(() => gate.close());
  await gate.propose({ directory });
  const author = asPersonId('mia');
  const [shown, swapped] = [more('shown'), more('swapped')];
  await gate.world.take(() => Promise.resolve(shown));
  const { candidate } = gate.world.config();
  assert.ok(candidate !== null);
  let reads = 0;
  await gate.world.take(() => Promise.resolve((reads += 1) <= 2 ? shown : swapped));
  assert.equal(gate.world.config().candidate, candidate);
  const stood = await gate.world.stand({ author }, candidate);
  assert.ok(reads > 2, 'the files were looked at again');
  const newest = await gate.parts.store.newestChange();
  assert.ok(newest !== undefined);
  if (newest.asked.action.input['candidate'] !== candidate)
    assert.equal(newest.asked.action.startedBy, null, 'nobody stands for what was swapped in');
  assert.equal(stood.ok ? 'ok' : stood.error.code, 'digest_mismatch');
});
