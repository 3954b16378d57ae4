import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asPersonId } from '../../src/core/ids.ts';
import { fillPlaces } from '../../src/core/places.ts';
import { requirement } from '../support/world.ts';

const everyone = () => true;
const people = (...names: string[]) => names.map(asPersonId);

test('one person named twice fills one place', () => {
  assert.equal(fillPlaces([requirement('r', 'g', { quorum: 2 })], people('a', 'a'), everyone).met, false);
  assert.equal(fillPlaces([requirement('r', 'g', { quorum: 2 })], people('a', 'b'), everyone).met, true);
});

test('no requirement is met by nobody only where there is none', () => {
  assert.equal(fillPlaces([], [], everyone).met, true);
  assert.equal(fillPlaces([requirement('r', 'g')], [], everyone).met, false);
});

test('counts are by requirement and never above its quorum', () => {
  const filling = fillPlaces(
    [requirement('a', 'g'), requirement('b', 'g', { quorum: 3 })],
    people('x', 'y'),
    everyone,
  );
  assert.deepEqual(
    filling.counts.map(({ count, met }) => [count, met]),
    [
      [1, true],
      [2, false],
    ],
  );
  assert.equal(filling.met, false);
});

test('a place that two requirements share takes somebody eligible for both', () => {
  const filling = fillPlaces(
    [requirement('a', 'g'), requirement('b', 'g')],
    people('x'),
    (_person, one) => one.id === 'a',
  );
  assert.equal(filling.met, false);
});
