/** `policy check` and `policy explain`, run as people run them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { inFolder, organisation, run, serving, start } from './run.ts';

const policies = organisation['policies/bill.cedar'] ?? '';
const withPolicies = (more: string): Readonly<Record<string, string>> => ({
  ...organisation,
  'policies/bill.cedar': policies + more,
});
const refund = (cents: number): string =>
  JSON.stringify({ agent: 'bot', operation: 'bill___refund', input: { cents } });

test('check: a clean set, and one with warnings', async () => {
  await inFolder(organisation, async (cwd) => {
    const clean = await run(['policy', 'check'], { cwd });
    assert.deepEqual([clean.code, clean.out, clean.err], [0, '', 'usable: 1 policy file.\n']);
  });
  const more = '@id("x") permit (principal in Group::"nobodies", action, resource);\n';
  await inFolder(withPolicies(more), async (cwd) => {
    const warned = await run(['policy', 'check'], { cwd });
    assert.equal(warned.code, 0);
    assert.equal(
      warned.out,
      'policies/bill.cedar:5: warning: no agent is in the group "nobodies": this policy applies to nobody\n',
    );
    assert.equal(warned.err, 'usable: 1 policy file, 1 warning.\n');
    const strict = await run(['policy', 'check', '--strict'], { cwd });
    assert.deepEqual([strict.code, strict.err], [1, 'not clean: 1 policy file, 1 warning.\n']);
  });
});

test('check: errors, all of them, with their places', async () => {
  const more =
    '@id("x") permit (principal, action, resource) when { context.input.gone == 1 };\nforbid (principal, action, resource);\n';
  await inFolder(withPolicies(more), async (cwd) => {
    const { code, out, err } = await run(['policy', 'check'], { cwd });
    assert.equal(code, 1);
    assert.match(out, /^policies\/bill\.cedar:5: error: .*gone/m);
    assert.match(out, /^policies\/bill\.cedar:6: error: a policy needs an @id/m);
    assert.match(err, /^not usable: 1 policy file, \d errors\. A gate with these would deny everything\.$/m);
    const json = await run(['policy', 'check', '--json'], { cwd });
    assert.equal(json.code, 1);
    const parsed = JSON.parse(json.out) as { ok: boolean; problems: { line: number }[] };
    assert.deepEqual(
      [parsed.ok, parsed.problems.map((one) => one.line).toSorted((a, b) => a - b)],
      [false, [5, 6]],
    );
  });
});

test('check: another folder, and what is no folder', async () => {
  await inFolder(
    { ...organisation, 'next/a.cedar': 'permit (principal, action, resource);' },
    async (cwd) => {
      const { code, out } = await run(['policy', 'check', '--files', 'next'], { cwd });
      assert.deepEqual([code, out], [1, 'next/a.cedar:1: error: a policy needs an @id("…")\n']);
      const gone = await run(['policy', 'check', '--files', 'gone'], { cwd });
      assert.equal(gone.code, 1);
      assert.match(gone.err, /the policies cannot be read \(ENOENT\)/);
    },
  );
});

test('explain: a hand-written action, as text', async () => {
  await inFolder({ ...organisation, 'a.json': refund(500) }, async (cwd) => {
    const { code, out, err } = await run(['policy', 'explain', 'a.json'], { cwd });
    assert.deepEqual([code, err], [0, '']);
    assert.doesNotMatch(out, /\u001B/); // no colours where nobody sees them
    for (const part of [
      /^bill___refund by bot on Server::"bill"$/m,
      /^review: people must approve it$/m,
      /A refund needs a data owner: 1 of data-owners, within 4 h/,
      /can approve +rosa$/m,
      /cannot +sam: owns the agent bot$/m,
      /forbid refunds: A refund needs a data owner +bill\.cedar:3$/m,
      /context\.input\.cents > 100 +\(refunds\)\n +here +500, against 100$/m,
      /- if cents were at most 100$/m,
      /\| This action needs approval by data-owners \(1 person\)\.$/m,
    ])
      assert.match(out, part);
  });
});

test('explain: JSON, stdin, another time and another folder', async () => {
  const files = {
    ...organisation,
    'next/a.cedar':
      '@id("day") permit (principal, action, resource) when { context.system.local.hour >= 9 && context.system.local.hour < 17 };',
  };
  await inFolder(files, async (cwd) => {
    const words = ['policy', 'explain', '-', '--files', 'next', '--json', '--at'];
    const judged = async (time: string) => {
      const child = start([...words, time], { cwd });
      child.stdin?.end(refund(500));
      const [out, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
      assert.equal(code, 0);
      return JSON.parse(out) as {
        verdict: string;
        code?: string;
        at: string;
        explanation: { wouldAllow: string[] };
      };
    };
    const night = await judged('2026-11-22T20:00:00Z');
    assert.deepEqual(
      [night.verdict, night.code, night.at],
      ['deny', 'no_permit', '2026-11-22T20:00:00.000Z'],
    );
    assert.deepEqual(night.explanation.wouldAllow, ['if the hour in UTC were between 9 and 16']);
    assert.equal((await judged('2026-11-22T10:00:00Z')).verdict, 'allow');
  });
});

test('explain: groups are told, because operators ask', async () => {
  const set = '@id("p") permit (principal in Group::"payers", action, resource);';
  await inFolder({ ...organisation, 'policies/bill.cedar': set, 'a.json': refund(5) }, async (cwd) => {
    const { out } = await run(['policy', 'explain', 'a.json'], { cwd });
    assert.match(out, /Permit p applies to agents in payers; bot is not\./);
    assert.match(out, /- if bot were in Group::"payers"$/m);
  });
});

test('explain: counts that are written by hand, and as if it were the first', async () => {
  const set = `${policies}@id("many") @approvers("data-owners") forbid (principal, action == Action::"bill___refund", resource) when { context.recent.agent.day.count > 10 };`;
  const window = { hour: { count: 1 }, day: { count: 50 }, ever: { count: 90 } };
  const counted = { agent: 'bot', operation: 'bill___refund', input: { cents: 5 } };
  const recent = { agent: window, owner: window, operation: window };
  await inFolder(
    {
      ...organisation,
      'policies/bill.cedar': set,
      'many.json': JSON.stringify({ ...counted, recent }),
      'one.json': JSON.stringify(counted),
      'bad.json': JSON.stringify({ ...counted, recent: { agent: 5 } }),
    },
    async (cwd) => {
      const many = await run(['policy', 'explain', 'many.json'], { cwd });
      assert.match(many.out, /context\.recent\.agent\.day\.count > 10 +\(many\)\n +here +50, against 10$/m);
      assert.match(many.out, /- if the count by this agent within a day were at most 10$/m);
      assert.match((await run(['policy', 'explain', 'one.json'], { cwd })).out, /^allow: /m);
      const bad = await run(['policy', 'explain', 'bad.json'], { cwd });
      assert.deepEqual([bad.code, /"recent" is no/.test(bad.err)], [1, true]);
    },
  );
});

test('explain: a recorded action, by its id, as printed, and against policies that changed', async () => {
  await inFolder(organisation, async (cwd) => {
    const token = async (kind: string, id: string) => (await run(['token', kind, id], { cwd })).out.trim();
    const [bot, rosa] = [await token('agent', 'bot'), await token('person', 'rosa')];
    await serving(cwd, async ({ url }) => {
      const headers = (of: string) => ({ authorization: `Bearer ${of}`, 'content-type': 'application/json' });
      const asked = await fetch(`${url}/v1/actions`, {
        method: 'POST',
        headers: headers(bot),
        body: JSON.stringify({ operation: 'bill___refund', input: { cents: 500 } }),
      });
      const { id, approval } = (await asked.json()) as { id: string; approval: { id: string } };
      // Beside the running gate.
      for (const one of [id, approval.id]) {
        const { code, out } = await run(['policy', 'explain', one], { cwd });
        assert.equal(code, 0);
        assert.match(out, /^review: /m);
        assert.doesNotMatch(out, /The gate said/);
      }
      const shown = await fetch(`${url}/v1/actions/${id}`, { headers: headers(rosa) });
      await writeFile(join(cwd, 'api.json'), await shown.text());
      const env = { COUNTERSIGN_TOKEN: rosa };
      const approvals = await run(['approvals', 'show', approval.id, '--url', url, '--json'], { cwd, env });
      await writeFile(join(cwd, 'approval.json'), approvals.out);
      for (const file of ['api.json', 'approval.json'])
        assert.match((await run(['policy', 'explain', file], { cwd })).out, /^review: /m);
      await writeFile(join(cwd, 'next.cedar'), '');
    });
    await writeFile(join(cwd, 'policies', 'bill.cedar'), '@id("all") permit (principal, action, resource);');
    const { out } = await run(['policy', 'explain', 'api.json'], { cwd });
    assert.match(
      out,
      /^allow: .*\n(?:.*\n)?The gate said review when it was asked; today’s files say otherwise\.$/m,
    );
  });
});

test('what cannot be meant, with what to do instead', async () => {
  const files = {
    ...organisation,
    'a.json': refund(5),
    'list.json': '[]',
    'twice.json': '{"agent": "bot", "agent": "bot"}',
    'stranger.json': '{"agent": "bat", "operation": "bill___refund", "input": {}}',
    'bare.json': '{"agent": "bot", "input": {}}',
  };
  await inFolder(files, async (cwd) => {
    const said = async (...words: string[]) => {
      const { code, out, err } = await run(['policy', ...words], { cwd });
      assert.equal(out, '');
      return `${code} ${err}`;
    };
    assert.match(await said(), /^2 .*Say what to do: check, explain or show/);
    assert.match(await said('lint'), /^2 .*“lint” cannot be done with policies/);
    assert.match(await said('check', 'x'), /^2 .*one word too many/);
    assert.match(
      await said('check', '--at', '2026-01-01T00:00:00Z'),
      /^2 .*--at does not belong to policy check/,
    );
    assert.match(await said('explain'), /^2 .*FILE, ID or - is missing/);
    assert.match(await said('explain', 'a.json', '--strict'), /^2 .*--strict belongs to policy check/);
    assert.match(await said('explain', 'a.json', '--at', 'noon'), /^2 .*--at noon is no time with its zone/);
    assert.match(
      await said('explain', 'gone.json'),
      /^1 .*gone\.json cannot be read \(ENOENT\)\. Give a file, an id/,
    );
    assert.match(await said('explain', 'act_0'), /^1 .*act_0 cannot be looked up: there is no store/);
    assert.match(await said('explain', 'list.json'), /^1 .*it is no object\. Write \{"agent"/);
    assert.match(await said('explain', 'twice.json'), /^1 .*twice\.json is not JSON that the gate takes/);
    assert.match(await said('explain', 'stranger.json'), /^1 .*no agent “bat”; did you mean bot\?/);
    assert.match(await said('explain', 'bare.json'), /^1 .*"operation" is missing\. Write/);
    await writeFile(join(cwd, 'policies', 'bill.cedar'), 'permit (principal, action, resource);');
    assert.match(
      await said('explain', 'a.json'),
      /^1 policies\/bill\.cedar:1: error: a policy needs an @id.*\n.*These policies are not usable/,
    );
  });
});

test('show --roles prints the default policies as Cedar, and what the set forbids besides', async () => {
  await inFolder(organisation, async (cwd) => {
    const plain = await run(['policy', 'show', '--roles'], { cwd });
    assert.equal(plain.code, 0);
    assert.match(
      plain.out,
      /^@id\("roles\.operators"\) @title\("Operators see every action without its input/m,
    );
    assert.match(plain.err, /Nothing narrows them/);
    assert.equal((await run(['policy', 'show'], { cwd })).code, 2);
  });
  const more = '@id("x") forbid (principal, action == Action::"read_log", resource);\n';
  await inFolder(withPolicies(more), async (cwd) => {
    const { out, err } = await run(['policy', 'show', '--roles'], { cwd });
    assert.match(out, /\/\/ bill\.cedar:5\n@id\("x"\) forbid/);
    assert.match(err, /1 policy narrows them\./);
    const { defaults, narrowedBy } = JSON.parse(
      (await run(['policy', 'show', '--roles', '--json'], { cwd })).out,
    );
    assert.ok(defaults.length > 10);
    assert.deepEqual(
      narrowedBy.map((one: { id: string }) => one.id),
      ['x'],
    );
  });
  const loose = '@id("x") permit (principal, action == Action::"read_log", resource);\n';
  await inFolder(withPolicies(loose), async (cwd) => {
    const checked = await run(['policy', 'check'], { cwd });
    assert.equal(checked.code, 1);
    assert.match(
      checked.out,
      /bill\.cedar:5: error: a permit on "read_log": who may do it is said by the gate's own policies/,
    );
  });
});
