/** Lines for operators as JSON: what each holds, how levels work, and that nobody forges a second line. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRedactor } from '../../src/telemetry/redact.ts';
import { jsonLines } from '../../src/telemetry/lines.ts';
import { openTelemetry } from '../../src/main/telemetry.ts';
import type { LoggingSettings } from '../../src/ports/telemetry-settings.ts';

async function speaking(logging: LoggingSettings, terminal: boolean) {
  const said: string[] = [];
  const telemetry = await openTelemetry({
    settings: { telemetry: { traces: null, logging }, secrets: ['a-secret-text'] },
    gate: 'gte_x',
    say: (line) => said.push(line),
    terminal,
  });
  return { said, telemetry };
}

test('one object a line: time, level, event, the gate, and what it is about', async () => {
  const { said, telemetry } = await speaking({ format: 'auto', level: 'info' }, false);
  telemetry.say('it runs', { event: 'approval.told', action: 'act_1', approval: 'apr_1' });
  telemetry.say('warning: it is dangerous\n{"level":"error"}');
  telemetry.say('fault: it broke, a-secret-text');
  await telemetry.stop();
  const [first, second, third] = said.map((line) => JSON.parse(line));
  assert.match(first.time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  const { time: _time, ...rest } = first;
  assert.deepEqual(rest, {
    level: 'info',
    event: 'approval.told',
    gate: 'gte_x',
    action: 'act_1',
    approval: 'apr_1',
    msg: 'it runs',
  });
  assert.deepEqual([second.level, second.event], ['warn', 'gate.warning']);
  assert.ok(second.msg.startsWith('it is dangerous'));
  assert.deepEqual([third.level, third.event, third.msg], ['error', 'gate.fault', 'it broke, ⟨secret⟩']);
  assert.equal(said.length, 3, 'a line break makes no line');
});

test('a terminal has text, unless the configuration says otherwise; what is of too little weight is not said', async () => {
  const text = await speaking({ format: 'auto', level: 'info' }, true);
  text.telemetry.say('it runs');
  assert.deepEqual(text.said, ['it runs']);
  await text.telemetry.stop();
  const json = await speaking({ format: 'json', level: 'warn' }, true);
  json.telemetry.say('it runs');
  json.telemetry.say('warning: it is dangerous');
  assert.deepEqual(
    json.said.map((line) => JSON.parse(line).msg),
    ['it is dangerous'],
  );
  assert.equal(json.telemetry.access, null, 'requests are told at level debug alone');
  await json.telemetry.stop();
});

test('a message is bounded', () => {
  const said: string[] = [];
  jsonLines((text) => said.push(text), 'debug')('x'.repeat(100_000));
  assert.ok((said[0]?.length ?? 0) < 17_000);
});

test('a secret is taken out in each of its forms, and ordinary words stay', () => {
  const redactor = createRedactor([
    'postgres://u:p%40ss%2Fword@db/x',
    'Bearer abcdefgh-1',
    'on',
    'a"quoted"one',
  ]);
  const clean = redactor.of(
    'password p@ss/word or p%40ss%2Fword in postgres://u:p%40ss%2Fword@db/x; abcdefgh-1; it is on; ' +
      JSON.stringify('a"quoted"one'),
  );
  assert.doesNotMatch(clean, /p@ss|p%40ss|abcdefgh|quoted/);
  assert.match(clean, /it is on/);
  redactor.add(['learned-later']);
  assert.equal(redactor.of('x learned-later'), 'x ⟨secret⟩');
  assert.doesNotMatch(redactor.of('authorization: Basic dXNlcjpwYXNz'), /dXNlcjpwYXNz/);
  assert.doesNotMatch(redactor.of(`cs_agent_${'a'.repeat(43)}`), /aaaa/);
});
