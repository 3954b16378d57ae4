/** `backup FILE` and `restore FILE`: the embedded store as one file. PostgreSQL has tools of its own for this. */
import { channelNames } from '../main/channels.ts';
import { openStore } from '../main.ts';
import { Failure, wordsOf, type Command } from './command.ts';
import { configOption, exists, settingsOf } from './files.ts';

const postgresHint = 'This store is PostgreSQL: use pg_dump and pg_restore.';

/** Copies the store while the gate runs. */
export const backupCommand: Command = {
  name: 'backup',
  summary: 'Writes a consistent copy of the embedded store to a new file, while the gate runs or not.',
  usage: ['backup FILE [--config FILE]'],
  options: { config: configOption },
  run: async (args, io) => {
    const [typed = ''] = wordsOf(args, ['FILE']);
    const settings = await settingsOf(args, io, 'ignored');
    if (settings.store.kind !== 'sqlite') throw new Failure(postgresHint);
    const file = io.path(typed);
    if (await exists(file)) throw new Failure(`${typed} exists already; a backup never writes over a file.`);
    if (!(await exists(settings.store.directory)))
      throw new Failure(`There is no store at ${io.typed(settings.store.directory)} yet.`);
    const store = await openStore(settings, { exclusive: false });
    try {
      const result = await store.backup(file);
      if (!result.ok) throw new Failure(`The backup failed: ${result.error.detail}`);
    } finally {
      await store.close();
    }
    io.say(
      `Wrote ${typed}. It holds everything that the gate knows, tokens’ hashes included: keep it as safe as the store.`,
    );
    return 0;
  },
};

/** Puts a copy back. */
export const restoreCommand: Command = {
  name: 'restore',
  summary: 'Replaces the embedded store by a backup, while the gate runs or not.',
  usage: ['restore FILE [--config FILE]'],
  options: { config: configOption },
  details: [
    'What the store held is kept in a file beside it. Nothing of the backup can run: whatever was open when it was made is ended,',
    'because it may have run since. The log says that the store was restored.',
  ],
  run: async (args, io) => {
    const [typed = ''] = wordsOf(args, ['FILE']);
    const settings = await settingsOf(args, io, 'ignored');
    if (settings.store.kind !== 'sqlite') throw new Failure(postgresHint);
    if (!(await exists(io.path(typed)))) throw new Failure(`There is no file ${typed}.`);
    const { restoreSqlite } = await import('../store/restore.ts');
    const { directory } = settings.store;
    const result = await restoreSqlite({ directory, file: io.path(typed), channels: channelNames(settings) });
    if (!result.ok) throw new Failure(`Nothing was changed: ${result.error.detail}`);
    const { saved, entries, ended } = result.value;
    io.say(
      `Restored ${io.typed(directory)} from ${typed}: its log has ${entries} entries. What was there before is kept as ${io.typed(saved)}.`,
    );
    if (ended > 0)
      io.say(
        `${ended} ${ended === 1 ? 'action was' : 'actions were'} ended, because nobody knows what became of them after the backup.`,
      );
    io.say('Everybody has to sign in again.');
    return 0;
  },
};
