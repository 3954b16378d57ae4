/**
 * How long a stranger takes to verify a log of a million entries: `node bin/node.mjs bench/log-verify.ts [ENTRIES] [FOLDER]`. Makes a
 * copy of a log (kept where a folder is named, made only where it is not there), then verifies it as `log verify` does.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { emptyHead, seal } from '../src/core/entry.ts';
import { sha256Hex } from '../src/core/sha256.ts';
import { leafBody, receiptKeyId, signPayload, spkiOf } from '../src/log/leaf.ts';
import { emptyRoot, hashLeaf } from '../src/log/merkle.ts';
import { Edge, tilePath, tileWidth, widthOf } from '../src/log/tiles.ts';
import {
  checkpointLine,
  entriesName,
  keysText,
  manifestText,
  smallFiles,
  trustedRootText,
} from '../src/log/verify/folder-files.ts';
import { folderSource } from '../src/log/verify/folder.ts';
import { bundleOf, lineOf } from '../src/log/verify/line.ts';
import { noTrust } from '../src/log/verify/keys.ts';
import { verifyWhole, type Signatures } from '../src/log/verify/whole.ts';
import { readmeText } from '../src/log/copy-readme.ts';
import { caseOf, checkpointOf, draftsOf, logKeysOf, newKeys, origin } from '../test/log/support/made-log.ts';

const size = Number(process.argv[2] ?? 1_000_000);
const named = process.argv[3];
const folder = named ?? mkdtempSync(join(tmpdir(), 'countersign-bench-'));

/** As long as a statement of a gate at work is, about 1.5 KB. */
const explanation = 'Bulk export of customer data needs a data owner. '.repeat(18);

async function make(): Promise<void> {
  const keys = newKeys();
  const keyId = receiptKeyId(spkiOf(keys.receipt));
  const spki = spkiOf(keys.receipt);
  const edge = await Edge.of(0, () => undefined);
  const write = (name: string, content: string | Uint8Array): void => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  };
  let head = emptyHead;
  let [lines, leaves]: [string, Uint8Array[]] = ['', []];
  let index = 0;
  const startMs = Date.UTC(2026, 0, 1);
  const drafts = [...draftsOf(keys, 3)];
  for (let number = 0; index < size; number += 1) {
    if (number > 0) drafts.push(...caseOf(number, index));
    for (const draft of drafts.splice(0)) {
      if (index >= size) break;
      const data =
        draft.type === 'action.asked' || draft.type === 'approval.opened'
          ? { ...draft.data, explanation }
          : draft.data;
      const at = { index, atMs: startMs + (index < 3 ? 0 : index * 20), salt: sha256Hex(`${index}`), head };
      const sealed = seal({ ...draft, data }, at);
      head = sealed.head;
      const signature = signPayload(sealed.statement, keys.receipt);
      lines += `${lineOf({ index, statement: sealed.statement, pae: sealed.pae, keyId, signature, row: null })}\n`;
      const leaf = leafBody({ pae: sealed.pae, signature, spki });
      leaves.push(leaf);
      edge.add(hashLeaf(leaf));
      index += 1;
      if (index % tileWidth !== 0 && index !== size) continue;
      const n = Math.floor((index - 1) / tileWidth);
      write(entriesName(n), lines);
      write(tilePath('entries', n, leaves.length), bundleOf(leaves));
      [lines, leaves] = ['', []];
    }
  }
  for (const { level, n, hashes } of edge.changed) write(tilePath(level, n, widthOf(level, n, size)), hashes);
  const root = edge.root() ?? emptyRoot;
  const checkpoint = checkpointOf(keys, { size, root }, startMs, {});
  const kept = logKeysOf(keys).map((key) => ({ ...key, begunAtMs: startMs }));
  const texts: Readonly<Record<(typeof smallFiles)[number], string>> = {
    'README.txt': readmeText(origin),
    checkpoint: checkpoint.note,
    'checkpoints.jsonl': `${checkpointLine(checkpoint)}\n`,
    'keys.json': keysText(kept),
    'trusted_root.json': trustedRootText(kept),
  };
  for (const name of smallFiles) write(name, texts[name]);
  const files = Object.fromEntries(smallFiles.map((name) => [name, sha256Hex(texts[name])]));
  write('manifest.json', manifestText({ origin, size, root: checkpoint.root, files }));
}

if (!existsSync(join(folder, 'manifest.json'))) {
  const began = performance.now();
  await make();
  console.log(`made ${size} entries in ${((performance.now() - began) / 1000).toFixed(1)} s`);
}
// Words after the folder: which signatures; default what `log verify` does by itself.
for (const signatures of (process.argv.slice(4).length > 0
  ? process.argv.slice(4)
  : ['auto']) as Signatures[]) {
  let peakBytes = 0;
  const sampled = setInterval(() => (peakBytes = Math.max(peakBytes, process.memoryUsage.rss())), 100);
  const began = performance.now();
  const report = await verifyWhole(folderSource(folder, folder), { trust: noTrust, held: [], signatures });
  clearInterval(sampled);
  const seconds = (performance.now() - began) / 1000;
  const {
    problemCount,
    problems,
    signatures: looked,
  } = typeof report === 'string' ? { problemCount: 1, problems: [report], signatures: null } : report;
  console.log(
    `verified ${size} entries, signatures ${signatures} (${looked?.verified ?? 0}), in ${seconds.toFixed(1)} s, ${Math.round(size / seconds)}/s; peak RSS ${Math.round(peakBytes / 1_048_576)} MiB; problems ${problemCount}`,
    problems[0] ?? '',
  );
}
if (named === undefined) rmSync(folder, { recursive: true, force: true });
