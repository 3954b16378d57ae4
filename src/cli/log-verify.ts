/**
 * `log verify`: whether a log is whole, offline: all of it, a range, one receipt, or two checkpoints. Reads a copy (`log copy`) or the
 * store of a configuration, beside a running gate. Exit code 0: it is; 1: it is not, or something in it should not have happened;
 * 2: not understood.
 */
import { verifyRange } from '../log/verify/range.ts';
import { verifyBundle, verifyTlogProof } from '../log/verify/receipt.ts';
import { Stopped, verifyWhole, type Signatures } from '../log/verify/whole.ts';
import { visibleLine } from '../core/visible.ts';
import { Failure, UsageError, type Args, type Command } from './command.ts';
import { consistency } from './log-consistency.ts';
import { configOption } from './files.ts';
import { Interrupted, untilSignal, type Io } from './io.ts';
import { bytesIn, heldCheckpoints, mustHaveKeys, openSource, textIn, trustOf } from './log-source.ts';
import { isWhole, rangeLines, shownLines, wholeLines } from './log-verify-text.ts';
import { progressOn } from './progress.ts';

/** A receipt has about 3 KB, and its statement; an action at most 1 MiB. */
const receiptBytesMax = 16 * 1_048_576;

type Mode = 'log' | 'receipt' | 'proof' | 'consistency';

/** Where each option means something. */
const belongs: Readonly<Record<string, readonly Mode[]>> = {
  config: ['log', 'consistency'],
  from: ['log'],
  to: ['log'],
  checkpoint: ['log'],
  signatures: ['log'],
  action: ['receipt'],
  entry: ['proof'],
  'consistency-proof': ['consistency'],
};

export const logVerifyCommand: Command = {
  name: 'log verify',
  summary: 'Verifies a log, a range of it, a receipt, or that two checkpoints are of one log; offline.',
  usage: [
    'log verify [FOLDER | --config FILE] [--key VKEY] [--checkpoint FILE] [--witness VKEY] [--json]',
    'log verify [FOLDER | --config FILE] --from INDEX --to INDEX',
    'log verify --receipt FILE [--action FILE] --key VKEY | --trusted-root FILE',
    'log verify --proof FILE [--entry FILE] --key VKEY',
    'log verify --consistency OLD NEW [FOLDER | --consistency-proof FILE] --key VKEY',
  ],
  options: {
    config: configOption,
    key: {
      value: 'VKEY',
      help: 'the key of the log, NAME+ID+BASE64, from somewhere else than the log; several with commas',
    },
    keys: { value: 'FILE', help: 'keys: verifier keys, one a line; keys.json; a receipt key as PEM' },
    'trusted-root': { value: 'FILE', help: 'keys of the log as verifiers of Sigstore bundles take them' },
    checkpoint: {
      value: 'FILE',
      help: 'a checkpoint that you kept, or a folder of such: is this still that log?',
    },
    witness: { value: 'VKEY', help: 'the key of a witness; several with commas' },
    quorum: {
      value: 'N',
      help: 'so many of the witnesses must have cosigned; default 1 where --witness names some',
    },
    signatures: { value: 'WORD', help: 'over entries: auto, all or none; default auto' },
    from: { value: 'INDEX', help: 'only entries from here' },
    to: { value: 'INDEX', help: '… to here, with it' },
    receipt: { value: 'FILE', help: 'a receipt: a Sigstore bundle' },
    action: { value: 'FILE', help: 'the action that the receipt should be about: its exact canonical bytes' },
    proof: { value: 'FILE', help: 'a C2SP tlog-proof' },
    entry: { value: 'FILE', help: 'the leaf, or the statement, that the proof should be about' },
    consistency: { help: 'whether the checkpoint OLD is a beginning of NEW' },
    'consistency-proof': { value: 'FILE', help: 'hashes, base64, one a line, in the place of a log' },
    json: { help: 'prints the answer as JSON' },
  },
  details: [
    'Without FOLDER it is the log in the store of the configuration, beside a running gate. Finds any edit, reorder, removal,',
    'truncation or fork, names the first bad index, and says what is wrong.',
    'Without --key the keys are taken from the log itself: that shows that it is whole, not whose it is.',
    'Signatures over entries: “auto” verifies all of up to 200,000, and 20,000 at random of more. An edit is found in any case,',
    'because the tree commits to every statement and every signature; the signature is what a receipt taken alone rests on.',
    'Exit code: 0 whole; 1 not whole, or it tells of what should not have happened; 2 not understood.',
  ],
  run: (args, io) => {
    const mode = modeOf(args);
    for (const [option, modes] of Object.entries(belongs))
      if (args.values[option] !== undefined && !modes.includes(mode))
        throw new UsageError(`--${option} does not go with --${mode === 'log' ? modes[0] : mode}.`);
    if (args.rest !== undefined) throw new UsageError('Nothing may follow “--” here.');
    switch (mode) {
      case 'log':
        return log(args, io);
      case 'receipt':
      case 'proof':
        return receipt(mode, args, io);
      case 'consistency':
        return consistency(args, io);
    }
  },
};

