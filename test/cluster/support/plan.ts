/** What happens to the n-th action of a seed: who asks for what, how it is awaited, and who says what to it. */
import { approvers, owners, quorums, type Person } from './organisation.ts';
import { chanceOf, type Chance } from './random.ts';

export interface Plan {
  readonly n: number;
  readonly agent: string;
  readonly by: 'http' | 'mcp';
  readonly operation: keyof typeof quorums;
  /** Two processes of the agent take the grant at one moment. */
  readonly twins: boolean;
  /** The agent does not wait: it tries to take the grant again and again, and so at the very moment when it is given. */
  readonly eager: boolean;
  /** The agent withdraws while people are asked. */
  readonly withdraws: boolean;
  readonly chance: Chance;
}

const httpOperations = ['open', 'one', 'one', 'one', 'two', 'two', 'two', 'brief', 'never'] as const;
const mcpOperations = ['open', 'one', 'one', 'two'] as const;

export function planOf(seed: number, n: number, how: { readonly mcp: boolean }): Plan {
  const chance = chanceOf(seed, n);
  const mcp = how.mcp;
  const operation = mcp ? chance.pick(mcpOperations) : chance.pick(httpOperations);
  return {
    n,
    agent: mcp ? 'bot-c' : chance.pick(['bot-a', 'bot-b']),
    by: mcp ? 'mcp' : 'http',
    operation,
    twins: chance.chance(0.2),
    eager: !mcp && chance.chance(0.25),
    withdraws: !mcp && (quorums[operation] ?? 0) > 0 && chance.chance(0.06),
    chance,
  };
}

/** One person's word, to be given at one moment with others. */
export interface Word {
  readonly person: Person;
  readonly decision: 'approve' | 'deny';
  readonly unsafe: boolean;
}

export interface Decision {
  readonly delayMs: number;
  /** Moment after moment; all words of one moment are said at once, on different gates. */
  readonly moments: readonly (readonly Word[])[];
  /** Whether whoever is left approves afterwards, until it is decided. */
  readonly goesOn: boolean;
  readonly chance: Chance;
}

const approve = (person: Person): Word => ({ person, decision: 'approve', unsafe: false });

/** @param time how often an approval of this action was seen before. */
export function decisionOf(
  seed: number,
  asked: { readonly n: number; readonly agent: string; readonly quorum: number; readonly brief: boolean },
  time: number,
): Decision {
  const chance = chanceOf(seed, asked.n, 7, time);
  const owner = owners[asked.agent];
  const able = chance.shuffled(approvers.filter((one) => one !== owner));
  const moments: Word[][] = [];
  // Somebody who may not approve tries, and perhaps at the very moment when others do.
  if (owner !== undefined && chance.chance(0.2)) moments.push([approve(owner)]);
  const kind = chance.next();
  const [one, two, three] = able;
  if (one === undefined || two === undefined || three === undefined) throw new RangeError('too few people');
  if (kind < 0.08) moments.push([{ person: one, decision: 'deny', unsafe: chance.chance(0.25) }]);
  else if (kind < 0.16) moments.push([approve(one), { person: two, decision: 'deny', unsafe: false }]);
  else if (asked.quorum === 1)
    moments.push(chance.chance(0.3) ? [approve(one), approve(two)] : [approve(one)]);
  else if (chance.chance(0.5)) moments.push([approve(one), approve(two)]);
  else if (chance.chance(0.4)) moments.push([approve(one), approve(one), approve(three)]);
  else moments.push([approve(one)], [approve(two), approve(three)]);
  const delayMs = asked.brief
    ? chance.pick([0, 0, 2950, 3000, 3050, 4000])
    : chance.pick([0, 0, 20, 100, 400]);
  return { delayMs, moments, goesOn: !asked.brief, chance };
}
