/** `log rotate`: a new key of an embedded store's log, while the gate runs or not. A running gate takes it up by itself. */
import { finishRotation, rotateKey } from '../log/keys.ts';
import { keysFolderOf } from '../main/log.ts';
import { Failure, only, UsageError, wordsOf, type Command } from './command.ts';
import { configOption, settingsOf } from './files.ts';

export const logRotateCommand: Command = {
  name: 'log rotate',
  summary: 'Makes a new key that signs the log, or ends the overlap with the one before it.',
  usage: ['log rotate [--key log|receipt] [--config FILE]', 'log rotate --finish [--config FILE]'],
  options: {
    key: { value: 'log|receipt', help: 'which: log signs checkpoints (default), receipt signs every entry' },
    finish: { help: 'the log key before signs no more, and is deleted' },
    config: configOption,
  },
  details: [
    'The log key before goes on signing beside the new one until --finish: that long, whoever verifies has time to learn the new',
    'one. Tell witnesses of it before. A receipt key signs alone, and what it signed goes on verifying with it. The log records',
    'which key began and ended when. Keys that the configuration names are rotated there: log.keys.logBefore is the one before.',
  ],
  run: async (args, io) => {
    wordsOf(args, []);
    const { key = 'log' } = args.values;
    if (key !== 'log' && key !== 'receipt') throw new UsageError(`--key ${key} is neither log nor receipt.`);
    const finishes = args.switches.has('finish');
    only(args, finishes ? '--finish' : 'a new key', { key: ['a new key'] });
    const settings = await settingsOf(args, io, 'ignored');
    const folder = keysFolderOf(settings);
    if (folder === null || (key === 'log' ? settings.log.keys.log : settings.log.keys.receipt) !== null)
      throw new Failure(
        `The ${key} key is named by the configuration (log.keys.${key}): put the new one there${key === 'log' ? ', and the one before as log.keys.logBefore' : ''}, and start the gate again.`,
      );
    if (finishes) {
      if (!(await finishRotation(folder))) throw new Failure('No rotation is under way: one log key signs.');
      io.say('The log key before is deleted. The new one signs alone.');
      return 0;
    }
    await rotateKey(folder, key);
    io.say(
      key === 'log'
        ? 'A new log key signs from the next checkpoint on, beside the one before. When whoever verifies knows it: log rotate --finish'
        : 'A new receipt key signs from the next entry on.',
    );
    return 0;
  },
};
