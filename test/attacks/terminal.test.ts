/** Agents write what a terminal shows: nothing of it may move the cursor, hide a part, or be somebody's secret. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonText } from '../../src/cli/json-text.ts';
import { inFolder, organisation, run } from '../cli/run.ts';

/** CSI of one character, DEL, right-to-left override, zero width space, a tag, line separator. */
const nasty = 'a\u009B2J\u007F\u202Eb\u200B\u{E0041}\u2028c';
const obeyed = /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u2028\u2029]|[\p{Cf}]/u;

test('JSON that is printed holds no character that a terminal obeys, and parses to the same', () => {
  const value = { [nasty]: [nasty, { deep: nasty }] };
  const printed = jsonText(value);
  assert.doesNotMatch(printed, obeyed);
  assert.deepEqual(JSON.parse(printed), value);
});

test('policy explain prints neither secrets of an input nor what a terminal obeys, as text and as JSON', async () => {
  const secret = `ghp_${'a1B2'.repeat(9)}`;
  const action = {
    agent: 'bot',
    operation: 'bill___refund',
    resource: { type: 'Server', id: `bill${nasty} ${secret}` },
    input: { cents: 500, note: nasty, token: secret, password: 'correct horse' },
  };
  await inFolder({ ...organisation, 'a.json': JSON.stringify(action) }, async (cwd) => {
    const json = await run(['policy', 'explain', 'a.json', '--json'], { cwd });
    const plain = await run(['policy', 'explain', 'a.json'], { cwd });
    assert.deepEqual([json.code, plain.code], [0, 0]);
    for (const { out, err } of [json, plain]) {
      assert.doesNotMatch(out + err, obeyed);
      assert.ok(!`${out}${err}`.includes(secret) && !`${out}${err}`.includes('correct horse'), out);
    }
    assert.match(json.out, /masked/);
  });
});
