/**
 * A program that is killed (crash.test.ts): it changes a store from many callers at once and prints a line for each change
 * that was answered, after it was answered. Arguments: the folder, and a name that no other child has.
 */
import { writeSync } from 'node:fs';
import { openSqlite } from '../../src/store/sqlite.ts';
import { caseOf, channels, handle, note } from './bench.ts';
import * as world from './world.ts';

const [directory = '', name = ''] = process.argv.slice(2);
const store = await openSqlite({ directory, channels });
if ((await store.versions()).directory === 0) await store.change(world.acceptDirectory());
const versions = await store.versions();

const say = (...words: readonly (string | null | undefined)[]): void =>
  void writeSync(1, `${words.join(' ')}\n`);

async function caller(n: number): Promise<void> {
  for (let round = 0; ; round += 1) {
    const noted = await store.change(
      note(Number(`${name}${n.toString().padStart(2, '0')}${round.toString().padStart(5, '0')}`)),
    );
    if (noted.ok) say('note', name, String(n), String(round));
    const ask = world.ask(world.review(versions), { input: { name, n, round } });
    caseOf(await store.change(ask));
    say('asked', ask.asked.id);
    caseOf(await store.change(world.reviewOf(handle(ask), world.rosa)));
    say('approved', ask.asked.id);
    const claims = [
      world.claim(ask.asked.id, ask.asked.verdict),
      world.claim(ask.asked.id, ask.asked.verdict),
    ];
    const answers = await Promise.all(claims.map((claim) => store.change(claim)));
    for (const [at, answer] of answers.entries()) {
      if (answer.ok) say('started', ask.asked.id, claims[at]?.execution);
    }
  }
}

say('ready');
await Promise.all(Array.from({ length: 8 }, (_, n) => caller(n)));
