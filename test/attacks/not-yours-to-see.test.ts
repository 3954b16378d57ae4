/**
 * A person sees no input that is not theirs to see. Marks stand in everything that an action holds; every page, every link on
 * it and every GET of the API is read as every role, and a mark may be where its reader may see it and nowhere else.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { effectOnce, claim } from '../../src/app/execute.ts';
import { deliverNotice } from '../../src/app/notices.ts';
import { cancel, review } from '../../src/app/review.ts';
import { approvalOf, approvalText } from '../../src/cli/approval-view.ts';
import { lineOf } from '../../src/channels/terminal.ts';
import { eventOf } from '../../src/channels/webhook.ts';
import type { Case } from '../../src/core/case.ts';
import { asPersonId } from '../../src/core/ids.ts';
import { headlineOf } from '../../src/core/render/headline.ts';
import { hiddenWords } from '../../src/core/sight.ts';
import { routes } from '../../src/http/api/routes.ts';
import { newToken } from '../../src/identity/tokens.ts';
import type { Told } from '../../src/ports/channel.ts';
import { openPages, type PagesGate } from '../http/pages/support.ts';
import { seen } from '../http/pages/scenes.ts';

/** What the agent said or an upstream answered; each begins alike, so that a part of one is found too. */
const held = {
  input: 'MARKED-input-7f3a',
  path: 'MARKED-path-91bc',
  preview: 'MARKED-preview-c0de',
  before: 'MARKED-before-44d1',
  reason: 'MARKED-reason-e5e5',
  session: 'MARKED-session-1b1b',
  result: 'MARKED-result-aa00',
  detail: 'MARKED-detail-bb11',
  withdrawn: 'MARKED-withdrawn-cc22',
} as const;
const marked = /MARKED/i;
/** What a person said; whoever may read the action reads it. */
const word = 'SPOKEN-word-0f0f';

const everybody = ['sam', 'rosa', 'mia', 'lee', 'ada', 'tom', 'olga'] as const;
type Name = (typeof everybody)[number];

interface World {
  readonly gate: PagesGate;
  /** Waiting, ran, denied by an operator, withdrawn by its agent; and one that nobody was asked about. */
  readonly cases: Readonly<Record<'open' | 'ran' | 'denied' | 'withdrawn' | 'plain', Case>>;
}

/** The operations are of the agent of `sam`, and are for `data-owners`: sam, rosa, mia. */
async function opened(forbids = ''): Promise<World> {
  const gate = await openPages({ forbids });
  const { parts } = gate;
  const write = (name: string): Promise<Case> =>
    gate.ask(
      'write_file',
      { path: `/${held.path}/${name}`, content: held.input },
      {
        reason: held.reason,
        session: held.session,
        look: (which) =>
          Promise.resolve(seen('read_file', { path: held.path }, { text: held[which] }, gate.clock.nowMs)),
      },
    );
  const as = (id: Name) => ({ kind: 'person', id: asPersonId(id) }) as const;
  const said = async (id: Name, one: Case, decision: 'approve' | 'deny'): Promise<void> => {
    const done = await review(parts, as(id), idOf(one), {
      decision,
      digest: one.asked.digest,
      reason: word,
      unsafe: false,
      channel: 'api',
      shownWhole: true,
    });
    assert.ok(done.ok, JSON.stringify(done));
  };
  const [ran, denied, withdrawn, open] = [
    await write('1'),
    await write('2'),
    await write('3'),
    await write('4'),
  ];
  await said('rosa', ran, 'approve');
  const taken = await claim(parts, ran.asked.action.agent, ran.asked.id);
  assert.ok(taken.ok);
  await effectOnce(parts, taken.value.held, taken.value.execution.id, () =>
    Promise.resolve({ status: 'failed', detail: held.detail, result: { text: held.result } }),
  );
  await said('olga', denied, 'deny');
  const gone = await cancel(parts, { kind: 'agent', id: withdrawn.asked.action.agent }, idOf(withdrawn), {
    reason: held.withdrawn,
  });
  assert.ok(gone.ok);
  const plain = await gate.ask('export_rows', { table: held.path, destination: held.input });
  return { gate, cases: { open, ran, denied, withdrawn, plain } };
}

