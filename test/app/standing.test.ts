/** The board of the status page: last word, last failure, sessions, and its limit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverShown } from '../../src/app/about.ts';
import { createBoard, namesMax, toldOn, upstreamOn } from '../../src/app/standing.ts';
import type { Channel, Told } from '../../src/ports/channel.ts';

const clock = { nowMs: () => 7 };

test('what a part said last stands, with its last failure and how often it has failed since', () => {
  const board = createBoard();
  const say = (ok: boolean, detail: string | null, atMs: number) =>
    board.say({ kind: 'channel', name: 'webhook', ok, detail, atMs });
  assert.equal(board.of('channel', 'webhook'), undefined);
  say(false, 'one', 1);
  say(false, 'two', 2);
  assert.deepEqual(board.of('channel', 'webhook'), {
    kind: 'channel',
    name: 'webhook',
    ok: false,
    atMs: 2,
    lastFailure: { detail: 'two', atMs: 2 },
    failures: 2,
    failingSinceMs: 1,
  });
  say(true, null, 3);
  assert.deepEqual([board.of('channel', 'webhook')?.ok, board.of('channel', 'webhook')?.failures], [true, 0]);
  assert.deepEqual(board.of('channel', 'webhook')?.lastFailure, { detail: 'two', atMs: 2 });
  assert.equal(board.of('upstream', 'webhook'), undefined);
});

test('channels are listed by name, and whoever watches hears of failures and of their end', () => {
  const board = createBoard();
  let heard = 0;
  const stop = board.watch(() => {
    heard += 1;
  });
  const say = (name: string, ok: boolean, kind: 'channel' | 'upstream' = 'channel') =>
    board.say({ kind, name, ok, detail: null, atMs: 5 });
  say('webhook', true);
  say('slack', false);
  say('slack', false);
  say('slack', true);
  say('slack', true);
  say('crm', false, 'upstream');
  assert.equal(heard, 3);
  assert.deepEqual(
    board.channels().map(({ name, failingSinceMs }) => [name, failingSinceMs]),
    [
      ['slack', null],
      ['webhook', null],
    ],
  );
  stop();
  say('slack', false);
  assert.equal(heard, 3);
});

test('deliveries and presses are counted, and no name of somebody else’s makes a count', () => {
  const board = createBoard();
  board.delivered('slack', true);
  board.delivered('slack', true);
  board.delivered('slack', false);
  for (const outcome of ['done', 'no_self_approval', 'done', 'x'.repeat(1000), 'y', '__proto__'])
    board.pressed('slack', outcome);
  assert.deepEqual(board.deliveries(), [
    { channel: 'slack', what: 'ok', times: 2 },
    { channel: 'slack', what: 'failed', times: 1 },
  ]);
  assert.deepEqual(board.presses(), [
    { channel: 'slack', what: 'done', times: 2 },
    { channel: 'slack', what: 'no_self_approval', times: 1 },
    { channel: 'slack', what: 'other', times: 3 },
  ]);
});

test('it remembers so many and no more; whoever was silent longest gives way; a long detail is cut', () => {
  const board = createBoard();
  board.say({ kind: 'upstream', name: 'early', ok: true, detail: null, atMs: 0 });
  board.say({ kind: 'upstream', name: 'kept', ok: false, detail: 'x'.repeat(10_000), atMs: 0 });
  for (let n = 0; n < namesMax - 1; n += 1) {
    board.say({ kind: 'upstream', name: `s${n}`, ok: true, detail: null, atMs: n });
    if (n === 3)
      board.say({ kind: 'upstream', name: 'kept', ok: false, detail: 'x'.repeat(10_000), atMs: n });
  }
  assert.equal(board.of('upstream', 'early'), undefined);
  assert.equal(board.of('upstream', 'kept')?.lastFailure?.detail.length, 500);
});

test('a channel says how each delivery went, and still fails as it fails', async () => {
  const board = createBoard();
  const answers = [
    () => Promise.resolve({ ok: true as const, value: [] }),
    () => Promise.resolve({ ok: false as const, error: { detail: 'answered 503', retryable: true } }),
    () => Promise.reject(new Error('broke')),
  ];
  const channel: Channel = { name: 'hook', deliver: () => (answers.shift() ?? assert.fail)() };
  const told = toldOn(board, clock, channel);
  // What is told is handed through; this channel looks at none of it.
  const one = {} as Told;
  assert.equal((await told.deliver(one)).ok, true);
  assert.equal(board.of('channel', 'hook')?.ok, true);
  assert.equal((await told.deliver(one)).ok, false);
  assert.equal(board.of('channel', 'hook')?.lastFailure?.detail, 'answered 503');
  await assert.rejects(told.deliver(one), /broke/);
  assert.deepEqual(board.deliveries(), [
    { channel: 'hook', what: 'ok', times: 1 },
    { channel: 'hook', what: 'failed', times: 2 },
  ]);
  assert.equal(board.of('channel', 'hook')?.lastFailure?.detail, 'broke');
});

test('a connection counts while it is open, once; one that never opened does not', () => {
  const board = createBoard();
  const [first, second] = [upstreamOn({ board, clock }, 'crm'), upstreamOn({ board, clock }, 'crm')];
  first.opened();
  assert.equal(board.sessionsOf('crm'), 1);
  second.failed('it could not be started');
  second.ended();
  assert.equal(board.sessionsOf('crm'), 1);
  assert.equal(board.of('upstream', 'crm')?.ok, false);
  first.ended();
  first.ended();
  assert.equal(board.sessionsOf('crm'), 0);
  upstreamOn({ clock }, 'crm').opened();
});

test('what people may know of a server holds no argument, header, variable, user, path or query', () => {
  const rest = { pin: 'manual', mode: 'enforce', modes: {}, tools: {} } as const;
  const shown = [
    serverShown({
      ...rest,
      name: 'a',
      upstream: {
        kind: 'command',
        argv: ['/opt/secret1/bin/server', '--token=secret2'],
        cwd: '/secret3',
        env: { K: 'secret4' },
      },
    }),
    serverShown({
      ...rest,
      name: 'b',
      upstream: {
        kind: 'url',
        url: 'https://secret5:secret6@crm.test:8443/secret7?k=secret8',
        headers: { a: 'secret9' },
      },
    }),
  ];
  assert.deepEqual(
    shown.map((one) => [one.kind, one.at]),
    [
      ['process', 'server'],
      ['http', 'https://crm.test:8443'],
    ],
  );
  assert.doesNotMatch(JSON.stringify(shown), /secret/);
});
