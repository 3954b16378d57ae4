/** docs/config.schema.json is what the gate validates with, and what editors understand. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { configSchema } from '../../src/config/schema.ts';
import { root } from '../support/source.ts';

test('the published schema is the one that is used; `node bin/node.mjs scripts/config-schema.ts` writes it', () => {
  assert.deepEqual(
    JSON.parse(readFileSync(`${root}/docs/config.schema.json`, 'utf8')),
    JSON.parse(JSON.stringify(configSchema)),
  );
});
