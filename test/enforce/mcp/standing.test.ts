/** What upstreams say of themselves on the board of the status page: reachable, failing, how many connections. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBoard } from '../../../src/app/standing.ts';
import { command, eventually, permitAll, root, startTestGate } from './support/gate.ts';

test('an upstream is reachable once an agent connects, counted while it does, and failing when it cannot start', async () => {
  const board = createBoard();
  const gate = await startTestGate({
    servers: {
      fix: command([process.execPath, `${root}test/enforce/mcp/support/fixture.ts`]),
      broken: command([process.execPath, '-e', 'process.exit(3)', '--', '--token=secret-value']),
    },
    policies: permitAll,
  });
  try {
    Object.assign(gate.parts, { board });
    assert.equal(board.of('upstream', 'fix'), undefined);
    const [one, two] = [await gate.client('fix'), await gate.client('fix', {}, 'other-bot')];
    assert.equal(board.of('upstream', 'fix')?.ok, true);
    assert.equal(board.sessionsOf('fix'), 2);
    await one.transport.terminateSession();
    await eventually(() => board.sessionsOf('fix') === 1, 'one connection left');
    await assert.rejects(gate.client('broken'));
    const failed = board.of('upstream', 'broken');
    assert.deepEqual([failed?.ok, failed?.failures, board.sessionsOf('broken')], [false, 1, 0]);
    assert.ok((failed?.lastFailure?.detail ?? '') !== '');
    assert.doesNotMatch(JSON.stringify(failed), /secret-value/);
    await two.transport.terminateSession();
    await eventually(() => board.sessionsOf('fix') === 0, 'no connection left');
    assert.equal(board.of('upstream', 'fix')?.ok, true);
  } finally {
    await gate.close();
  }
});
