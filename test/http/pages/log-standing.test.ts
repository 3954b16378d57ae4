/** How pages tell of the log: what an edit would come up against, who is late, which key signed what; other people’s text escaped. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logPanel, logTier } from '../../../src/http/pages/log-standing.ts';
import type { Parts } from '../../../src/app/parts.ts';
import type { LogStanding, Transparency } from '../../../src/ports/transparency.ts';

const nowMs = Date.parse('2026-11-23T10:00:00Z');
const plain: LogStanding = {
  origin: 'audit.example.com',
  size: 5204,
  published: 5200,
  checkpoint: {
    origin: 'audit.example.com',
    size: 5200,
    root: 'K0zTs1==',
    note: '',
    atMs: nowMs - 60_000,
    cosignatures: [],
    stamp: null,
    stampedAtMs: null,
  },
  tier: 'tamper-detecting',
  witnesses: [],
  stamp: null,
  problem: null,
  keys: [
    {
      id: 'b3e97b39',
      use: 'log',
      spki: 'x',
      origin: 'audit.example.com',
      begunAtMs: nowMs - 9e8,
      begunAt: 0,
      endedAtMs: nowMs - 8e8,
    },
    {
      id: 'c4f08c40',
      use: 'log',
      spki: 'y',
      origin: 'audit.example.com',
      begunAtMs: nowMs - 8e8,
      begunAt: 4100,
      endedAtMs: null,
    },
    {
      id: 'd'.repeat(64),
      use: 'receipt',
      spki: 'z',
      origin: null,
      begunAtMs: nowMs - 9e8,
      begunAt: 0,
      endedAtMs: null,
    },
  ],
};

/** Only what the panel asks for. */
const partsOf = (standing: LogStanding | undefined) =>
  (standing === undefined
    ? {}
    : { transparency: { standing: () => Promise.resolve(standing) } as Partial<Transparency> }) as Parts;

const shown = async (standing: LogStanding | undefined): Promise<string> =>
  String(await logPanel({ parts: partsOf(standing), nowMs }));
const textOf = (page: string): string => page.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ');

test('a log that nobody else signs is called tamper-detecting, and what that means stands beside it', async () => {
  const text = textOf(await shown(plain));
  assert.match(text, /Log tamper-detecting/);
  assert.match(text, /An edit is found by whoever kept an earlier checkpoint/);
  assert.match(text, /5,204, of which 5,200 are in the tree/);
  assert.match(text, /over 5,200 entries, 1 min ago : K0zTs1==/);
  assert.match(text, /witnesses none configured time-stamp none/);
  assert.match(text, /checkpoints: c4f08c40 as audit\.example\.com, from entry 4,100 on/);
  assert.match(text, /checkpoints: b3e97b39 as audit\.example\.com, from entry 0 on \( .* to /);
  assert.match(text, /receipts: d{16} , from entry 0 on/);
  assert.doesNotMatch(text, /witnessed|late|problem/);
  assert.equal(textOf(String(await logTier({ parts: partsOf(plain) }))).includes('tamper-detecting'), true);
});

test('a log that others sign is called witnessed, and whoever is late is named', async () => {
  const witnesses = [
    { name: 'witness.example/w1', cosigned: { size: 5190, atMs: nowMs - 2000 }, late: null },
    { name: '<script>w2', cosigned: null, late: 'it could not be reached <img src=x>' },
  ];
  const page = await shown({
    ...plain,
    tier: 'witnessed',
    witnesses,
    stamp: { size: 5000, atMs: nowMs - 3_600_000 },
  });
  const text = textOf(page);
  assert.match(text, /Log witnessed/);
  assert.match(text, /signs witness\.example\/w1: 5,190 entries, 2 s ago/);
  assert.match(text, /late .*nothing yet/);
  assert.match(text, /time-stamp over 5,000 entries, 1 h ago/);
  assert.doesNotMatch(page, /<script|<img/);
});

test('a log with a problem says which, and claims nothing', async () => {
  const problem = 'entry 17 of the log was changed';
  const text = textOf(await shown({ ...plain, problem, checkpoint: null, published: 0 }));
  assert.match(text, /Log has a problem/);
  assert.match(text, /problem entry 17 of the log was changed/);
  assert.match(text, /checkpoint none yet/);
  assert.equal(await shown(undefined), '', 'a gate without a log says nothing of it');
});
