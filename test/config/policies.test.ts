/** Reading the policies folder: what is in it, and every way in which it is unusable, with its place. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readPolicies } from '../../src/config/policies.ts';

const base = mkdtempSync(join(tmpdir(), 'countersign-policies-'));
after(() => rmSync(base, { recursive: true }));

let serial = 0;
function folderOf(files: Readonly<Record<string, string | Buffer>>): string {
  const folder = join(base, String((serial += 1)));
  mkdirSync(folder);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

test('files are read by kind, sorted by name; all others are nobody’s', async () => {
  const folder = folderOf({
    'b.cedar': 'b',
    'a.cedar': 'a',
    'types.cedarschema': 's',
    'entities.json':
      '[{ "uid": { "type": "T", "id": "1" }, "attrs": { "p": { "__entity": { "type": "Person", "id": "rosa" } } }, "parents": [] }]',
    'README.md': 'x',
    '.#a.cedar': 'an editor’s',
    'c.cedar~': 'an editor’s',
  });
  assert.deepEqual(await readPolicies(folder), {
    kind: 'texts',
    texts: {
      policies: [
        { file: 'a.cedar', text: 'a' },
        { file: 'b.cedar', text: 'b' },
      ],
      schemas: [{ file: 'types.cedarschema', text: 's' }],
      entities: [
        {
          uid: { type: 'T', id: '1' },
          attrs: { p: { __entity: { type: 'Person', id: 'rosa' } } },
          parents: [],
        },
      ],
    },
  });
});

test('without entities.json there are none', async () => {
  const read = await readPolicies(folderOf({ 'a.cedar': '' }));
  assert.equal(read.kind === 'texts' ? read.texts.entities : 'unusable', null);
});

const unusable: readonly (readonly [
  name: string,
  files: Readonly<Record<string, string | Buffer>>,
  says: RegExp,
])[] = [
  ['an empty folder', {}, /\/\d+:0: there is no \*\.cedar file/],
  ['a policy that is no text', { 'a.cedar': Buffer.from([0xff]) }, /^a\.cedar:0: is not UTF-8/],
  [
    'entities that are no JSON',
    { 'a.cedar': '', 'entities.json': '[\n  { "uid": 1,\n]' },
    /^entities\.json:3: /,
  ],
  ['entities that end early', { 'a.cedar': '', 'entities.json': '[\n' }, /^entities\.json:2: /],
  ['entities with comments', { 'a.cedar': '', 'entities.json': '[] // all' }, /^entities\.json:1: /],
  [
    'a key there twice',
    { 'a.cedar': '', 'entities.json': '[\n  { "uid": 1,\n    "uid": 2 }\n]' },
    /^entities\.json:3: Map keys must be unique/,
  ],
  [
    'a reserved key',
    { 'a.cedar': '', 'entities.json': '[\n  { "__proto__": 1 }\n]' },
    /^entities\.json:2: the key "__proto__":/,
  ],
];

for (const [name, files, says] of unusable) {
  test(`unusable, with its place: ${name}`, async () => {
    const read = await readPolicies(folderOf(files));
    assert.match(read.kind === 'unusable' ? read.reason : 'usable', says);
  });
}

test('a folder that is not there', async () => {
  const read = await readPolicies(join(base, 'nowhere'));
  assert.match(
    read.kind === 'unusable' ? read.reason : 'usable',
    /nowhere:0: the policies cannot be read \(ENOENT\)/,
  );
});

test('a folder called x.cedar', async () => {
  const folder = folderOf({});
  mkdirSync(join(folder, 'x.cedar'));
  const read = await readPolicies(folder);
  assert.match(read.kind === 'unusable' ? read.reason : 'usable', /^x\.cedar:0: cannot be read \(EISDIR\)/);
});