function modeOf(args: Args): Mode {
  const said = (['receipt', 'proof'] as const).filter((one) => args.values[one] !== undefined);
  const modes: readonly Mode[] = [
    ...said,
    ...(args.switches.has('consistency') ? (['consistency'] as const) : []),
  ];
  const [mode = 'log', other] = modes;
  if (other !== undefined) throw new UsageError(`Say --${mode} or --${other}, not both.`);
  const words = mode === 'log' ? 1 : mode === 'consistency' ? 3 : 0;
  const surplus = args.words[words];
  if (surplus !== undefined) throw new UsageError(`“${surplus}” is one word too many.`);
  return mode;
}

async function log(args: Args, io: Io): Promise<number> {
  const range = rangeOf(args);
  const signatures = signaturesOf(args);
  if (
    range !== undefined &&
    (args.values['checkpoint'] !== undefined || args.values['signatures'] !== undefined)
  )
    throw new UsageError('--checkpoint and --signatures are for the whole log: leave out --from and --to.');
  const opened = await openSource(args.words[0], args, io);
  const ending = untilSignal();
  const ends = new AbortController();
  void ending.signal.then(() => ends.abort());
  const progress = progressOn(process.stderr, 'verified');
  try {
    const options = {
      trust: await trustOf(args, io, opened.witnesses),
      progress: (done: number, of: number) => progress.at(done, of),
      signal: ends.signal,
    };
    const report =
      range === undefined
        ? await verifyWhole(opened.source, { ...options, held: await heldCheckpoints(args, io), signatures })
        : await verifyRange(opened.source, range, options);
    progress.end();
    if (typeof report === 'string') throw new Failure(report);
    const lines = 'lives' in report ? wholeLines(report, io.paint) : rangeLines(report, io.paint);
    if (args.switches.has('json')) io.out(JSON.stringify({ ok: isWhole(report), ...report }, null, 2));
    else for (const line of lines) io.out(line);
    return isWhole(report) ? 0 : 1;
  } catch (error) {
    if (error instanceof Stopped) throw new Interrupted();
    throw error;
  } finally {
    progress.end();
    ending.release();
    await opened.close();
  }
}

function rangeOf(args: Args): { readonly from: number; readonly to: number } | undefined {
  const number = (option: 'from' | 'to'): number | undefined => {
    const typed = args.values[option];
    if (typed === undefined) return undefined;
    if (!/^\d{1,15}$/.test(typed)) throw new UsageError(`--${option} ${typed} is no index.`);
    return Number(typed);
  };
  const [from, to] = [number('from'), number('to')];
  if (from === undefined && to === undefined) return undefined;
  if (from === undefined || to === undefined) throw new UsageError('--from and --to go together.');
  if (from > to) throw new UsageError(`--from ${from} is behind --to ${to}.`);
  return { from, to };
}

function signaturesOf(args: Args): Signatures {
  const typed = args.values['signatures'] ?? 'auto';
  if (typed === 'auto' || typed === 'all' || typed === 'none') return typed;
  throw new UsageError(`--signatures ${typed}: say auto, all or none.`);
}

async function receipt(mode: 'receipt' | 'proof', args: Args, io: Io): Promise<number> {
  const typed = args.values[mode] ?? '';
  const trust = await trustOf(args, io);
  mustHaveKeys(trust);
  const beside = args.values[mode === 'receipt' ? 'action' : 'entry'];
  const given = beside === undefined ? null : await bytesIn(io.path(beside), beside, receiptBytesMax);
  const text = await textIn(io.path(typed), typed, receiptBytesMax);
  const shown = mode === 'receipt' ? verifyBundle(text, trust, given) : verifyTlogProof(text, trust, given);
  const json = args.switches.has('json');
  if (typeof shown === 'string') {
    if (json) io.out(JSON.stringify({ ok: false, problem: shown }, null, 2));
    else io.out(`${io.paint.bad('BROKEN')} ${visibleLine(`${typed} does not hold. ${shown}`)}`);
    return 1;
  }
  if (json) io.out(JSON.stringify({ ok: true, ...shown }, null, 2));
  else for (const line of shownLines(shown, mode, io.paint)) io.out(line);
  return 0;
}
