/** What is said beside a card: nothing twice, how far it is without counting one person's word as two, why somebody ended it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closedWords, farWords, standingWords } from '../../../src/core/render/chat-words.ts';
import type { Need } from '../../../src/core/render/people.ts';
import { line } from '../../../src/core/render/shown.ts';
import { directory, requirement } from '../../support/world.ts';
import { nowMs, scene } from './scenes.ts';

const need = (approvers: string, count: number, quorum: number): Need => ({
  id: line('r'),
  title: line('R'),
  approvers: line(approvers),
  quorum,
  count,
  met: count >= quorum,
  reasonRequired: false,
  passkey: false,
  channels: null,
  escalated: null,
});

test('how far it is: requirements that ask the same group are the larger of them', () => {
  assert.equal(farWords([]), '');
  assert.equal(farWords([need('data-owners', 0, 1)]), '0 of 1');
  assert.equal(farWords([need('data-owners', 1, 2), need('data-owners', 1, 1)]), '1 of 2');
  assert.equal(farWords([need('data-owners', 1, 1), need('data-owners', 2, 2)]), '2 of 2');
  assert.equal(
    farWords([need('data-owners', 1, 1), need('security', 0, 2), need('data-owners', 1, 2)]),
    '1 of 2 from data-owners and 0 of 2 from security',
  );
});

test('what became of it: no word twice, a time that stays true, and the reason of whoever ended it', () => {
  const asked = () => scene({}, {}, [requirement('r', 'data-owners')]);
  const later = nowMs + 60_000;
  const denied = asked().review('mia', { decision: 'deny', reason: 'Use the\naggregate. <!channel>' });
  const said = 'Denied by mia at 09:30 UTC. Nothing ran. Reason: Use the aggregate. <!channel>';
  assert.equal(standingWords(denied, directory, later), said);
  assert.equal(closedWords(denied, directory, later), said);
  assert.equal(
    standingWords(asked().held, directory, nowMs + 5 * 3_600_000),
    'Expired. Nobody decided by 13:30 UTC. Nothing ran.',
  );
  assert.equal(closedWords(asked().review('mia'), directory, later), 'Approved by mia: it may run once.');
});
