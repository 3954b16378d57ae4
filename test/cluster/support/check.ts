/** After a run, against the database that survived and through a gate that was not there: is everything still so, and nothing more? */
import { execFile } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { vkeyOf } from '../../../src/log/note.ts';
import { root } from '../../support/source.ts';
import { wrongWithFacts } from './check-facts.ts';
import { environmentOf, type Gate } from './gates.ts';
import { send } from './http.ts';
import type { Ledger } from './ledger.ts';
import { livesOf, wrongWith, type Entry, type Life } from './lives.ts';
import { auditor, logOrigin } from './organisation.ts';
import type { ServerPair } from './pair.ts';
import { pause } from './random.ts';
import type { Effect, Effects } from './upstream.ts';

const run = promisify(execFile);

export interface Over {
  readonly folder: string;
  readonly config: string;
  readonly ledger: Ledger;
  readonly effects: Effects;
  readonly pair: ServerPair;
  /** Not started yet; all others have been killed. */
  readonly fresh: Gate;
  readonly tokens: Readonly<Record<string, string>>;
}

export interface Checked {
  /** Empty: all is well. */
  readonly problems: readonly string[];
  readonly counts: {
    readonly entries: number;
    readonly actions: number;
    readonly executions: number;
    readonly unknown: number;
    readonly effects: number;
    readonly facts: number;
    readonly checkpoints: number;
  };
}

/** How long the fresh gate may take to settle what the killed ones left, and to publish all of it. */
const settleMsMax = 90_000;
const pageMax = 1000;

export async function check(over: Over): Promise<Checked> {
  const { fresh, ledger, pair } = over;
  await fresh.start();
  const problems: string[] = [...ledger.surprises];
  const entries = await settled(over, problems);
  const lives = livesOf(entries);
  for (const [at, { index }] of entries.entries())
    if (index !== at) problems.push(`entry ${at} of the log has the index ${index}`);
  for (const life of lives.values()) problems.push(...wrongWith(life));
  const effects = over.effects.all();
  problems.push(...wrongWithEffects(effects, lives));
  problems.push(...wrongWithFacts(ledger.facts, lives));
  problems.push(...(await wrongWithRows(pair, entries, lives)));
  await fresh.stop();
  problems.push(...(await wrongWithLog(over)));
  const all = [...lives.values()];
  return {
    problems,
    counts: {
      entries: entries.length,
      actions: all.filter((one) => one.asked.length > 0).length,
      executions: all.filter((one) => one.started.length > 0).length,
      unknown: all.filter((one) => one.ended[0]?.type === 'execution.unknown').length,
      effects: effects.length,
      facts: ledger.facts.length,
      checkpoints: ledger.checkpoints.size,
    },
  };
}

/** All entries, once no run of a dead gate is left without an end, and the tree has grown over them. */
async function settled(over: Over, problems: string[]): Promise<readonly Entry[]> {
  const { fresh, tokens } = over;
  const token = tokens[auditor] ?? '';
  const end = Date.now() + settleMsMax;
  for (;;) {
    const entries = await entriesOf(fresh.port, token);
    const open = [...livesOf(entries).values()].filter(
      ({ started, ended }) => started[0]?.data['enforcement'] === 'mediated' && ended.length === 0,
    );
    const checkpoint = await send(fresh.port, { method: 'GET', path: '/tlog/checkpoint', token });
    const size = checkpoint?.status === 200 ? Number(String(checkpoint.body).split('\n')[1]) : 0;
    if (checkpoint?.status === 200) over.ledger.checkpoints.add(checkpoint.body);
    if (open.length === 0 && size === entries.length) return entries;
    if (Date.now() > end) {
      for (const { action } of open) problems.push(`${action}: its gate is gone, and its run has no end`);
      if (size !== entries.length) problems.push(`the tree stands at ${size} of ${entries.length} entries`);
      return entries;
    }
    await pause(200);
  }
}

