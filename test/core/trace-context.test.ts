/** What passes as trace context: exactly what the standards write, and nothing that could end a header or fill a store. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  readBaggage,
  readTraceParent,
  readTraceState,
  traceParentText,
} from '../../src/core/trace-context.ts';

const [traceId, spanId] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];
const good = `00-${traceId}-${spanId}-01`;

test('a traceparent as the standard writes it', () => {
  assert.deepEqual(readTraceParent(good), { traceId, spanId, sampled: true });
  assert.equal(readTraceParent(good.replace(/01$/, '02'))?.sampled, false);
  assert.equal(readTraceParent(`01${good.slice(2)}-more`)?.traceId, traceId, 'of a later version');
});

for (const [why, value] of [
  ['not a text', 1],
  ['nothing', ''],
  ['in capitals', good.toUpperCase()],
  ['a version that is none', `ff${good.slice(2)}`],
  ['more than version 00 has', `${good}-more`],
  ['no trace', `00-${'0'.repeat(32)}-${spanId}-01`],
  ['no span', `00-${traceId}-${'0'.repeat(16)}-01`],
  ['a line break', `${good}\r\nx: y`],
  ['a line break at its end', `${good}\n`],
  ['something before it', ` ${good}`],
  ['a list', [good]],
  ['too long', `01${good.slice(2)}-${'x'.repeat(300)}`],
] as const)
  test(`no traceparent: ${why}`, () => assert.equal(readTraceParent(value), undefined));

test('what is read is written as it was', () => {
  const hex = (length: number) =>
    fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`)).filter((text) => !/^0+$/.test(text));
  fc.assert(
    fc.property(hex(32), hex(16), fc.boolean(), (trace, span, sampled) => {
      const parent = { traceId: trace, spanId: span, sampled };
      assert.deepEqual(readTraceParent(traceParentText(parent)), parent);
    }),
  );
});

test('a tracestate, and what is none', () => {
  for (const state of ['rojo=00f067aa0ba902b7,congo=t61rcWkgMzE', 'a@b=c', 'a=b, c=d'])
    assert.equal(readTraceState(state), state);
  for (const state of ['', 'a', '=b', 'A=b', 'a=b\r\nc=d', 'a=b,', `a=${'x'.repeat(600)}`, 'a=ü', null, {}])
    assert.equal(readTraceState(state), undefined, JSON.stringify(state));
  const many = Array.from({ length: 33 }, (_, at) => `k${at}=v`).join(',');
  assert.equal(readTraceState(many), undefined, 'too many');
});

test('baggage within its bounds, and what is none', () => {
  for (const baggage of ['a=1', 'userId=alice,serverNode=DF%2028;prop=x'])
    assert.equal(readBaggage(baggage), baggage);
  for (const baggage of ['', 'a', 'a=1\r\nx: y', `a=${'x'.repeat(9000)}`, 'a="b"', 7])
    assert.equal(readBaggage(baggage), undefined, JSON.stringify(baggage).slice(0, 40));
  const many = Array.from({ length: 65 }, (_, at) => `k${at}=v`).join(',');
  assert.equal(readBaggage(many), undefined, 'too many');
});

test('nobody waits for a text that was made to be slow to read', () => {
  const slow = `a=${' '.repeat(500)}`;
  for (const read of [readTraceParent, readTraceState, readBaggage]) read(slow);
  assert.equal(readTraceState(slow), undefined);
});
