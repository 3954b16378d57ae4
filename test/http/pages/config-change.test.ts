/** A change of who may do what on the page: words first, then literally, and no mark-up of whoever wrote the files. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Difference } from '../../../src/core/config-change.ts';
import { actionInputOf } from '../../../src/core/config-change/asking.ts';
import { asDigest } from '../../../src/core/ids.ts';
import { configChangeView } from '../../../src/core/render/config-change.ts';
import type { Presentation } from '../../../src/core/render/present.ts';
import { specialSection } from '../../../src/http/pages/special.ts';
import { directory } from '../../support/world.ts';

test('each difference in words, then before and after, escaped', async () => {
  const one: Difference = {
    what: 'person',
    id: 'eve',
    before: null,
    after: '{\n  "name": "<b>Eve</b>"\n}',
    tightens: false,
    says: 'adds <b>Eve</b> (eve) in data-owners',
    touches: [],
  };
  const digest = asDigest(`sha256:${'0'.repeat(64)}`);
  const input = actionInputOf([one, { ...one, id: 'bob', says: 'removes Bob', tightens: true }], {
    base: digest,
    candidate: digest,
    origin: { author: null },
  });
  assert.ok(input.ok);
  // Of a presentation this section reads nothing else.
  const shown = { special: configChangeView({ input: input.value }, directory) } as Presentation;
  const page = String(await specialSection(shown));
  assert.ok(!page.includes('<b>Eve'), page);
  const places = [
    'What would change',
    'Found on disk',
    'adds &lt;b&gt;Eve&lt;/b&gt; (eve) in data-owners',
    'in force already',
    'person eve',
    '&quot;name&quot;: &quot;&lt;b&gt;Eve&lt;/b&gt;&quot;',
    'person bob',
  ].map((part) => page.indexOf(part));
  assert.ok(!places.includes(-1), page);
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
  );
});