async function entriesOf(port: number, token: string): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for (;;) {
    const path = `/v1/log?after=${entries.length - 1}&limit=${pageMax}`;
    const page = await send(port, { method: 'GET', path, token });
    if (page?.status !== 200)
      throw new Error(`the fresh gate does not show its log: ${JSON.stringify(page)}`);
    // As the API shows them; what is read of them is checked by what is asserted.
    entries.push(...(page.body.items as readonly Entry[]));
    if (page.body.next === undefined) return entries;
  }
}

/** What happened in the world: once for each action, and under the run that the log tells of. */
function wrongWithEffects(effects: readonly Effect[], lives: ReadonlyMap<string, Life>): readonly string[] {
  const problems: string[] = [];
  const count = new Map<string, number>();
  for (const { action, execution } of effects) {
    count.set(action, (count.get(action) ?? 0) + 1);
    const started = lives.get(action)?.started[0];
    if (started === undefined) problems.push(`${action} took effect, and the log tells of no run`);
    else if (started.about.execution !== execution)
      problems.push(`${action} took effect as ${execution}, and the log has ${started.about.execution}`);
  }
  for (const [action, times] of count) if (times > 1) problems.push(`${action} took effect ${times} times`);
  return problems;
}

/** The tables say what the log says. */
async function wrongWithRows(
  pair: ServerPair,
  entries: readonly Entry[],
  lives: ReadonlyMap<string, Life>,
): Promise<readonly string[]> {
  const { primary } = pair;
  const problems: string[] = [];
  const [head] = await primary.query('SELECT size FROM log_head WHERE one = 1');
  const [counted] = await primary.query('SELECT count(*) AS n, max(idx) AS last FROM entries');
  // Since they were read the fresh gate may have written more, but never without both.
  if (
    Number(head?.['size']) !== Number(counted?.['n']) ||
    Number(counted?.['last']) + 1 !== Number(counted?.['n'])
  )
    problems.push(`the head says ${String(head?.['size'])} entries; there are ${String(counted?.['n'])}`);
  if (Number(counted?.['n']) < entries.length) problems.push('entries went away while they were read');
  const runs = await primary.query(
    'SELECT a.id, e.id AS execution FROM executions e JOIN actions a ON a.ord = e.action_ord',
  );
  for (const { id, execution } of runs)
    if (lives.get(String(id))?.started[0]?.about.execution !== execution)
      problems.push(`${String(id)} has a row of a run that the log does not tell of`);
  const twice = await primary.query(
    `SELECT agent, run, count(*) AS n FROM actions WHERE run LIKE 'ask-%' GROUP BY agent, run HAVING count(*) > 1`,
  );
  for (const { agent, run: key, n } of twice)
    problems.push(`${String(agent)} asked once as ${String(key)}, and ${String(n)} actions came of it`);
  return problems;
}

/** The log by our own verifier: in the store, and as a stranger gets it, with the keys and every checkpoint that was ever seen. */
async function wrongWithLog({ folder, config, pair, ledger }: Over): Promise<readonly string[]> {
  const kept = join(folder, 'checkpoints');
  const copied = join(folder, 'copy');
  mkdirSync(kept);
  for (const [at, note] of [...ledger.checkpoints].entries()) writeFileSync(join(kept, `${at}.note`), note);
  const key = vkeyOf(logOrigin, createPublicKey(readFileSync(join(folder, 'log.pem'), 'utf8')));
  const held = ledger.checkpoints.size === 0 ? [] : ['--checkpoint', kept];
  const env = environmentOf(pair.primary.url);
  const problems: string[] = [];
  for (const args of [
    ['log', 'verify', '--config', config, '--key', key, ...held],
    ['log', 'copy', copied, '--config', config],
    ['log', 'verify', copied, '--key', key, ...held],
  ])
    await run(process.execPath, [join(root, 'src', 'cli.ts'), ...args], { env, cwd: folder }).catch(
      (error: unknown) => {
        // What `execFile` rejects with.
        const { stdout = '', stderr = '' } = error as { readonly stdout?: string; readonly stderr?: string };
        problems.push(`${args.slice(0, 2).join(' ')} says:\n${stdout}${stderr}`);
      },
    );
  return problems;
}
