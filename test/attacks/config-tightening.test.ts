/**
 * Somebody who can write files, and whom nobody approves, uses what takes effect at once to have an action pass that did not:
 * by a forbid that declares an operation, by taking away what failed, by taking away what is declared, by new names for old
 * policies. Each with the real engine: what was denied stays denied.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AcceptedServers, Itemised } from '../../src/core/config-change.ts';
import { tightened } from '../../src/core/config-change/compare.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { createItems } from '../../src/policy/items.ts';
import type { PolicyTexts, PolicyWorld } from '../../src/ports/policy.ts';
import {
  asks,
  directory,
  engineWith,
  noon,
  permitAll,
  quickEngine,
  short,
  texts,
  world,
} from '../policy/support/world.ts';

const { itemsOf, textsWith } = createItems();
const none: AcceptedServers = { servers: [], operations: [] };
const whole = (policies: PolicyTexts, servers: AcceptedServers): Itemised => ({
  policies,
  items: itemsOf(policies),
  directory,
  servers,
});

type Ask = readonly [operation: string, input: JsonObject];
/** What becomes of an action when an accepted set is replaced: under it, under what was found, and under what is taken over. */
async function verdicts(
  [before, after]: readonly [string, string],
  [operation, input]: Ask,
  in_: PolicyWorld = world(),
): Promise<{ readonly was: string; readonly wanted: string; readonly is: string }> {
  const [accepted, found] = [texts(before), texts(after)];
  const { policies } = tightened(whole(accepted, none), whole(found, none));
  const set = textsWith(accepted, found, policies);
  const judge = async (one: PolicyTexts): Promise<string> =>
    short((await engineWith(one, in_)).judge(asks(operation, input), noon, null));
  return { was: await judge(accepted), wanted: await judge(found), is: await judge(set) };
}

test('a forbid that never applies declares an operation, for a permit on everything to allow', async () => {
  const forbid = (condition: string): string =>
    `${permitAll}@id("f") forbid (principal, action == Action::"ghost___pay", resource) ${condition};`;
  const ask: Ask = ['ghost___pay', {}];
  assert.deepEqual(await verdicts([permitAll, forbid('when { principal in Group::"nobody" }')], ask), {
    was: 'no_permit',
    wanted: 'allow',
    is: 'no_permit',
  });
  const held = `${permitAll}@id("f") @approvers("sre") forbid (principal, action == Action::"ghost___pay", resource);`;
  assert.deepEqual(await verdicts([permitAll, held], ask), {
    was: 'no_permit',
    wanted: 'review:f',
    is: 'no_permit',
  });
});

test('a permit that fails for an action is deleted, so that another one allows it', async () => {
  const onRows = (id: string, condition: string): string =>
    `@id("${id}") permit (principal, action == Action::"ops___export_rows", resource) ${condition};\n`;
  const rest = onRows('rest', '');
  // An overflow is an error, and an error a denial.
  const overflow = onRows('sum', 'when { context.input.rows * 4611686018427387904 > 0 }');
  assert.deepEqual(await verdicts([overflow + rest, rest], ['ops___export_rows', { table: 't', rows: 4 }]), {
    was: 'policy_error',
    wanted: 'allow',
    is: 'policy_error',
  });
  // So is an input that does not fit what policies read of it.
  const reading = onRows('few', 'when { context.input.rows < 10 }');
  assert.deepEqual(
    await verdicts([reading + rest, rest], ['ops___export_rows', { table: 't', rows: 'many' }]),
    {
      was: 'policy_error',
      wanted: 'allow',
      is: 'policy_error',
    },
  );
});

test('a permit that does not fit a tool of today is deleted, so that the tool comes to life', async () => {
  const misfit =
    '@id("old") permit (principal, action == Action::"ops___export_rows", resource) when { context.input.gone == 1 };\n';
  const accepted = texts(misfit + permitAll);
  const found = texts(permitAll);
  const set = textsWith(accepted, found, tightened(whole(accepted, none), whole(found, none)).policies);
  const judge = async (one: PolicyTexts): Promise<string> => {
    const engine = quickEngine();
    assert.ok((await engine.load(one, world(), null)).ok);
    return short(engine.judge(asks('ops___export_rows', { table: 't', rows: 1 }), noon, null));
  };
  assert.deepEqual(
    [await judge(accepted), await judge(found), await judge(set)],
    ['policy_error', 'allow', 'policy_error'],
  );
});

test('a forbid goes, and another one comes with its id', async () => {
  const forbid = (condition: string): string =>
    `${permitAll}@id("f") forbid (principal, action == Action::"ops___export_rows", resource) ${condition};`;
  assert.deepEqual(
    await verdicts(
      [forbid(''), forbid('when { context.input.rows > 1000000 }')],
      ['ops___export_rows', { table: 't', rows: 5 }],
    ),
    { was: 'forbidden', wanted: 'allow', is: 'forbidden' },
  );
});

test('a forbid becomes one that people lift, and its people others', async () => {
  const forbid = (annotations: string): string =>
    `${permitAll}@id("f") ${annotations} forbid (principal, action == Action::"ops___delete_region", resource);`;
  const ask: Ask = ['ops___delete_region', { region: 'eu' }];
  assert.deepEqual(await verdicts([forbid(''), forbid('@approvers("sre")')], ask), {
    was: 'forbidden',
    wanted: 'review:f',
    is: 'forbidden',
  });
  const people = async (after: string): Promise<unknown> => {
    const [accepted, found] = [texts(forbid('@approvers("sre")')), texts(forbid(after))];
    const set = textsWith(accepted, found, tightened(whole(accepted, none), whole(found, none)).policies);
    const verdict = (await engineWith(set)).judge(asks(...ask), noon, null);
    return (
      verdict.effect === 'review' && verdict.requirements.map((one) => `${one.quorum} of ${one.approvers}`)
    );
  };
  assert.deepEqual(
    await people('@approvers("data-owners") @quorum("2")'),
    ['1 of sre'],
    'other people, whatever the quorum',
  );
  assert.deepEqual(
    await people('@approvers("sre") @quorum("9")'),
    ['9 of sre'],
    'more people than there are: it is denied',
  );
});

test('an operation is taken away, so that a policy’s name for it stands for one with an empty input', () => {
  const refund = {
    operation: 'pay___refund',
    input: { type: 'object' },
    profile: null,
    mode: 'enforce',
  } as const;
  const accepted = texts(permitAll);
  const { servers } = tightened(
    whole(accepted, { servers: [], operations: [refund] }),
    whole(accepted, none),
  );
  assert.deepEqual(servers.operations, [{ ...refund, active: false }], 'it stays declared, and is refused');
});
