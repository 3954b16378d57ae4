/**
 * Every single-byte edit of a copy of a log of 1,000 entries is found, and every one of the values that its store keeps; all of them
 * are tried. A whole verification takes a tenth of a second, and there are millions of edits, so that each is judged by the very
 * function of `log verify` that reads the edited part, with all the rest as it was; a sample of them is verified as a whole, and
 * must say the same.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { chain, emptyHead } from '../../src/core/entry.ts';
import { asSha256Hex } from '../../src/core/ids.ts';
import { copyLog } from '../../src/log/copy.ts';
import { verifierOf } from '../../src/log/note.ts';
import { tileWidth } from '../../src/log/tiles.ts';
import { folderSource } from '../../src/log/verify/folder.ts';
import { newestOf } from '../../src/log/verify/folder-files.ts';
import { smallProblems } from '../../src/log/verify/folder-own.ts';
import { firstDifference } from '../../src/log/verify/growing.ts';
import { noTrust } from '../../src/log/verify/keys.ts';
import { leavesOf, linesOf, type LoggedEntry } from '../../src/log/verify/line.ts';
import type { Problem } from '../../src/log/verify/problem.ts';
import { checkEntry } from '../../src/log/verify/one-entry.ts';
import { checkSegment, readPlace, type Segment } from '../../src/log/verify/segment.ts';
import { readKept, readSigned } from '../../src/log/verify/signed.ts';
import { storeSource } from '../../src/log/verify/store-source.ts';
import { verifyWhole } from '../../src/log/verify/whole.ts';
import type { RawEntry, StoredCheckpoint } from '../../src/ports/log-store.ts';
import {
  draftsOf,
  makeLog,
  newKeys,
  newWitness,
  readsOf,
  vkeyOfLog,
  type MadeLog,
} from '../log/support/made-log.ts';

const size = 1000;
const keys = newKeys();
const witness = newWitness('w1.test');
const verifiers = {
  log: [verifierOf(vkeyOfLog(keys)) ?? assert.fail()],
  witnesses: [verifierOf(witness.vkey) ?? assert.fail()],
};
const trust = { ...noTrust, ...verifiers, quorum: 1 };

let log: MadeLog;
let folder: string;
/** SPKI by key id. */
let spkis: ReadonlyMap<string, string>;
before(async () => {
  log = await makeLog(keys, draftsOf(keys, size), { witnesses: [witness] });
  folder = mkdtempSync(join(tmpdir(), 'countersign-bytes-'));
  await copyLog(storeSource(readsOf(log), 'memory'), join(folder, 'log'));
  spkis = new Map(log.logKeys.map((key) => [key.id, key.spki]));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** Another byte: which one differs from place to place, and is the same in every run. */
const other = (byte: number, place: number): number => byte ^ (1 + (((place * 2_654_435_761) % 255) & 0x7f));

const edited = (bytes: Uint8Array, place: number, byte = other(bytes[place] ?? 0, place)): Uint8Array => {
  const copy = Uint8Array.from(bytes);
  copy[place] = byte;
  return copy;
};

/** What the edit of one byte of a file is judged by. */
type Judge = (place: number) => Promise<readonly Problem[]> | readonly Problem[];

const bytesIn = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(join(folder, 'log', ...name.split('/'))));

/** The parts of one segment, as they are. */
function partsOf(n: number): {
  readonly segment: Segment;
  readonly entries: readonly LoggedEntry[];
  readonly leaves: readonly Uint8Array[];
} {
  const width = Math.min(tileWidth, size - n * tileWidth);
  const suffix = width === tileWidth ? '' : `.p/${width}`;
  const lines = bytesIn(`entries/${String(n).padStart(6, '0')}.jsonl`);
  const bundle = bytesIn(`tile/entries/00${n}${suffix}`);
  const segment: Segment = {
    n,
    width,
    entries: { kind: 'lines', bytes: lines },
    bundle,
    tile: bytesIn(`tile/0/00${n}${suffix}`),
  };
  const entries = (linesOf(lines) ?? []).map((line, at) => {
    const entry = readPlace(line, n * tileWidth + at);
    return typeof entry === 'string' ? assert.fail(entry) : entry;
  });
  assert.deepEqual(
    checkSegment(segment, { keys: spkis, signatures: [] }).problems,
    [],
    'as it is, nothing is wrong',
  );
  return { segment, entries, leaves: leavesOf(bundle) ?? assert.fail() };
}

const segmentProblems = (segment: Segment): readonly Problem[] =>
  checkSegment(segment, { keys: spkis, signatures: [] }).problems;

const tileHash = ({ tile }: Segment, at: number): Uint8Array =>
  tile?.subarray(at * 32, at * 32 + 32) ?? assert.fail();

function judgeOf(name: string): Judge {
  const bytes = bytesIn(name);
  const part = /^(entries|tile\/entries|tile\/0)\/0*(\d+?)(?:\.jsonl|\.p\/\d+)?$/.exec(name);
  if (part !== null) {
    const parts = partsOf(Number(part[2]));
    if (part[1] === 'entries') return judgeOfLines(bytes, parts);
    return part[1] === 'tile/entries' ? judgeOfBundle(bytes, parts) : judgeOfTile(bytes, parts);
  }
  if (name.startsWith('tile/')) {
    const [, level = ''] = name.split('/');
    return (place) => {
      const first = firstDifference({ level: Number(level), n: 0, hashes: bytes }, edited(bytes, place));
      return first === undefined ? [] : [{ code: 'tile', index: first, text: '' }];
    };
  }
  return (place) => small(name, edited(bytes, place));
}

function judgeOfLines(bytes: Uint8Array, { segment, entries, leaves }: ReturnType<typeof partsOf>): Judge {
  // Which line each byte is in; a line break is in none.
  const line = new Int32Array(bytes.length).fill(-1);
  const begins: number[] = [];
  for (let at = 0, number = 0, begin = 0; at < bytes.length; at += 1) {
    if (at === begin) begins.push(at);
    if (bytes[at] === 10) [number, begin] = [number + 1, at + 1];
    else line[at] = number;
  }
  const lines = linesOf(bytes) ?? [];
  return (place) => {
    const at = line[place] ?? -1;
    const byte = other(bytes[place] ?? 0, place);
    // Where lines are other lines, the whole file is read again.
    if (at < 0 || byte === 10)
      return segmentProblems({ ...segment, entries: { kind: 'lines', bytes: edited(bytes, place) } });
    const changed = edited(lines[at] ?? new Uint8Array(), place - (begins[at] ?? 0), byte);
    const index = segment.n * tileWidth + at;
    const entry = readPlace(changed, index);
    if (typeof entry === 'string') return [{ code: 'unreadable', index, text: entry }];
    assert.notDeepEqual(entry, entries[at]);
    return checkEntry(
      { index, entry, leaf: leaves[at], tileHash: tileHash(segment, at) },
      { keys: spkis, signature: false },
    ).problems;
  };
}

function judgeOfBundle(bytes: Uint8Array, { segment, entries, leaves }: ReturnType<typeof partsOf>): Judge {
  const owner = new Int32Array(bytes.length).fill(-1);
  const begins: number[] = [];
  let from = 0;
  for (const [at, leaf] of leaves.entries()) {
    begins.push(from + 2);
    owner.fill(at, from + 2, from + 2 + leaf.length);
    from += 2 + leaf.length;
  }
  return (place) => {
    const at = owner[place] ?? -1;
    const entry = entries[at];
    // A length: all that follows is cut in other places.
    if (entry === undefined) return segmentProblems({ ...segment, bundle: edited(bytes, place) });
    const leaf = edited(
      leaves[at] ?? new Uint8Array(),
      place - (begins[at] ?? 0),
      other(bytes[place] ?? 0, place),
    );
    const index = segment.n * tileWidth + at;
    return checkEntry(
      { index, entry, leaf, tileHash: tileHash(segment, at) },
      { keys: spkis, signature: false },
    ).problems;
  };
}

const judgeOfTile =
  (bytes: Uint8Array, { segment, entries, leaves }: ReturnType<typeof partsOf>): Judge =>
  (place) => {
    const at = Math.floor(place / 32);
    const hash = edited(bytes, place).subarray(at * 32, at * 32 + 32);
    const [entry, index] = [entries[at] ?? assert.fail(), segment.n * tileWidth + at];
    return checkEntry({ index, entry, leaf: leaves[at], tileHash: hash }, { keys: spkis, signature: false })
      .problems;
  };

/** A file that no tile commits to, with one byte changed. */
async function small(name: string, bytes: Uint8Array): Promise<readonly Problem[]> {
  const read = (one: string): Uint8Array => (one === name ? bytes : bytesIn(one));
  const newest = newestOf(read('checkpoint'));
  if (typeof newest === 'string') return [{ code: 'checkpoint', index: null, text: newest }];
  const signed = readSigned(newest.note, verifiers);
  return [
    ...(typeof signed === 'string' ? [{ code: 'checkpoint', index: null, text: signed } as const] : []),
    ...(await smallProblems(read, newest)),
  ];
}

const filesOf = (): readonly string[] =>
  readdirSync(join(folder, 'log'), { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) =>
      join(one.parentPath, one.name)
        .slice(join(folder, 'log').length + 1)
        .split(sep)
        .join('/'),
    )
    .toSorted();

describe(`a log of ${size} entries`, () => {
  test('every byte of every file of its copy', async () => {
    const names = filesOf();
    assert.equal(names.length, 6 + 4 * 3 + 1);
    let tried = 0;
    for (const name of names) {
      const judge = judgeOf(name);
      const { length } = bytesIn(name);
      let missed = -1;
      for (let place = 0; place < length; place += 1)
        if ((await judge(place)).length === 0 && missed < 0) missed = place;
      assert.equal(missed, -1, `${name}: the edit of byte ${missed} was not found`);
      tried += length;
      console.log(`${name}: ${length} edits, all found`);
    }
    console.log(`${tried} edits of ${names.length} files, all found`);
    assert.ok(tried > 1_000_000, String(tried));
  });

  test('every bit, and every other value, of each byte of the checkpoint, the manifest and one entry', async () => {
    let tried = 0;
    for (const name of ['checkpoint', 'manifest.json']) {
      const bytes = bytesIn(name);
      for (let place = 0; place < bytes.length; place += 1)
        for (let bit = 1; bit < 256; bit += bit) {
          tried += 1;
          assert.notEqual(
            (await small(name, edited(bytes, place, (bytes[place] ?? 0) ^ bit))).length,
            0,
            `${name} ${place} ${bit}`,
          );
        }
    }
    const { segment, leaves } = partsOf(1);
    const line = linesOf(bytesIn('entries/000001.jsonl'))?.[17] ?? assert.fail();
    for (let place = 0; place < line.length; place += 1)
      for (let value = 0; value < 256; value += 1) {
        // A line break makes other lines: tried above, on the whole file.
        if (value === line[place] || value === 10) continue;
        tried += 1;
        const entry = readPlace(edited(line, place, value), 273);
        if (typeof entry === 'string') continue;
        const of = { index: 273, entry, leaf: leaves[17], tileHash: tileHash(segment, 17) };
        assert.notEqual(
          checkEntry(of, { keys: spkis, signature: false }).problems.length,
          0,
          `${place} ${value}`,
        );
      }
    console.log(`${tried} further edits, all found`);
  });

  test('a sample of the edits, each verified as a whole, says the same', async () => {
    const names = filesOf();
    const copy = join(folder, 'edited');
    cpSync(join(folder, 'log'), copy, { recursive: true });
    const whole = async (): Promise<readonly Problem[]> => {
      const report = await verifyWhole(folderSource(copy, 'copy'), { trust, held: [], signatures: 'none' });
      return typeof report === 'string'
        ? [{ code: 'checkpoint', index: null, text: report }]
        : report.problems;
    };
    assert.deepEqual(await whole(), []);
    const each = 15;
    for (const name of names) {
      const bytes = bytesIn(name);
      const judge = judgeOf(name);
      for (let number = 0; number < each; number += 1) {
        const place = (number * 7_919_993 + 13 * number) % bytes.length;
        writeFileSync(join(copy, ...name.split('/')), edited(bytes, place));
        const alone = await judge(place);
        const all = await whole();
        assert.ok(alone.length > 0 && all.length > 0, `${name} ${place}`);
        const first = Math.min(...alone.map((one) => one.index ?? Infinity));
        if (first !== Infinity) assert.equal(all[0]?.index, first, `${name} ${place}`);
      }
      writeFileSync(join(copy, ...name.split('/')), bytes);
    }
    assert.deepEqual(await whole(), [], 'all is as it was');
    console.log(`${each * names.length} edits verified as a whole: each found, at the same entry`);
  });

  test('every byte of every value that a store keeps of it', async () => {
    const counts: Record<string, number> = {};
    const count = (what: string): void => void (counts[what] = (counts[what] ?? 0) + 1);
    /** Each byte of a text, changed; what is no UTF-8 then is read as SQLite’s reader does. */
    function* changes(text: string): Generator<string> {
      const bytes = Buffer.from(text);
      for (let place = 0; place < bytes.length; place += 1)
        yield Buffer.from(edited(bytes, place)).toString();
    }
    let head = emptyHead;
    for (const row of log.rows) {
      const leaf = log.leaves[row.index] ?? assert.fail();
      const n = Math.floor(row.index / tileWidth);
      const hash = log.tiles
        .get(`0/${n}`)
        ?.subarray((row.index % tileWidth) * 32, (row.index % tileWidth) * 32 + 32);
      const found = (
        changed: Partial<RawEntry>,
        signed: { readonly keyId?: string; readonly signature?: string } = {},
      ): boolean => {
        const { statement, pae, atMs, type, head: headAfter } = { ...row, ...changed };
        const { keyId, signature } = { ...leaf, ...signed };
        const entry: LoggedEntry = {
          index: row.index,
          statement,
          pae,
          keyId,
          signature,
          row: { atMs, type, head: headAfter },
        };
        const of = { index: row.index, entry, leaf: null, tileHash: hash };
        return (
          checkEntry(of, { keys: spkis, signature: false }).problems.length > 0 ||
          chain(head, asSha256Hex(pae)) !== headAfter
        );
      };
      assert.ok(!found({}));
      const must = (what: string, holds: boolean): void => {
        count(what);
        assert.ok(holds, `${what} of entry ${row.index}`);
      };
      for (const statement of changes(row.statement)) must('statement', found({ statement }));
      for (const pae of changes(row.pae)) must('pae', found({ pae: asSha256Hex(pae) }));
      for (const changed of changes(row.head)) must('head', found({ head: asSha256Hex(changed) }));
      // A type that is none is told apart as any text.
      for (const type of changes(row.type)) must('type', found({ type: type as RawEntry['type'] }));
      for (const atMs of changes(String(row.atMs))) must('time', found({ atMs: Number(atMs) }));
      for (const keyId of changes(leaf.keyId)) must('key', found({}, { keyId }));
      for (const signature of changes(leaf.signature)) must('signature', found({}, { signature }));
      head = row.head;
    }
    const kept = async (one: StoredCheckpoint): Promise<boolean> =>
      (await readKept(one, verifiers)).problems.length > 0;
    for (const one of log.checkpoints) {
      assert.ok(!(await kept(one)));
      const must = async (what: string, changed: Partial<StoredCheckpoint>): Promise<void> => {
        count(what);
        assert.ok(await kept({ ...one, ...changed }), `${what} of the checkpoint at ${one.size}`);
      };
      for (const note of changes(one.note)) await must('note', { note });
      for (const root of changes(one.root)) await must('root', { root });
      for (const origin of changes(one.origin)) await must('origin', { origin });
      for (const text of changes(String(one.size))) await must('size', { size: Number(text) });
    }
    console.log(
      `${Object.values(counts).reduce((sum, some) => sum + some, 0)} edits of a store, all found:`,
      counts,
    );
  });

  test('every byte of its tiles and keys in a store, and every index, verified as a whole', async () => {
    let tried = 0;
    const found = async (): Promise<boolean> => {
      tried += 1;
      const report = await verifyWhole(storeSource(readsOf(log), 'memory'), {
        trust,
        held: [],
        signatures: 'none',
      });
      return typeof report === 'string' || report.problems.length > 0;
    };
    assert.ok(!(await found()));
    // Level 0 is compared entry by entry above: here some of its places, and all of the level above.
    for (const [name, tile] of log.tiles) {
      const step = name.startsWith('0/') ? 997 : 1;
      for (let place = 0; place < tile.length; place += step) {
        log.tiles.set(name, edited(tile, place));
        assert.ok(await found(), `byte ${place} of the tile ${name}`);
      }
      log.tiles.set(name, tile);
    }
    const asTheyWere = log.logKeys;
    for (const [number, key] of asTheyWere.entries())
      for (const [field, value] of Object.entries(key)) {
        const text = String(value ?? 'x');
        for (let place = 0; place < text.length; place += 3) {
          const changed = Buffer.from(edited(Buffer.from(text), place)).toString();
          const put = typeof value === 'number' ? Number(changed) : changed;
          log.logKeys = asTheyWere.map((one, at) => (at === number ? { ...one, [field]: put } : one));
          assert.ok(await found(), `${field} of key ${number}, byte ${place}`);
        }
      }
    log.logKeys = asTheyWere;
    for (const index of [0, 1, 255, 256, 511, 999])
      for (const said of [index + 1, index - 1, index + 100, index + 1000]) {
        const row = log.rows[index] ?? assert.fail();
        log.rows[index] = { ...row, index: said };
        assert.ok(await found(), `index ${index} as ${said}`);
        log.rows[index] = row;
      }
    assert.ok(!(await found()), 'all is as it was');
    console.log(`${tried} edits of a store, each verified as a whole, all found`);
  });
});
