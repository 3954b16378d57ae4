/**
 * `receipt`: writes what proves a decision or a run to somebody else, as files: bundle, tlog-proof, the action's bytes, and the keys.
 * Each bundle is verified before it is written. From a running gate with one's own token; or, at the machine, from the store.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { predicateType } from '../core/entry.ts';
import { keysOfText, type Trust } from '../log/verify/keys.ts';
import { verifyBundle } from '../log/verify/receipt.ts';
import { apiOf } from './api.ts';
import { Failure, UsageError, wordsOf, type Args, type Command } from './command.ts';
import { configOption, gateUrl, tokenOf, urlOption } from './files.ts';
import type { Io } from './io.ts';
import { receiptsOfGate, receiptsOfStore, type Found, type Receipts, type Wanted } from './receipt-source.ts';

export const receiptCommand: Command = {
  name: 'receipt',
  summary:
    'Writes the receipts of an action, an approval or an entry of the log: files that verify without the gate.',
  usage: [
    'receipt ACTION | APPROVAL | INDEX [--out DIR] [--url URL]',
    'receipt ACTION | APPROVAL | INDEX [--out DIR] --config FILE',
  ],
  options: {
    out: { value: 'DIR', help: 'where to; default here' },
    url: urlOption,
    config: { ...configOption, help: 'reads the store of this configuration instead, beside a running gate' },
  },
  details: [
    'Of an action or approval: one receipt for each decision and each run. Files: countersign-INDEX.sigstore.json (a Sigstore bundle),',
    'countersign-INDEX.tlog-proof, action.json, receipt-key.pem, trusted_root.json. What is not yours to see is left out, and said.',
    'Your token is taken from COUNTERSIGN_TOKEN. Keys that come together with a receipt show that it is whole, not whose it is:',
    'whoever verifies should have them from somewhere else.',
  ],
  run: async (args, io) => {
    const [word = ''] = wordsOf(args, ['What']);
    const wanted = wantedOf(word);
    const source = await sourceOf(args, io);
    try {
      return await write(wanted, source, { args, io });
    } finally {
      await source.close();
    }
  },
};

function wantedOf(word: string): Wanted {
  if (/^\d{1,15}$/.test(word)) return { kind: 'index', index: Number(word) };
  if (/^act_[0-9a-z]{26}$/.test(word)) return { kind: 'action', id: word };
  if (/^apr_[0-9a-z]{26}$/.test(word)) return { kind: 'approval', id: word };
  throw new UsageError(
    `“${word}” is neither an action (act_…), nor an approval (apr_…), nor an index of the log.`,
  );
}

async function sourceOf(args: Args, io: Io): Promise<Receipts> {
  const { config, url } = args.values;
  if (config !== undefined && url !== undefined)
    throw new UsageError('Name a gate with --url, or a configuration with --config, not both.');
  if (config !== undefined) return receiptsOfStore(args, io);
  const how = `Make one: ${io.command('token person ID --config FILE')}; or read the store with --config FILE.`;
  return receiptsOfGate(apiOf(gateUrl(args, io), tokenOf(io, how)));
}

async function write(
  wanted: Wanted,
  source: Receipts,
  { args, io }: { readonly args: Args; readonly io: Io },
): Promise<number> {
  const found = await source.find(wanted);
  if (found.length === 0)
    throw new Failure('Nothing is decided about it yet; there is a receipt once it is.');
  const root = await source.trustedRoot();
  const folder = io.path(args.values['out'] ?? '.');
  await mkdir(folder, { recursive: true });
  const keep = async (name: string, text: string | Uint8Array): Promise<void> => {
    // It holds what people said, and a salt.
    await writeFile(join(folder, name), text, { mode: 0o600 });
    io.out(io.typed(join(folder, name)));
  };
  await keep('trusted_root.json', root);
  const written = new Map<string, string>();
  let last: Found | undefined;
  for (const one of found) {
    verifyBefore(one, root);
    for (const { name, text } of filesOf(one, written)) await keep(name, text);
    if (one.missing.length > 0)
      io.say(`Entry ${one.index}: without its ${one.missing.join(' and ')}, not yours to have, or gone.`);
    last = one;
  }
  if (last !== undefined) tell(last, written, io);
  return 0;
}

/** The key and the action once; another of either beside it under the entry's name. */
function filesOf(
  { index, bundle, proof, action, key }: Found,
  written: Map<string, string>,
): readonly { readonly name: string; readonly text: string }[] {
  const shared = (name: string, text: string | null): readonly { name: string; text: string }[] => {
    if (text === null || [...written.values()].includes(text)) return [];
    const [base = '', end = ''] = name.split('.');
    const free = written.has(name) ? `${base}-${index}.${end}` : name;
    written.set(free, text);
    return [{ name: free, text }];
  };
  return [
    ...(bundle === null ? [] : [{ name: `countersign-${index}.sigstore.json`, text: bundle }]),
    { name: `countersign-${index}.tlog-proof`, text: proof },
    ...shared('action.json', action),
    ...shared('receipt-key.pem', key),
  ];
}

function verifyBefore({ index, bundle, action, key }: Found, root: string): void {
  if (bundle === null) return;
  const log = keysOfText(root);
  const receipt = keysOfText(key);
  if (typeof log === 'string' || typeof receipt === 'string')
    throw new Failure('The gate gave keys that cannot be read.');
  const trust: Trust = { log: log.log, receipt: receipt.receipt, witnesses: [], quorum: 0 };
  const shown = verifyBundle(bundle, trust, action === null ? null : Buffer.from(action));
  if (typeof shown === 'string')
    throw new Failure(`The receipt of entry ${index} does not verify: ${shown} Nothing of it was written.`);
}

/** How a stranger verifies it. */
function tell({ index, bundle, action, key }: Found, written: ReadonlyMap<string, string>, io: Io): void {
  const nameOf = (text: string | null): string | undefined =>
    [...written].find(([, known]) => known === text)?.[0];
  if (bundle === null) {
    io.say(`Verify with: ${io.command(`log verify --proof countersign-${index}.tlog-proof --key VKEY`)}`);
    return;
  }
  io.say('Verify with cosign 3, in that folder:');
  const about = action === null ? digestWords(bundle) : (nameOf(action) ?? 'action.json');
  io.say(
    `  cosign verify-blob-attestation --key ${nameOf(key) ?? 'receipt-key.pem'} --trusted-root trusted_root.json --type ${predicateType} --bundle countersign-${index}.sigstore.json ${about}`,
  );
}

/** In the place of the action's bytes, its digest, as the statement names it. */
function digestWords(bundle: string): string {
  const payload = /"payload":"([A-Za-z0-9+/=]+)"/.exec(bundle)?.[1] ?? '';
  const digest = /"sha256":"([0-9a-f]{64})"\},"name":"(?:action|log)"\}\]\}$/.exec(
    Buffer.from(payload, 'base64').toString('utf8'),
  )?.[1];
  return `--digest ${digest ?? 'HEX'} --digestAlg sha256`;
}
