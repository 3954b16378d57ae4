/** startGate: what the files say is in force soon, or everything is denied and the operator is told why; and it ends whole. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { authorize, type Attempt } from '../../src/app/authorize.ts';
import { readSettings, type Settings } from '../../src/config.ts';
import { asAgentId } from '../../src/core/ids.ts';
import { startGate, type GateHooks, type RunningGate } from '../../src/main.ts';
import { inFolder, organisation, run, until } from './run.ts';

async function settingsIn(folder: string): Promise<Settings> {
  const read = await readSettings(join(folder, 'countersign.yaml'));
  if (!read.ok) assert.fail(JSON.stringify(read.error));
  return read.value;
}

async function withGate<T>(
  folder: string,
  work: (gate: RunningGate, said: readonly string[]) => Promise<T>,
  hooks: GateHooks = {},
): Promise<T> {
  const said: string[] = [];
  const gate = await startGate(await settingsIn(folder), { say: (line) => void said.push(line), ...hooks });
  try {
    return await work(gate, said);
  } finally {
    await gate.close();
  }
}

/** What the gate says of a refund: allowed, or the code of its denial. */
async function verdict({ parts }: RunningGate, cents = 5): Promise<string> {
  const entry = parts.world.catalog.entry('bill___refund');
  if (entry === undefined) return 'unknown';
  const attempt: Attempt = {
    agent: asAgentId('bot'),
    session: null,
    startedBy: null,
    delegation: [],
    operation: entry.operation,
    resource: null,
    input: { cents },
    target: entry.target,
    enforcement: 'cooperative',
    reason: null,
    run: null,
    profile: entry.profile,
    runsNow: false,
  };
  const asked = await authorize(parts, attempt);
  if (!asked.ok) return asked.error.code;
  const { verdict: said } = asked.value.held.asked;
  return said.effect === 'deny' ? said.code : said.effect;
}

