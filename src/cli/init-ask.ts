/** What `init` asks the operator: which reads may run without asking, and who the people are. */
import { visibleLine } from '../core/visible.ts';
import type { Proposal, ProposedPerson } from './init-files.ts';
import { wantsTwo } from './init-pack-policies.ts';
import type { ProposedTool } from './init-profile.ts';
import type { Io } from './io.ts';

/** What is known before anybody is asked about people. */
export type Found = Pick<Proposal, 'server' | 'upstream' | 'fromEnv' | 'tools' | 'pack' | 'observe'>;

/** Asks what only the operator knows; with --yes, the cautious answers. */
export async function settle(found: Found, yes: boolean, io: Io): Promise<Proposal> {
  const two = found.pack !== null && wantsTwo(found.pack, found.server);
  if (yes) {
    const reviewer = { id: 'reviewer', name: 'Reviewer' };
    return {
      ...found,
      free: new Set(),
      agent: 'agent',
      owner: { id: 'owner', name: 'Owner' },
      reviewers: two ? [reviewer, { id: 'reviewer2', name: 'Second reviewer' }] : [reviewer],
    };
  }
  const free = found.pack === null ? await askReads(found.tools, io) : new Set<string>();
  io.say('');
  io.say(
    two
      ? 'Nobody approves what an agent of their own does, and some calls need two reviewers. So three people are needed: you, who own the agent, and two who review.'
      : 'Nobody approves what an agent of their own does. So two people are needed: you, who own the agent, and a reviewer.',
  );
  const owner = await askPerson('Your id', idFrom(io.env['USER'] ?? '', 'owner'), [], io);
  const reviewers: ProposedPerson[] = [];
  for (const question of two ? ['The first reviewer’s id', 'The second one’s id'] : ['The reviewer’s id']) {
    const taken = [owner, ...reviewers].map((one) => one.id);
    const byDefault = ['reviewer', 'reviewer2', 'reviewer3'].find((id) => !taken.includes(id)) ?? 'reviewer';
    reviewers.push(await askPerson(question, byDefault, taken, io));
  }
  const agent = await askId('The agent’s id', 'agent', [], io);
  return { ...found, free, owner, reviewers, agent };
}

/** Whether the answer to a question is yes; an empty one is. */
export async function agrees(question: string, io: Io): Promise<boolean> {
  for (;;) {
    const typed = (await io.ask(`${question} [yes]: `)).trim().toLowerCase();
    if (['', 'y', 'yes'].includes(typed)) return true;
    if (['n', 'no'].includes(typed)) return false;
    io.say('Please type yes or no.');
  }
}

async function askReads(tools: readonly ProposedTool[], io: Io): Promise<ReadonlySet<string>> {
  const { strong, soft } = io.paintErr;
  const reads = tools.filter((one) => one.profile.effect === 'read');
  const others = tools.filter((one) => one.profile.effect !== 'read');
  io.say(
    `\n${strong('Held for a reviewer, each call of them:')} ${others.map((one) => one.name).join(', ') || 'none'}`,
  );
  if (reads.length === 0) return new Set();
  io.say(`\n${strong('These say that they only read:')}`);
  for (const [index, one] of reads.entries()) {
    io.say(
      `  ${String(index + 1).padStart(2)}  ${one.name}  ${soft(visibleLine(one.description).slice(0, 80))}`,
    );
  }
  io.say('Whether that is true, and whether agents may know what they return, only you can tell.');
  for (;;) {
    const chosen = chosenOf(
      await io.ask('Which may run without asking? all, none, or numbers such as 1 3-5 [none]: '),
      reads.length,
    );
    if (chosen !== undefined) return new Set(chosen.flatMap((index) => reads[index]?.name ?? []));
    io.say('Please type all, none, or numbers from the list.');
  }
}

/** Indexes from `1 3-5`; undefined for anything else. */
export function chosenOf(typed: string, count: number): readonly number[] | undefined {
  const words = typed
    .trim()
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((word) => word !== '');
  if (words.length === 0 || (words.length === 1 && words[0] === 'none')) return [];
  if (words.length === 1 && words[0] === 'all') return Array.from({ length: count }, (_, index) => index);
  const indexes = new Set<number>();
  for (const word of words) {
    const range = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(word);
    const [from, to] = [Number(range?.[1]), Number(range?.[2] ?? range?.[1])];
    if (range === null || from < 1 || to > count || from > to) return undefined;
    for (let index = from; index <= to; index += 1) indexes.add(index - 1);
  }
  return [...indexes];
}

const idFrom = (text: string, otherwise: string): string => {
  const id = text
    .toLowerCase()
    .replace(/[^a-z0-9._-]/g, '')
    .slice(0, 64);
  return id === '' || id === 'root' ? otherwise : id;
};

async function askId(question: string, byDefault: string, taken: readonly string[], io: Io): Promise<string> {
  for (;;) {
    const typed = (await io.ask(`${question} [${byDefault}]: `)).trim();
    const id = typed === '' ? byDefault : typed;
    if (!/^[a-z0-9._-]{1,64}$/.test(id)) io.say('An id is made of a-z, 0-9, dot, underscore and hyphen.');
    else if (taken.includes(id)) io.say(`${id} is taken: a second person is another person.`);
    else return id;
  }
}

async function askPerson(
  question: string,
  byDefault: string,
  taken: readonly string[],
  io: Io,
): Promise<ProposedPerson> {
  const id = await askId(question, byDefault, taken, io);
  const name = id.charAt(0).toUpperCase() + id.slice(1);
  const typed = (await io.ask(`  their name [${name}]: `)).trim().slice(0, 120);
  return { id, name: typed === '' ? name : typed };
}
