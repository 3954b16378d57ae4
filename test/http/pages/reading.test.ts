/** The pages that are read: who sees which, what they say, and what their forms do. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { review } from '../../../src/app/review.ts';
import { stopAgent } from '../../../src/app/stops.ts';
import { asAgentId, asPersonId } from '../../../src/core/ids.ts';
import type { Case } from '../../../src/core/case.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import { definitionHash } from '../../../src/core/tool.ts';
import { scenes } from './scenes.ts';
import { openPages, type PagesGate } from './support.ts';

let gate: PagesGate;
before(async () => {
  gate = await openPages();
});
after(() => gate.close());

const contentOf = (text: string): string => text.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ');
const seen = async (who: string, path: string) => {
  const { status, text } = await gate.get(await gate.signIn(who), path);
  return { status, text, content: contentOf(text) };
};
let runs = 0;
const fresh = () => ({ run: `reading-${(runs += 1)}` });
const pathOf = (held: Case): string => `/approvals/${held.approval?.id ?? ''}`;
const changed = {
  name: 'delete_region',
  description: 'Deletes a region at once.',
  inputSchema: { type: 'object' },
};
const pin = async (...definitions: readonly JsonObject[]) => {
  const result = await gate.parts.store.change({
    kind: 'pin',
    server: 'ops',
    pin: 'manual',
    definitions,
  });
  assert.ok(result.ok);
  await gate.parts.world.sync();
};
const toolNow = async (name: string) =>
  (await gate.parts.store.tools('ops')).find((one) => one.tool === name);

test('each page opens for whom it is, and answers 403 in words to everybody else', async () => {
  const pages: readonly (readonly [path: string, opensFor: string])[] = [
    ['/policies', 'sam rosa ada tom olga'],
    ['/agents', 'sam rosa ada tom olga'],
    ['/agent?id=crm-bot', 'sam ada olga'],
    ['/agent?id=mail-bot', 'sam rosa ada olga'],
    ['/agent?id=none', ''],
    ['/people', 'sam rosa ada tom olga'],
    ['/person?id=tom', 'sam ada tom olga'],
    ['/servers', 'sam ada olga'],
    ['/tool?server=ops&name=export_rows', 'sam ada olga'],
    ['/status', 'sam ada olga'],
    ['/log', 'ada'],
    ['/log/0', 'ada'],
    ['/evidence', 'sam ada olga'],
    ['/reconciliations', 'sam ada olga'],
    ['/log?text=crm', 'ada'],
  ];
  for (const who of ['sam', 'rosa', 'ada', 'tom', 'olga']) {
    const session = await gate.signIn(who);
    for (const [path, opensFor] of pages) {
      const { status, text } = await gate.get(session, path);
      assert.equal(status, opensFor.split(' ').includes(who) ? 200 : 403, `${who} ${path}`);
      if (status === 403) assert.match(text, /<section class="message">/);
    }
  }
  for (const [path] of pages) assert.equal((await gate.get(null, path)).status, 401, path);
});

test('the bar at the top leads only where the reader can go', async () => {
  const places = async (who: string) =>
    [...(await seen(who, '/inbox')).text.matchAll(/<a href="\/([a-z]+)"[^>]*>\s*[A-Z]/g)].map(
      (one) => one[1],
    );
  assert.deepEqual(await places('ada'), [
    'inbox',
    'log',
    'policies',
    'agents',
    'people',
    'servers',
    'evidence',
    'reconciliations',
    'status',
  ]);
  assert.deepEqual(await places('olga'), [
    'inbox',
    'policies',
    'agents',
    'people',
    'servers',
    'evidence',
    'reconciliations',
    'status',
  ]);
  assert.deepEqual(await places('rosa'), ['inbox', 'policies', 'agents', 'people']);
  assert.deepEqual(await places('tom'), ['inbox', 'policies', 'people']);
});

test('policies: as written, in words, who accepted them, what they decided lately', async () => {
  const held = await scenes.export(gate, fresh());
  const { text, content } = await seen('mia', '/policies');
  assert.match(content, /6 policies in force\. Set 1, .*accepted .* by an operator at the command line/);
  assert.match(content, /The admin role is granted by two people from security asks people grant\.admin/);
  assert.match(content, /2 different people of security, within 4 h, with a reason\./);
  assert.match(content, /1 of data-owners, within 20 min\./);
  assert.match(text, /test\.cedar:3/);
  // As written: without the `unless` that the loader adds, which nobody wrote.
  assert.match(content, /context\.input\.table == &quot;customers&quot; \};/);
  assert.doesNotMatch(content, /approvals\.satisfied/);
  assert.match(
    content,
    /export\.customers 1 of data-owners, within 4 h\. 1 for people ops___export_rows crm-bot/,
  );
  assert.ok(text.includes(`href="${pathOf(held)}"`));
  // How much it decides is for everybody; what exactly, for whom it concerns.
  const tom = await seen('tom', '/policies');
  assert.match(tom.content, /1 for people/);
  assert.ok(!tom.text.includes(pathOf(held)));
  assert.doesNotMatch(tom.content, /ops___export_rows crm-bot/);
  assert.doesNotMatch(tom.text, /href="\/log\//);
  assert.match((await seen('ada', '/policies')).text, /href="\/log\/\d+">entry \d+/);
  assert.match((await seen('mia', '/policies?q=grant.admin')).content, /two people from security/);
  assert.doesNotMatch((await seen('mia', '/policies?q=grant.admin')).content, /Bulk export/);
  assert.match((await seen('mia', '/policies?q=zzz')).content, /No policy fits/);
});

test('an agent: what it used, what waits, and its stop; its owner stops it and cannot lift that', async () => {
  const held = await scenes.export(gate, fresh());
  await gate.ask('export_rows', { table: 'plans' }, fresh());
  const page = await seen('sam', '/agent?id=crm-bot');
  assert.match(page.content, /Owned by Sam Lee/);
  assert.match(page.content, /ops___export_rows 1 2 – –/);
  assert.match(page.text, /action="\/agent\/stop"/);
  const sam = await gate.signIn('sam');
  const stop = (fields: Record<string, string>) =>
    gate.post(sam, '/agent/stop', { agent: 'crm-bot', ...fields });
  assert.equal((await stop({ sure: 'yes', reason: '  ' })).status, 403);
  const unsure = await stop({ reason: 'It <b>loops</b>.' });
  assert.deepEqual([unsure.status, /Not done\./.test(unsure.text)], [400, true]);
  assert.match(unsure.text, /It &lt;b&gt;loops&lt;\/b&gt;\.<\/textarea>/);
  assert.deepEqual(await gate.parts.store.stops(), []);
  const done = await stop({ sure: 'yes', reason: 'It loops.' });
  assert.deepEqual([done.status, done.headers.get('location')], [303, '/agent?id=crm-bot']);
  assert.equal((await gate.held(held.approval?.id)).ending?.code, 'cancelled');
  const stopped = await seen('sam', '/agent?id=crm-bot');
  assert.match(stopped.content, /stopped .* Everything it does is refused, by Sam Lee.* It loops\./);
  assert.match(stopped.content, /Only an operator who does not own the agent may let it go on/);
  assert.doesNotMatch(stopped.text, /action="\/agent\/(?:lift|stop)"/);
  const own = await gate.post(sam, '/agent/lift', { agent: 'crm-bot', reason: 'I say so' });
  assert.deepEqual([own.status, /not_permitted/.test(own.text)], [403, true]);
  assert.match((await seen('ada', '/agents')).content, /crm-bot stopped/);
  assert.match((await seen('ada', '/status')).content, /Stops in force 1 crm-bot everything/);
  const olga = await gate.signIn('olga');
  assert.match((await gate.get(olga, '/agent?id=crm-bot')).text, /action="\/agent\/lift"/);
  assert.equal((await gate.post(olga, '/agent/lift', { agent: 'crm-bot', reason: '' })).status, 403);
  assert.equal((await gate.post(olga, '/agent/lift', { agent: 'crm-bot', reason: 'Mended.' })).status, 303);
  assert.deepEqual(await gate.parts.store.stops(), []);
});

test('a paused operation is shown with its unsafe denials, and lifted by itself', async () => {
  const paused = await openPages({ limits: { unsafeMax: 1 } });
  try {
    const held = await scenes.file(paused);
    const said = {
      decision: 'deny',
      digest: held.asked.digest,
      reason: 'Never this.',
      unsafe: true,
    } as const;
    assert.ok(held.approval);
    const denied = await review(paused.parts, { kind: 'person', id: asPersonId('rosa') }, held.approval.id, {
      ...said,
      channel: 'web',
      shownWhole: true,
    });
    assert.ok(denied.ok);
    const olga = await paused.signIn('olga');
    const { text } = await paused.get(olga, '/agent?id=crm-bot');
    assert.match(
      contentOf(text),
      /ops___write_file is paused, by .* Denied as unsafe ops___write_file by Rosa Diaz.* Never this\./,
    );
    assert.match(text, /name="operation" value="ops___write_file"/);
    const answer = await paused.post(olga, '/agent/lift', {
      agent: 'crm-bot',
      operation: 'ops___write_file',
      reason: 'The agent was mended.',
    });
    assert.equal(answer.status, 303);
    assert.deepEqual(await paused.parts.store.stops(), []);
  } finally {
    await paused.close();
  }
});

test('an approver stops the agent from the approval; without a tick nothing happens', async () => {
  const held = await scenes.grant(gate, fresh());
  const mia = await gate.signIn('mia');
  assert.match((await gate.get(mia, pathOf(held))).text, /Stop the agent…/);
  const path = `${pathOf(held)}/stop-agent`;
  assert.equal((await gate.post(mia, path, { reason: 'x' })).status, 400);
  assert.equal((await gate.post(await gate.signIn('tom'), path, { reason: 'x', sure: 'yes' })).status, 404);
  assert.deepEqual(await gate.parts.store.stops(), []);
  const done = await gate.post(mia, path, { reason: 'It asks for admin.', sure: 'yes' });
  assert.deepEqual([done.status, done.headers.get('location')], [303, pathOf(held)]);
  assert.deepEqual(
    (await gate.parts.store.stops()).map((one) => [one.agent, one.by, one.reason]),
    [['crm-bot', { kind: 'person', id: 'mia' }, 'It asks for admin.']],
  );
  const page = await gate.get(mia, pathOf(held));
  assert.match(contentOf(page.text), /The agent crm-bot is stopped/);
  assert.doesNotMatch(page.text, /Stop the agent…/);
  assert.equal(
    (await gate.post(await gate.signIn('olga'), '/agent/lift', { agent: 'crm-bot', reason: 'Mended.' }))
      .status,
    303,
  );
});

test('people: groups, what could ask them, what they decided; nothing that opens anything', async () => {
  const held = await scenes.export(gate, fresh());
  const rosa = await gate.signIn('rosa');
  await gate.post(rosa, `${pathOf(held)}/review`, { decision: 'approve', digest: held.asked.digest });
  const all = await seen('ada', '/people');
  assert.match(all.content, /7 people of the configuration/);
  assert.match(all.content, /Rosa Diaz data-owners and security 5 1/);
  const one = await seen('ada', '/person?id=rosa');
  assert.match(
    one.content,
    /Policies that could ask them Bulk export of customer data .*1 of data-owners, within 4 h/,
  );
  assert.match(one.content, /Agents of theirs mail-bot accountable/);
  assert.match(one.content, /ops___export_rows crm-bot approved/);
  const self = await seen('tom', '/people');
  assert.match(self.content, /Tom Fox/);
  assert.doesNotMatch(self.content, /Rosa Diaz/);
  for (const { content } of [all, one]) assert.doesNotMatch(content, /token|sign-in#|[0-9a-f]{64}/);
});

test('a changed tool: its difference, then accepted by the hash that was shown', async () => {
  await pin(changed);
  const servers = await seen('olga', '/servers');
  assert.match(servers.content, /1 tool waits for an operator/);
  assert.match(servers.content, /HTTP http:\/\/ops\.test/);
  const ada = await seen('ada', '/tool?server=ops&name=delete_region');
  assert.match(ada.content, /changed .* What changed .*Deletes a region at once\./);
  assert.doesNotMatch(ada.text, /action="\/tool\/accept"/);
  const olga = await gate.signIn('olga');
  const page = await gate.get(olga, '/tool?server=ops&name=delete_region');
  assert.match(page.text, /<li class="gone">/);
  const hash = /name="hash" value="([0-9a-f]{64})"/.exec(page.text)?.[1] ?? '';
  assert.equal(hash, definitionHash(changed));
  // The server changes it again between the look and the click: what was not looked at is not accepted.
  await pin({ ...changed, description: 'Deletes all regions.' });
  const late = await gate.post(olga, '/tool/accept', { server: 'ops', tool: 'delete_region', hash });
  assert.deepEqual([late.status, /digest_mismatch/.test(late.text)], [409, true]);
  assert.match(contentOf(late.text), /Not done\..*Deletes all regions\./);
  assert.equal((await toolNow('delete_region'))?.status, 'disabled');
  const again = /name="hash" value="([0-9a-f]{64})"/.exec(late.text)?.[1] ?? '';
  const done = await gate.post(olga, '/tool/accept', { server: 'ops', tool: 'delete_region', hash: again });
  assert.deepEqual([done.status, done.headers.get('location')], [303, '/tool?server=ops&name=delete_region']);
  assert.equal((await toolNow('delete_region'))?.status, 'enabled');
  assert.doesNotMatch((await gate.get(olga, '/tool?server=ops&name=delete_region')).text, /tool\/accept/);
  await pin({ name: 'extra', description: 'New.' });
  assert.match(
    (await seen('olga', '/tool?server=ops&name=extra')).content,
    /waits .* What waits to be accepted/,
  );
});

test('a definition that cannot be shown whole has no accept button', async () => {
  await pin({
    name: 'huge',
    description: Array.from({ length: 6000 }, (_, n) => `line ${n}`).join('\n'),
  });
  const { text, content } = await seen('olga', '/tool?server=ops&name=huge');
  assert.match(content, /larger than can be shown and read here/);
  assert.doesNotMatch(text, /action="\/tool\/accept"/);
});

test('status: limits, store, policies, channels with what waits and failed, upstreams, clock', async () => {
  const atMs = gate.clock.nowMs;
  gate.board.say({ kind: 'channel', name: 'webhook', ok: false, detail: 'answered 503', atMs });
  gate.board.say({ kind: 'upstream', name: 'ops', ok: true, detail: null, atMs });
  gate.board.sessions('ops', 1);
  const { content } = await seen('ada', '/status');
  for (const part of [
    /Policies in force .*6 policies/,
    /Store writable .* SQLite, embedded .* \d+ entries/,
    /Clock agrees with the log .*Europe\/Berlin: Friday,? 10:30 since the start moved 3 s ahead of/,
    /webhook failing .* 0 notices wait last failure .*: answered 503/,
    /ops reachable .* 1 agent connection/,
    /Observed only nothing/,
    /Stops in force none/,
    /unsafe denials 1,000 within 1 d pause an operation/,
    /a held call waits 50 s, with progress 5 min/,
  ])
    assert.match(content, part);
  gate.board.say({ kind: 'channel', name: 'webhook', ok: true, detail: null, atMs: atMs + 1 });
  assert.match((await seen('ada', '/status')).content, /webhook told .* last failure .*: answered 503/);
});

test('a clock that was turned back is said to be', async () => {
  const ada = await gate.signIn('ada');
  gate.clock.nowMs -= 3_600_000;
  try {
    assert.match(
      contentOf((await gate.get(ada, '/status')).text),
      /Clock behind the log .* 1 h after this clock/,
    );
  } finally {
    gate.clock.nowMs += 3_600_000;
  }
});

test('the log: searched, filtered, followed by id; an entry has an address of its own', async () => {
  const held = await scenes.grant(gate, fresh());
  const ada = await gate.signIn('ada');
  const rows = async (path: string) =>
    [...(await gate.get(ada, path)).text.matchAll(/id="entry-(\d+)"/g)].map((one) => Number(one[1]));
  // The entry itself does not name the operation; the action that it is about does.
  assert.ok((await rows('/log?text=grant_role&type=approval.opened')).length > 0);
  assert.deepEqual(await rows('/log?text=grant_roles&type=approval.opened'), []);
  const asked = await rows('/log?operation=ops___grant_role&type=action.asked');
  assert.ok(asked.length >= 2);
  assert.deepEqual(
    asked,
    asked.toSorted((a, b) => b - a),
  );
  const page = await gate.get(ada, '/log?operation=ops___grant_role&type=action.asked');
  assert.match(page.text, /<option value="action\.asked"\s+selected/);
  assert.match(page.text, /name="operation"[^>]*value="ops___grant_role"/);
  const about = await rows(`/log?text=${held.approval?.id ?? ''}`);
  assert.equal(about.length, (await gate.parts.store.entriesAbout(held.asked.id)).length);
  assert.deepEqual(await rows('/log?agent=mail-bot&type=action.asked'), []);
  assert.deepEqual(await rows('/log?from=2026-11-21'), []);
  assert.ok((await rows('/log?from=2026-11-20&to=2026-11-20')).length > 0);
  assert.deepEqual(await rows('/log?to=2026-11-19'), []);
  assert.ok((await rows('/log?person=rosa&type=review.recorded')).length > 0);
  // What is not understood narrows nothing, and says so.
  assert.match(
    (await seen('ada', '/log?type=nonsense&to=yesterday')).content,
    /could not be understood: type and to\./,
  );
  const entry = await gate.get(ada, `/log/${asked[0] ?? 0}`);
  assert.match(
    contentOf(entry.text),
    /The agent crm-bot asked for a grant of admin on prod to crm-bot|The agent crm-bot asked for a grant of admin to crm-bot/,
  );
  assert.match(entry.text, /[0-9a-f]{64}/);
  assert.equal((await gate.get(ada, '/log/999999')).status, 404);
});

test('the same thing asked again is one card, and each is decided by itself', async () => {
  const alike = await openPages();
  try {
    const [first, second, third] = [
      await scenes.export(alike, { run: '1' }),
      await scenes.export(alike, { run: '2', reason: 'Another reason.' }),
      await scenes.export(alike, { run: '3', session: 'another' }),
    ];
    await alike.ask('export_rows', { table: 'customers', format: 'json' });
    const mia = await alike.signIn('mia');
    const inbox = await alike.get(mia, '/inbox');
    assert.match(inbox.text, /<title>\(4\) Inbox/);
    assert.match(contentOf(inbox.text), /3 alike .* the oldest of 3 alike; each is decided by itself/);
    assert.equal([...inbox.text.matchAll(/class="row"/g)].length, 2);
    assert.ok(inbox.text.includes(pathOf(first)) && !inbox.text.includes(pathOf(second)));
    await alike.post(mia, `${pathOf(first)}/review`, { decision: 'approve', digest: first.asked.digest });
    assert.equal((await alike.held(second.approval?.id)).grant, null);
    const next = await alike.get(mia, '/inbox');
    assert.match(contentOf(next.text), /2 alike/);
    assert.ok(next.text.includes(pathOf(second)) && !next.text.includes(pathOf(third)));
  } finally {
    await alike.close();
  }
});

test('observe: every page says so, and what was observed is marked wherever it stands', async () => {
  const observed = await openPages({ observe: true });
  try {
    const held = await scenes.export(observed);
    assert.equal(held.approval, null);
    await observed.ask('export_rows', { table: 'plans' });
    const ada = await observed.signIn('ada');
    for (const path of ['/inbox', '/log', '/policies', '/agents', '/people', '/servers', '/status', '/log/3'])
      assert.match(
        contentOf((await observed.get(ada, path)).text),
        /Observed only, so nothing is held or denied there.*: ops\./,
        path,
      );
    const agent = contentOf((await observed.get(ada, '/agent?id=crm-bot')).text);
    assert.match(agent, /observed: nobody was asked; would have been held for 1 of data-owners/);
    assert.match(agent, /observed: nobody was asked; would have been allowed/);
    const policies = contentOf((await observed.get(ada, '/policies')).text);
    assert.match(policies, /1 for people 1 of them only observed .* observed: nobody was asked/);
    assert.match(
      contentOf((await observed.get(ada, '/log?type=action.asked')).text),
      /observed, so it passed; enforced it would be held for people/,
    );
    assert.match(contentOf((await observed.get(ada, '/servers')).text), /ops observed only/);
  } finally {
    await observed.close();
  }
});

test('a broken set: its reason with file and line first, and the accepted texts as not in force', async () => {
  const broken = await openPages();
  try {
    await broken.parts.store.change({
      kind: 'record',
      entries: [],
    });
    const { parts } = broken;
    const policy = { ...parts.policy, broken: () => 'test.cedar:7: unexpected token', policies: () => [] };
    const session = await broken.signIn('mia');
    Object.assign(parts, { policy });
    const { text } = await broken.get(session, '/policies');
    assert.match(
      contentOf(text),
      /No usable policies: everything is denied test\.cedar:7: unexpected token .* It is not in force\. test\.cedar/,
    );
    assert.match(contentOf(text), /No policy is in force/);
  } finally {
    await broken.close();
  }
});

test('stopping from elsewhere is stopping too: the store has one truth', async () => {
  const held = await scenes.export(gate, fresh());
  assert.ok(
    (
      await stopAgent(gate.parts, asPersonId('rosa'), asAgentId('mail-bot'), {
        reason: 'Quiet.',
        approval: null,
      })
    ).ok,
  );
  assert.match((await seen('rosa', '/agents')).content, /mail-bot stopped/);
  assert.match((await seen('mia', pathOf(held))).text, /Approve this exact action/);
});
