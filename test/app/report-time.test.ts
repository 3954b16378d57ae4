/** Which time a report is about: as people say it, in the zone where their days begin. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { daysIn, reportTimeOf, type SaidTime } from '../../src/app/report-time.ts';

const nowMs = Date.UTC(2026, 10, 22, 14, 30, 15, 250);
const hourMs = 3_600_000;

function timeOf(said: SaidTime, zone = 'UTC'): readonly [string, string] {
  const time = reportTimeOf(said, nowMs, daysIn(zone));
  if (!time.ok) assert.fail(time.error);
  return [new Date(time.value.fromMs).toISOString(), new Date(time.value.toMs).toISOString()];
}

function wrongOf(said: SaidTime): string {
  const time = reportTimeOf(said, nowMs, daysIn('UTC'));
  return time.ok ? '' : time.error;
}

test('the last hours and days end with this second; seven days where nothing is said', () => {
  assert.deepEqual(timeOf({ last: '24h' }), ['2026-11-21T14:30:16.000Z', '2026-11-22T14:30:16.000Z']);
  assert.deepEqual(timeOf({}), timeOf({ last: '7d' }));
  assert.deepEqual(timeOf({ last: '7d' })[0], '2026-11-15T14:30:16.000Z');
});

test('days begin where the zone says, and the last day is part of it', () => {
  assert.deepEqual(timeOf({ from: '2026-11-01', to: '2026-11-02' }), [
    '2026-11-01T00:00:00.000Z',
    '2026-11-03T00:00:00.000Z',
  ]);
  assert.equal(timeOf({ from: '2026-11-01' }, 'America/New_York')[0], '2026-11-01T04:00:00.000Z');
  assert.equal(timeOf({ from: '2026-11-01' }, 'Asia/Kathmandu')[0], '2026-10-31T18:15:00.000Z');
  assert.equal(timeOf({ from: '2026-11-01' }, 'Pacific/Kiritimati')[0], '2026-10-31T10:00:00.000Z');
  // The clocks go back in this night: the day has 25 hours.
  const [from, to] = timeOf({ from: '2026-10-25', to: '2026-10-25' }, 'Europe/Berlin');
  assert.equal(Date.parse(to) - Date.parse(from), 25 * hourMs);
});

test('times to the second are taken as they are', () => {
  assert.deepEqual(timeOf({ from: '2026-11-01T10:00:00+02:00', to: '2026-11-01T09:00Z' }), [
    '2026-11-01T08:00:00.000Z',
    '2026-11-01T09:00:00.000Z',
  ]);
});

test('what cannot be meant is said', () => {
  for (const last of ['7', '0d', '7w', '367d', '-1d', '1e9d', ''])
    assert.match(wrongOf({ last }), /is no such time/, last);
  for (const from of ['2026-02-31', 'yesterday', '2026-13-01', '2026-11-01T25:00Z', '20261101'])
    assert.match(wrongOf({ from }), /is no day/, from);
  assert.match(wrongOf({ from: '2026-11-01', to: 'now' }), /“now” is no day/);
  assert.match(wrongOf({ last: '7d', from: '2026-11-01' }), /not both/);
  assert.match(wrongOf({ to: '2026-11-01' }), /from when/);
  assert.match(wrongOf({ from: '2026-11-02', to: '2026-11-01' }), /end before it begins/);
  assert.match(wrongOf({ from: '2024-01-01', to: '2026-11-01' }), /366 days at most/);
});

test('the day of a time is that of its zone', () => {
  const late = Date.UTC(2026, 10, 22, 23, 30);
  assert.deepEqual(
    ['UTC', 'Europe/Berlin', 'America/New_York'].map((zone) => daysIn(zone)(late)),
    ['2026-11-22', '2026-11-23', '2026-11-22'],
  );
});
