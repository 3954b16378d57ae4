import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import {
  chain,
  emptyHead,
  payloadType,
  preAuthentication,
  seal,
  statementType,
} from '../../src/core/entry.ts';
import { asActionId, asSha256Hex } from '../../src/core/ids.ts';

const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');
const about = { action: asActionId('act_1'), approval: null, execution: null };

test('the PAE is that of the DSSE specification', () => {
  // The example of secure-systems-lab/dsse, protocol.md, and one with a character of two bytes.
  assert.equal(
    preAuthentication('http://example.com/HelloWorld', 'hello world'),
    'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
  );
  assert.equal(preAuthentication('t', 'é'), 'DSSEv1 1 t 2 é');
});

test('an entry is an in-toto statement whose subject is the action’s plain SHA-256', () => {
  const subject = asSha256Hex('a'.repeat(64));
  const sealed = seal(
    { type: 'action.asked', by: { kind: 'gate' }, about, subject, data: { z: 1, a: 2 } },
    { index: 7, atMs: 0, salt: 's', head: emptyHead },
  );
  const statement = JSON.parse(sealed.statement);
  assert.equal(statement._type, statementType);
  assert.deepEqual(statement.subject, [{ name: 'action', digest: { sha256: subject } }]);
  assert.deepEqual(statement.predicate, {
    v: 1,
    index: 7,
    at: '1970-01-01T00:00:00.000Z',
    type: 'action.asked',
    by: { kind: 'gate' },
    about,
    data: { a: 2, z: 1 },
    salt: 's',
  });
  assert.equal(
    sealed.pae,
    sha256(
      `DSSEv1 ${payloadType.length} ${payloadType} ${Buffer.byteLength(sealed.statement)} ${sealed.statement}`,
    ),
  );
});

test('the head binds every entry to all before it, and the salt to nothing outside', () => {
  const draft = {
    type: 'gate.started',
    by: { kind: 'gate' },
    about: { action: null, approval: null, execution: null },
    subject: null,
    data: {},
  } as const;
  const first = seal(draft, { index: 0, atMs: 0, salt: 'x', head: emptyHead });
  assert.equal(first.head, chain(emptyHead, first.pae));
  assert.deepEqual(JSON.parse(first.statement).subject, [{ name: 'log', digest: { sha256: emptyHead } }]);
  const other = seal(draft, { index: 0, atMs: 0, salt: 'y', head: emptyHead });
  assert.notEqual(other.pae, first.pae);
  const second = seal(draft, { index: 1, atMs: 0, salt: 'x', head: first.head });
  const forked = seal(draft, { index: 1, atMs: 0, salt: 'x', head: other.head });
  assert.notEqual(second.head, forked.head);
});
