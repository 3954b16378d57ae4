/** What `policy` judges with: policies in files, people and operations of the configuration, and what the store has accepted. */
import { join } from 'node:path';
import { policyWorldOf } from '../app/policy-world.ts';
import { readPolicies } from '../config/policies.ts';
import type { Settings } from '../config.ts';
import { changeConflictMs } from '../core/conflict.ts';
import type { Change } from '../core/directory.ts';
import type { PinnedTool } from '../core/tool.ts';
import { visibleLine } from '../core/visible.ts';
import { openStore } from '../main.ts';
import type { PolicyProblem, PolicyTexts, PolicyWorld } from '../ports/policy.ts';
import type { Store } from '../ports/store.ts';
import { databaseFile } from '../store/sqlite-protocol.ts';
import { Failure, type Option } from './command.ts';
import { exists } from './files.ts';
import type { Io } from './io.ts';

export const filesOption: Option = {
  value: 'DIR',
  help: 'judges with the policies of another folder; default: the configuration’s',
};

/** The policies of a folder; a folder that holds none is a failure. */
export async function textsOf(folder: string): Promise<PolicyTexts> {
  const proposed = await readPolicies(folder);
  if (proposed.kind === 'texts') return proposed.texts;
  throw new Failure(proposed.reason);
}

/** What the store knows and files do not. */
export interface Accepted {
  readonly tools: readonly PinnedTool[];
  readonly changes: readonly Change[];
  /** Null where there is no store: nothing was granted, and no action is recorded. */
  readonly store: Store | null;
}

/** Looks into the store that the configuration names, where it is there; it is neither made nor changed. */
export async function withAccepted<T>(
  settings: Settings,
  io: Io,
  work: (accepted: Accepted) => Promise<T>,
): Promise<T> {
  const store = await storeOf(settings, io);
  if (store === null) return work({ tools: [], changes: [], store });
  try {
    const [tools, changes] = await Promise.all([store.tools(), store.changes(Date.now() - changeConflictMs)]);
    return await work({ tools, changes, store });
  } finally {
    await store.close();
  }
}

async function storeOf(settings: Settings, io: Io): Promise<Store | null> {
  const { store } = settings;
  if (store.kind === 'sqlite' && !(await exists(databaseFile(store.directory)))) {
    if (settings.proposal.servers.length > 0)
      io.say(
        io.paintErr.soft(
          `There is no store in ${io.typed(store.directory)} yet, so no tools of servers are known: what policies say of them is not checked.`,
        ),
      );
    return null;
  }
  try {
    return await openStore(settings, { exclusive: false });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    io.say(
      `${io.paintErr.wait('warning:')} the store cannot be opened (${why}): pinned tools, recorded actions and counts are not known.`,
    );
    return null;
  }
}

/** The world of the files. People are those of the configuration, whether the gate has them yet or not. */
export const worldOf = (settings: Settings, { tools }: Accepted): PolicyWorld => ({
  ...policyWorldOf(settings.proposal, {
    directory: settings.proposal.directory,
    tools,
    versions: { policySet: 0, directory: 0, tools: 0 },
  }),
  chats: (['slack', 'teams'] as const).filter((chat) => settings.channels[chat] !== null),
});

/** `policies/crm.cedar:3:`, from where the person is. */
function placeOf({ file, line }: PolicyProblem, folder: string, io: Io): string {
  if (file === '') return `${io.typed(folder)}:`;
  return `${io.typed(join(folder, file))}${line === 0 ? '' : `:${line}`}:`;
}

/** One problem, as compilers print it, so that editors can jump there. */
export function problemLine(problem: PolicyProblem, folder: string, io: Io): string {
  const { paint } = io;
  const words = {
    error: paint.bad('error:'),
    warning: paint.wait('warning:'),
    info: paint.soft('note:'),
  };
  return `${placeOf(problem, folder, io)} ${words[problem.severity]} ${visibleLine(problem.message)}`;
}

/** The folder that `--files` names, or the configuration's. */
export const folderOf = (typed: string | undefined, settings: Settings, io: Io): string =>
  typed === undefined ? settings.policies : io.path(typed);