const idOf = (one: Case) => {
  assert.ok(one.approval);
  return one.approval.id;
};

async function bearer(gate: PagesGate, id: Name): Promise<string> {
  const made = newToken(gate.parts.random, 'person');
  const kept = await gate.parts.store.change({
    kind: 'token',
    principal: { kind: 'person', id: asPersonId(id) },
    hash: made.hash,
  });
  assert.ok(kept.ok);
  return made.token;
}

interface Answer {
  readonly path: string;
  readonly status: number;
  readonly text: string;
}

/** Every page that links lead to from the inbox, and those that only a form leads to. */
async function pagesFor({ gate, cases }: World, id: Name): Promise<readonly Answer[]> {
  const session = await gate.signIn(id);
  const { size } = await gate.parts.store.head();
  const wanted = [
    '/inbox',
    '/policies',
    '/agents',
    '/people',
    '/servers',
    '/status',
    '/log',
    '/passkeys',
    '/break-glass',
    ...everybody.map((name) => `/person?id=${name}`),
    ...['crm-bot', 'mail-bot'].map((name) => `/agent?id=${name}`),
    ...Object.values(cases).flatMap((one) =>
      one.approval === null ? [] : [`/approvals/${one.approval.id}`],
    ),
    ...Object.values(cases).map((one) => `/log?text=${one.asked.id}`),
    ...Array.from({ length: size }, (_, index) => `/log/${index}`),
  ];
  const read = new Map<string, Answer>();
  for (const path of wanted) {
    if (read.has(path) || path === '/events') continue;
    assert.ok(read.size < 1000, 'the crawl comes to an end');
    const { status, text } = await gate.get(session, path);
    read.set(path, { path, status, text });
    for (const [, link = ''] of text.matchAll(/href="(\/[^"#]*)/g)) {
      const next = link.replaceAll('&amp;', '&');
      if (!next.startsWith('/assets/') && !wanted.includes(next)) wanted.push(next);
    }
  }
  return [...read.values()];
}

/** Every GET of the API, with each id that its path may take. */
async function callsFor({ gate, cases }: World, id: Name): Promise<readonly Answer[]> {
  const authorization = `Bearer ${await bearer(gate, id)}`;
  const fills: Readonly<Record<string, readonly string[]>> = {
    ':action': Object.values(cases).map((one) => one.asked.id),
    ':approval': Object.values(cases).flatMap((one) => (one.approval === null ? [] : [one.approval.id])),
  };
  const paths = routes
    .filter((route) => route.method === 'GET')
    .flatMap(({ path }) => {
      const [variable] = /:\w+/.exec(path) ?? [];
      return variable === undefined
        ? [path]
        : (fills[variable] ?? ['x']).map((one) => path.replace(variable, one));
    })
    .flatMap((path) =>
      path === '/v1/approvals' ? [path, `${path}?status=pending`, `${path}?status=closed`] : [path],
    );
  return Promise.all(
    paths.map(async (path) => {
      const response = await gate.handler(new Request(gate.origin + path, { headers: { authorization } }));
      return { path, status: response.status, text: await response.text() };
    }),
  );
}

const holds = (all: readonly Answer[], text: string): readonly string[] =>
  all.filter((one) => one.text.includes(text)).map((one) => one.path);
const leaks = (all: readonly Answer[]): readonly string[] =>
  all.filter((one) => marked.test(one.text)).map((one) => `${one.path}: ${marked.exec(one.text)?.[0]}`);

describe('by the default policies', () => {
  let world: World;
  before(async () => {
    world = await opened();
  });
  after(() => world.gate.close());

  // tom and lee are asked nothing; olga operates and is neither owner nor approver.
  for (const id of ['olga', 'tom', 'lee'] as const) {
    test(`not-yours-to-see: ${id} finds nothing of what an action holds, on any page and in any answer`, async () => {
      const all = [...(await pagesFor(world, id)), ...(await callsFor(world, id))];
      assert.ok(all.filter((one) => one.status === 200).length > 5);
      assert.deepEqual(leaks(all), []);
    });
  }

  test('an operator still sees what there is to stop, and can stop it', async () => {
    const { open, denied, ran } = world.cases;
    const pages = await pagesFor(world, 'olga');
    const page = pages.find((one) => one.path === `/approvals/${open.approval?.id}`);
    assert.equal(page?.status, 200);
    for (const text of [
      hiddenWords,
      open.asked.digest,
      'ops___write_file',
      'crm-bot',
      'Sam Lee',
      'Not yours to see',
    ])
      assert.ok(page.text.includes(text), text);
    assert.doesNotMatch(page.text, /Approve this exact action/);
    assert.match(page.text, />Deny…</);
    // What people said is theirs to read: the operator's own word, and the approver's.
    for (const one of [denied, ran])
      assert.ok(pages.find(({ path }) => path === `/approvals/${one.approval?.id}`)?.text.includes(word));
    const calls = await callsFor(world, 'olga');
    const answer = calls.find((one) => one.path === `/v1/approvals/${open.approval?.id}`);
    const { action, digest } = JSON.parse(answer?.text ?? '');
    assert.deepEqual(
      [
        action.hidden,
        action.input,
        action.resource.id,
        action.reason,
        action.session,
        action.preview,
        digest,
      ],
      [
        true,
        { [hiddenWords]: open.asked.digest },
        hiddenWords,
        hiddenWords,
        hiddenWords,
        null,
        open.asked.digest,
      ],
    );
  });

  test('who denied it does not see it by having denied it', async () => {
    const calls = await callsFor(world, 'olga');
    const answer = calls.find((one) => one.path === `/v1/approvals/${world.cases.denied.approval?.id}`);
    assert.equal(answer?.status, 200);
    assert.equal(JSON.parse(answer.text).action.hidden, true);
  });

  for (const id of ['sam', 'rosa', 'mia', 'ada'] as const) {
    test(`${id}, whom it concerns, sees what it holds`, async () => {
      const pages = await pagesFor(world, id);
      const calls = await callsFor(world, id);
      for (const one of ['input', 'path', 'before', 'reason', 'session'] as const) {
        assert.ok(holds(pages, held[one]).includes(`/approvals/${idOf(world.cases.open)}`), one);
        assert.ok(holds(calls, held[one]).includes(`/v1/approvals/${idOf(world.cases.open)}`), one);
      }
      for (const one of ['detail'] as const)
        assert.ok(holds(pages, held[one]).includes(`/approvals/${idOf(world.cases.ran)}`), one);
      assert.ok(holds(pages, held.withdrawn).includes(`/approvals/${idOf(world.cases.withdrawn)}`));
    });
  }

  test('what nobody was asked about is read by owners, operators without its input, and auditors', async () => {
    const path = `/v1/actions/${world.cases.plain.asked.id}`;
    const statuses: Record<string, string> = {};
    for (const id of everybody) {
      const one = (await callsFor(world, id)).find((each) => each.path === path);
      statuses[id] = `${one?.status} ${marked.test(one?.text ?? '')}`;
    }
    assert.deepEqual(statuses, {
      sam: '200 true',
      rosa: '404 false',
      mia: '404 false',
      lee: '404 false',
      ada: '200 true',
      tom: '404 false',
      olga: '200 false',
    });
  });

  test('a wait does not bring back what is hidden, nor does withdrawing it', async () => {
    const { gate } = world;
    const authorization = `Bearer ${await bearer(gate, 'olga')}`;
    const one = await gate.ask(
      'write_file',
      { path: held.path, content: held.input },
      { reason: held.reason },
    );
    const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
      gate.handler(
        new Request(gate.origin + path, {
          ...init,
          headers: { authorization, 'content-type': 'application/json' },
        }),
      );
    const waiting = ['approvals', 'actions'].map(async (what) =>
      (await ask(`/v1/${what}/${what === 'actions' ? one.asked.id : idOf(one)}?wait=20`)).text(),
    );
    const done = await ask(`/v1/approvals/${idOf(one)}/cancel`, { method: 'POST', body: '{}' });
    assert.equal(done.status, 200);
    for (const text of [...(await Promise.all(waiting)), await done.text()]) {
      assert.match(text, /"state":"cancelled"/);
      assert.doesNotMatch(text, marked);
    }
  });

  test('the command line says that it is hidden, and approves nothing that it did not show', async () => {
    const { gate, cases } = world;
    for (const [id, sees] of [
      ['olga', false],
      ['rosa', true],
    ] as const) {
      const calls = await callsFor(world, id);
      const answer = calls.find((one) => one.path === `/v1/approvals/${idOf(cases.open)}`);
      const view = approvalOf(JSON.parse(answer?.text ?? ''));
      const { text, whole } = approvalText(view, { color: false, width: 100, nowMs: gate.clock.nowMs });
      assert.equal(whole, sees);
      assert.equal(marked.test(text), sees);
      assert.equal(text.includes('not yours to see'), !sees);
    }
  });

  test('pages and answers of nobody hold nothing', async () => {
    const { gate, cases } = world;
    for (const path of [
      '/inbox',
      `/approvals/${idOf(cases.open)}`,
      '/log',
      `/v1/approvals/${idOf(cases.open)}`,
    ]) {
      const { status, text } = await gate.get(null, path);
      assert.equal(status, 401);
      assert.doesNotMatch(text, marked);
    }
  });
});

describe('where a policy keeps inputs of these operations from auditors, and one action from an approver', () => {
  let world: World;
  before(async () => {
    world = await opened(`
@id("hr.auditors") @title("Auditors see no inputs of it")
forbid (principal, action == Action::"read_input", resource)
when { principal in context.roles.auditors && resource.server == "ops" };
@id("hr.mia") @title("Mia does not see it at all")
forbid (principal == Person::"mia", action == Action::"read", resource) when { resource.operation == "ops___write_file" };
`);
  });
  after(() => world.gate.close());

  test('not-yours-to-see: the auditor reads the log and every page without what the actions hold', async () => {
    const all = [...(await pagesFor(world, 'ada')), ...(await callsFor(world, 'ada'))];
    assert.deepEqual(leaks(all), []);
    assert.ok(all.some((one) => one.path === '/log' && one.status === 200));
    assert.ok(all.some((one) => one.path === '/v1/log' && one.text.includes(hiddenWords)));
    // What people said, and that it was, is still there.
    assert.ok(all.some((one) => one.path === '/v1/log' && one.text.includes(word)));
    assert.ok(
      all.some((one) => one.path === `/approvals/${world.cases.open.approval?.id}` && one.status === 200),
    );
  });

  test('the search of the log finds nothing by what is hidden, whichever field it is typed into', async () => {
    const { gate } = world;
    const ada = await gate.signIn('ada');
    const search = async (query: Record<string, string>): Promise<string> =>
      (await gate.get(ada, `/log?${new URLSearchParams(query).toString()}`)).text.replace(
        /value="[^"]*"/g,
        '',
      );
    const entries = (text: string): number => [...text.matchAll(/id="entry-/g)].length;
    for (const name of ['text', 'person', 'agent', 'operation'])
      for (const value of [held.session, held.path, held.path.slice(0, 9), held.detail, held.reason]) {
        const [found, none] = [
          await search({ [name]: value }),
          await search({ [name]: 'no-such-thing-at-all' }),
        ];
        assert.equal(entries(found), 0, `${name}=${value}`);
        // Not even how far it looked tells the two apart.
        const outline = (text: string): string =>
          text.replaceAll(value, '').replaceAll('no-such-thing-at-all', '').replace(/\s+/g, ' ');
        assert.equal(outline(found), outline(none), `${name}=${value}`);
      }
    assert.ok(entries(await search({ text: word })) > 0);
    assert.ok(entries(await search({ operation: 'ops___write_file' })) > 0);
    assert.ok(entries(await search({ agent: 'crm-bot' })) > 0);
    assert.ok(entries(await search({ type: 'action.asked' })) > 0);
    assert.ok(entries(await search({ person: 'olga' })) > 0);
  });

  test('whom it is hidden from reads none of it, is led to it by nothing, and cannot approve it', async () => {
    const all = [...(await pagesFor(world, 'mia')), ...(await callsFor(world, 'mia'))];
    assert.deepEqual(leaks(all), []);
    const id = idOf(world.cases.open);
    assert.deepEqual(
      all.filter((one) => one.path.endsWith(id)).map((one) => one.status),
      [404, 404],
    );
    assert.deepEqual(holds(all, id), []);
    const tried = await review(world.gate.parts, { kind: 'person', id: asPersonId('mia') }, id, {
      decision: 'approve',
      digest: world.cases.open.asked.digest,
      reason: null,
      unsafe: false,
      channel: 'api',
      shownWhole: true,
    });
    assert.deepEqual(!tried.ok && tried.error.code, 'not_an_approver');
    const asked = world.cases.open.approval?.eligibleThen.flatMap((one) => one.people);
    assert.deepEqual(asked, ['rosa']);
  });

  test('rule anyone-may-stop: she may still withdraw it by its id, and is shown none of it', async () => {
    const one = await world.gate.ask('write_file', { path: held.path, content: held.input });
    const authorization = `Bearer ${await bearer(world.gate, 'mia')}`;
    const done = await world.gate.handler(
      new Request(`${world.gate.origin}/v1/approvals/${idOf(one)}/cancel`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: '{}',
      }),
    );
    const text = await done.text();
    assert.equal(done.status, 200, text);
    assert.match(text, /"status":"cancelled"/);
    assert.doesNotMatch(text, marked);
  });

  test('channels, of which nobody knows who reads them, are told no headline with it', async () => {
    const told: Told[] = [];
    const channel = {
      name: 'terminal',
      deliver: (one: Told) => {
        told.push(one);
        return Promise.resolve({ ok: true as const, value: [] });
      },
    };
    const notice = {
      id: 'n1',
      channel: 'terminal',
      kind: 'approval.opened' as const,
      approval: idOf(world.cases.open),
      attempts: 0,
      sinceMs: 0,
      insteadOf: null,
      fellBack: false,
    };
    await deliverNotice(
      world.gate.parts,
      { channel, headlineOf: (one) => headlineOf(one.asked).text },
      notice,
    );
    const [one] = told;
    assert.ok(one);
    assert.doesNotMatch(lineOf(one, false) ?? '', marked);
    assert.match(lineOf(one, false) ?? '', /Write: write_file of ops/);
    assert.doesNotMatch(JSON.stringify(eventOf(one)), marked);
  });
});

test('where no policy hides it from anybody, the headline names the object, as its profile says', async () => {
  const { gate, cases } = await opened();
  const told: Told[] = [];
  const deliver = (one: Told) => {
    told.push(one);
    return Promise.resolve({ ok: true as const, value: [] });
  };
  const notice = {
    id: 'n1',
    channel: 'terminal',
    kind: 'approval.opened' as const,
    approval: idOf(cases.open),
    attempts: 0,
    sinceMs: 0,
    insteadOf: null,
    fellBack: false,
  };
  await deliverNotice(
    gate.parts,
    { channel: { name: 'terminal', deliver }, headlineOf: (one) => headlineOf(one.asked).text },
    notice,
  );
  const headline = told[0]?.headline ?? '';
  assert.ok(headline.includes(held.path));
  assert.ok(!headline.includes(held.input));
  await gate.close();
});

describe('while no set of policies is usable', () => {
  test('people look and stop, and nobody sees an input, not even an auditor in the log', async () => {
    const world = await opened();
    try {
      await world.gate.parts.policy.load(null, {} as never, 'test'); // without a set no world is read
      for (const id of ['ada', 'rosa', 'olga'] as const) {
        const all = [...(await pagesFor(world, id)), ...(await callsFor(world, id))];
        assert.deepEqual(leaks(all), []);
        assert.ok(
          all.some((one) => one.path === `/approvals/${world.cases.open.approval?.id}` && one.status === 200),
        );
      }
    } finally {
      await world.gate.close();
    }
  });
});
