/** `log copy`: writes the log into a folder that a stranger can check; run again, it adds what is new. */
import { grouped } from '../core/render/shown.ts';
import { copyLog, CopyFailed } from '../log/copy.ts';
import { Failure, wordsOf, type Command } from './command.ts';
import { configOption } from './files.ts';
import { Interrupted, untilSignal } from './io.ts';
import { openSource } from './log-source.ts';
import { progressOn } from './progress.ts';

export const logCopyCommand: Command = {
  name: 'log copy',
  summary: 'Copies the log into a folder that a stranger can verify, with our command or without it.',
  usage: ['log copy FOLDER [--config FILE]'],
  options: { config: configOption },
  details: [
    'Static files: the tree as C2SP tlog-tiles, the newest checkpoint with its cosignatures, all entries as JSON Lines, the',
    'checkpoints that were kept, the public keys, and a README. While the gate runs or not. Run again it adds only what is new,',
    'and blanks payloads that were erased since. The entries name people: keep the folder as safe as the store.',
  ],
  run: async (args, io) => {
    const [typed = ''] = wordsOf(args, ['FOLDER']);
    const opened = await openSource(undefined, args, io);
    const ending = untilSignal();
    const ends = new AbortController();
    void ending.signal.then(() => ends.abort());
    const progress = progressOn(process.stderr, 'copied');
    try {
      const { size, before, blanked, origin } = await copyLog(opened.source, io.path(typed), {
        progress: (done, of) => progress.at(done, of),
        signal: ends.signal,
      });
      progress.end();
      const news =
        before === 0
          ? ''
          : before === size
            ? ', none of them new'
            : `, ${grouped(size - before)} of them new`;
      io.say(`The log of ${origin} is in ${typed}: ${grouped(size)} entries${news}.`);
      if (blanked > 0) io.say('Payloads that were erased since are gone from it too.');
      io.say(`Verify it: ${io.command(`log verify ${typed}`)}`);
      return 0;
    } catch (error) {
      if (ends.signal.aborted) throw new Interrupted();
      if (error instanceof CopyFailed) throw new Failure(error.message);
      throw error;
    } finally {
      progress.end();
      ending.release();
      await opened.close();
    }
  },
};
