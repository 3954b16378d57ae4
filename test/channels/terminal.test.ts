/** The operator's terminal: one line each, never more, and colours only where they were asked for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTerminal, lineOf } from '../../src/channels/terminal.ts';
import { channelContract, denied, escalating, execution, heldCase, told } from './contract.ts';

channelContract('terminal', () => {
  const lines: string[] = [];
  let broken = false;
  return {
    channel: createTerminal({
      colours: false,
      write: (line) => {
        if (broken) throw new Error('EIO');
        lines.push(line);
      },
    }),
    received: () => lines,
    breakDown: () => {
      broken = true;
    },
    end: () => undefined,
  };
});

test('the line says what and where', () => {
  assert.equal(
    lineOf(told(), false),
    'Approval needed: Export 5,204 rows of customers · prod — http://localhost:7788/approvals/apr_1',
  );
  assert.equal(
    lineOf(told({ kind: 'approval.closed', case: heldCase(denied) }), false),
    'Denied: Export 5,204 rows of customers · prod',
  );
});

test('a reminder says how long is left, an escalation to whom, an outcome how it ended', () => {
  const url = 'http://localhost:7788/approvals/apr_1';
  const what = 'Export 5,204 rows of customers · prod';
  assert.equal(
    lineOf(told({ kind: 'approval.reminded', nowMs: 2 * 3_600_000 }), false),
    `Still waiting: ${what}, 2 h left — ${url}`,
  );
  assert.equal(
    lineOf(told({ kind: 'approval.escalated', case: escalating(heldCase()), nowMs: 600_000 }), false),
    `Still waiting, and escalated: ${what}, to oncall — ${url}`,
  );
  assert.equal(
    lineOf(told({ kind: 'execution.ended', case: heldCase({ execution }) }), false),
    `Ran and failed: ${what}`,
  );
});

test('nobody is asked about what is over', () => {
  assert.equal(lineOf(told({ case: heldCase(denied) }), false), undefined);
  assert.equal(lineOf(told({ nowMs: 5 * 3_600_000 }), false), undefined);
});

test('colours are only ours', () => {
  assert.equal(
    lineOf(told({ headline: 'a\u001B[31mb' }), true),
    '\u001B[1mApproval needed:\u001B[22m a⟨U+001B⟩[31mb — http://localhost:7788/approvals/apr_1',
  );
});

test('a headline has an end', () => {
  const line = lineOf(told({ headline: 'x'.repeat(5000) }), false) ?? '';
  assert.ok(line.length < 300 && line.includes('…'));
});
