/** `store copy` as it is typed, where no PostgreSQL is needed: what is asked for wrongly, what is refused first, and in which words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inFolder, organisation, run, serving } from './run.ts';

const moving = {
  ...organisation,
  'new.yaml': `database: { fromEnv: MOVED_TO }\n${organisation['countersign.yaml'] ?? ''}`,
};
/** Nobody listens on port 1. */
const env = { MOVED_TO: 'postgres://somebody:verysecret@127.0.0.1:1/db' };

test('what cannot be meant is said, with exit code 2', () =>
  inFolder(moving, async (folder) => {
    const wrong: readonly (readonly [readonly string[], RegExp])[] = [
      [['store'], /Say what to do with the store\./],
      [['store', 'move'], /There is no subcommand move of store/],
      [['store', 'cpoy'], /did you mean copy\?/],
      [
        ['store', 'copy'],
        /--to is missing: the configuration that names the database\.\nSee: countersign store copy --help/,
      ],
      [['store', 'copy', '--to'], /--to needs a value: FILE\./],
      [['store', 'copy', 'x', '--to', 'new.yaml'], /“x” is one word too many/],
      [['store', 'copy', '--too', 'new.yaml'], /There is no option --too; did you mean --to\?/],
      [['store', 'copy', '--to', 'postgres://u:p@h/db'], /others can read a command line/],
    ];
    for (const [words, why] of wrong) {
      const ran = await run(words, { cwd: folder, env });
      assert.deepEqual([ran.code, ran.out], [2, ''], words.join(' ') + ran.err);
      assert.match(ran.err, why, words.join(' '));
    }
    for (const words of [
      ['store', '--help'],
      ['store', 'copy', '--help'],
    ]) {
      const ran = await run(words, { cwd: folder });
      assert.deepEqual([ran.code, ran.err], [0, '']);
      for (const line of ran.out.split('\n')) assert.ok(line.length <= 130, line);
    }
  }));

test('what is refused says what to do instead, with exit code 1, and nothing of it is a secret or a colour', () =>
  inFolder(
    {
      ...moving,
      'plain.yaml': organisation['countersign.yaml'] ?? '',
    },
    async (folder) => {
      const refused = async (words: readonly string[], why: RegExp): Promise<void> => {
        const ran = await run(['store', 'copy', ...words], { cwd: folder, env });
        assert.deepEqual([ran.code, ran.out], [1, ''], words.join(' ') + ran.err);
        assert.match(ran.err, why, words.join(' '));
        assert.doesNotMatch(ran.err, /verysecret|\u001b|at file:/);
      };
      await refused(['--to', 'nowhere.yaml'], /There is no nowhere\.yaml \(ENOENT\)\. --to names the new/);
      await refused(['--to', 'plain.yaml'], /plain\.yaml names no database: write database: postgres/);
      await refused(
        ['--to', 'new.yaml', '--config', 'new.yaml'],
        /new\.yaml names a PostgreSQL database already/,
      );
      await refused(['--to', 'new.yaml'], /There is no store at data yet.*start the gate with new\.yaml/);
      await refused(['--undo', '--to', 'new.yaml'], /There is no store at data yet/);
      await serving(folder, () =>
        refused(
          ['--to', 'new.yaml'],
          /A gate is running on data\. Stop it first: .*\ncountersign: data was not moved/,
        ),
      );
      await refused(
        ['--to', 'new.yaml'],
        /127\.0\.0\.1:1: connect ECONNREFUSED.*\nOnce that is mended, the same command goes on: .*store copy --to new\.yaml\n/,
      );
      // The store is as it was.
      await serving(folder, () => Promise.resolve());
    },
  ));