/** Within the two seconds that a change may take, and a little for a busy machine. */
async function becomes(gate: RunningGate, expected: string): Promise<void> {
  const begun = performance.now();
  for (;;) {
    const said = await verdict(gate);
    if (said === expected) return;
    assert.ok(performance.now() - begun < 8000, `still ${said}, not ${expected}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Accepts what the files say, as whoever has the machine does, beside the running gate. */
async function accepted(folder: string): Promise<void> {
  const done = await run(['config', 'accept'], { cwd: folder });
  assert.equal(done.code, 0, done.err);
}

const types = async ({ parts }: RunningGate): Promise<readonly string[]> =>
  (await parts.store.entries(-1, 1000)).map((one) => one.entry.type);

test('policies that change, break and mend are in force, denied and in force again, without a restart', () =>
  inFolder(organisation, (folder) =>
    withGate(folder, async (gate, said) => {
      const file = join(folder, 'policies', 'bill.cedar');
      const good = organisation['policies/bill.cedar'] ?? '';
      assert.equal(await verdict(gate), 'allow');
      writeFileSync(file, `${good}\n@id("never") forbid (principal, action, resource);\n`);
      await becomes(gate, 'forbidden');
      writeFileSync(file, `${good}\nforbid (principal, action resource);\n`);
      await becomes(gate, 'policy_error');
      await until(
        () => said.some((line) => line.startsWith('policies/bill.cedar:6: ')),
        () => said.join('\n'),
      );
      assert.ok(said.includes('The policies are not usable, so everything is denied until they are mended:'));
      writeFileSync(file, good);
      // What tightened once stays until people take it back, whatever was broken in between.
      await becomes(gate, 'forbidden');
      assert.ok(said.includes('  removes the forbid never'), said.join('\n'));
      await accepted(folder);
      await becomes(gate, 'allow');
      renameSync(join(folder, 'policies'), join(folder, 'elsewhere'));
      await becomes(gate, 'policy_error');
      assert.ok(
        said.some((line) => /policies:0: the policies cannot be read \(ENOENT\)/.test(line)),
        said.join('\n'),
      );
      renameSync(join(folder, 'elsewhere'), join(folder, 'policies'));
      await becomes(gate, 'allow');
      assert.equal(said.filter((line) => line === 'The policies are in force again.').length, 2);
      assert.deepEqual((await types(gate)).filter((type) => type === 'policies.refused').length, 2);
    }),
  ));

test('people and agents change with the configuration; a broken one denies everything, with its place', () =>
  inFolder(organisation, (folder) =>
    withGate(folder, async (gate, said) => {
      const file = join(folder, 'countersign.yaml');
      const good = organisation['countersign.yaml'] ?? '';
      writeFileSync(file, good.replace('groups: [bots]', 'groups: []'));
      await until(
        () => said.includes('  puts the agent bot in no group (was bots)'),
        () => said.join('\n'),
      );
      assert.equal(await verdict(gate), 'allow', 'an agent’s groups may keep it from something, too');
      await accepted(folder);
      await becomes(gate, 'no_permit');
      writeFileSync(file, `${good}\nlistn: x\n`);
      await becomes(gate, 'policy_error');
      assert.ok(
        said.some((line) =>
          /countersign\.yaml:\d+:1: Unknown key "listn"; did you mean "listen"\?/.test(line),
        ),
        said.join('\n'),
      );
      assert.match(gate.parts.policy.broken() ?? '', /countersign\.yaml:\d+:1: Unknown key/);
      writeFileSync(file, `${good}\nlimits: { hold: PT1S }\n`);
      await becomes(gate, 'no_permit');
      await accepted(folder);
      await becomes(gate, 'allow');
      assert.ok(said.includes('Changes of limits are in force after a restart.'), said.join('\n'));
    }),
  ));

test('a gate without usable policies starts, denies everything, and says so', () =>
  inFolder({ 'countersign.yaml': organisation['countersign.yaml'] ?? '' }, async (folder) => {
    await withGate(folder, async (gate, said) => {
      assert.match(
        said.join('\n'),
        /everything is denied until they are mended:\n.*policies:0: the policies cannot be read \(ENOENT\)/,
      );
      assert.equal(await verdict(gate), 'policy_error');
      mkdirSync(join(folder, 'policies'));
      await until(
        () => said.some((line) => line.includes('there is no *.cedar file')),
        () => said.join('\n'),
      );
      writeFileSync(join(folder, 'policies', 'a.cedar'), '@id("all") permit (principal, action, resource);');
      await becomes(gate, 'allow');
    });
  }));

test('a configuration that goes away denies everything, and its return mends it', () =>
  inFolder(organisation, (folder) =>
    withGate(folder, async (gate) => {
      rmSync(join(folder, 'countersign.yaml'));
      await becomes(gate, 'policy_error');
      writeFileSync(join(folder, 'countersign.yaml'), organisation['countersign.yaml'] ?? '');
      await becomes(gate, 'allow');
    }),
  ));

test('closing twice is closing once; start and stop are on record; the store is free again', () =>
  inFolder(organisation, async (folder) => {
    await withGate(folder, async (gate) => {
      await Promise.all([gate.close(), gate.close()]);
      await gate.close();
    });
    await withGate(folder, async (gate) => {
      assert.deepEqual(
        (await types(gate)).filter((type) => type.startsWith('gate.')),
        ['gate.started', 'gate.stopped', 'gate.started'],
      );
    });
  }));

test('while it stops it answers that it stops, and whoever waits is answered', () =>
  inFolder(organisation, async (folder) => {
    const gate = await startGate(await settingsIn(folder), { say: () => undefined });
    assert.equal((await fetch(`${gate.url}/readyz`)).status, 200);
    await gate.close();
    await assert.rejects(fetch(`${gate.url}/readyz`));
  }));

test('what goes wrong while starting is undone', () =>
  inFolder(organisation, async (folder) => {
    const settings = await settingsIn(folder);
    await withGate(folder, async (gate) => {
      await assert.rejects(startGate(settings, { say: () => undefined }), /Another gate is running/);
      const port = Number(new URL(gate.url).port);
      await inFolder(organisation, async (other) => {
        const taken = { ...(await settingsIn(other)), listen: { host: '127.0.0.1', port } };
        await assert.rejects(startGate(taken, { say: () => undefined }), { code: 'EADDRINUSE' });
        await withGate(other, () => Promise.resolve());
      });
    });
  }));

test('warnings of the configuration are said at start', () =>
  inFolder(
    {
      ...organisation,
      'countersign.yaml': (organisation['countersign.yaml'] ?? '').replace('127.0.0.1:0', '0.0.0.0:0'),
    },
    (folder) =>
      withGate(folder, (gate, said) => {
        assert.match(said[0] ?? '', /^warning: listen 0\.0\.0\.0:0 can be reached from other machines/);
        assert.match(gate.origin, /^http:\/\/0\.0\.0\.0:\d+$/);
        return Promise.resolve();
      }),
  ));

test('the configured webhook is told of what people are asked, signed with the configured secret', () =>
  inFolder({}, async () => {
    const got: { readonly body: string; readonly signature: string }[] = [];
    const receiver = createServer((request, response) => {
      void text(request).then((body) => {
        const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = request.headers;
        const expected = createHmac('sha256', 'shared')
          .update(`${String(id)}.${String(at)}.${body}`)
          .digest('base64');
        got.push({ body, signature: signature === `v1,${expected}` ? 'good' : 'bad' });
        response.writeHead(204).end();
      });
    }).listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const address = receiver.address();
    assert.ok(typeof address === 'object' && address !== null);
    const webhook = `channels: { webhook: { url: "http://127.0.0.1:${address.port}/", secret: { fromFile: secret } } }`;
    const files = {
      ...organisation,
      'countersign.yaml': `${organisation['countersign.yaml'] ?? ''}${webhook}\n`,
      secret: 'shared\n',
    };
    await inFolder(files, (inside) =>
      withGate(inside, async (gate) => {
        assert.equal(await verdict(gate, 500), 'review');
        await until(
          () => got.length > 0,
          () => 'nothing was delivered',
        );
        assert.equal(got[0]?.signature, 'good');
        const { type, data } = JSON.parse(got[0]?.body ?? '') as {
          readonly type: string;
          readonly data: Record<string, unknown>;
        };
        assert.equal(type, 'dev.countersign.approval.opened');
        assert.deepEqual(
          [data['headline'], data['operation'], data['agent'], data['status']],
          ['Refund 500 · prod', 'bill___refund', 'bot', 'pending'],
        );
        assert.ok(String(data['url']).startsWith(`${gate.origin}/approvals/apr_`));
      }),
    );
    receiver.close();
  }));
