/** The table of commands: what each reads, and the pure step that decides it. */
import type { AskCommand, ClaimCommand, Command, ReviewCommand } from '../command.ts';
import type { Loaded, Needs, Step } from '../loaded.ts';
import { accept, link, signIn, signOut, token } from './admin.ts';
import { ask } from './ask.ts';
import { cancel, delivered, due } from './closing.ts';
import { done } from './common.ts';
import { claim, lost, outcome, settle } from './execution.ts';
import { review } from './review.ts';
import { lift, stop, use } from './stops.ts';
import { acceptTool, pin } from './tools.ts';

export function needsOf(command: Command): Needs {
  switch (command.kind) {
    case 'ask':
      return needsOfAsk(command);
    case 'review':
      return { rows: 'case', by: 'approval', id: command.approval, ...recentNeeds(command) };
    case 'cancel':
      return { rows: 'case', by: 'approval', id: command.approval };
    case 'claim':
      return { rows: 'case', by: 'action', id: command.action, ...recentNeeds(command) };
    case 'stop':
      return command.approval === null
        ? { rows: 'nothing' }
        : { rows: 'case', by: 'approval', id: command.approval };
    case 'use':
      return { rows: 'used', hash: command.hash };
    case 'due':
    case 'delivered':
      return { rows: 'case', by: 'action', id: command.action };
    case 'outcome':
    case 'lost':
    case 'settle':
      return { rows: 'case', by: 'execution', id: command.execution };
    case 'pin':
    case 'acceptTool':
      return { rows: 'tools', server: command.server };
    case 'signIn':
      return { rows: 'link', hash: command.linkHash };
    case 'lift':
    case 'accept':
    case 'token':
    case 'link':
    case 'signOut':
    case 'record':
      return { rows: 'nothing' };
  }
}

/** What is allowed or observed joins nothing, so no earlier case is read for it; what may be held is counted. */
function needsOfAsk({ asked, mayApprove }: AskCommand): Needs {
  const { verdict, mode, action, joinKey } = asked;
  const recent = verdict.recent === null ? {} : { recent: { operation: action.operation } };
  if (mode === 'observe' || verdict.effect === 'allow') return { rows: 'nothing', ...recent };
  const earlier = { rows: 'case', by: 'joinKey', id: joinKey, ...recent } as const;
  if (verdict.effect === 'deny') return earlier;
  return { ...earlier, crowd: { agent: action.agent, people: mayApprove.map((row) => row.person) } };
}

const recentNeeds = ({ again }: ReviewCommand | ClaimCommand): Pick<Needs, 'recent'> =>
  again.verdict.recent === null ? {} : { recent: 'of case' };

/** Decides one command on the rows that its transaction read. Pure: the same arguments give the same step. */
export function step(command: Command, loaded: Loaded): Step {
  switch (command.kind) {
    case 'ask':
      return ask(command, loaded);
    case 'review':
      return review(command, loaded);
    case 'claim':
      return claim(command, loaded);
    case 'outcome':
      return outcome(command, loaded);
    case 'cancel':
      return cancel(command, loaded);
    case 'due':
      return due(command, loaded);
    case 'lost':
      return lost(command, loaded);
    case 'settle':
      return settle(command, loaded);
    case 'delivered':
      return delivered(command, loaded);
    case 'accept':
      return accept(command, loaded);
    case 'pin':
      return pin(command, loaded);
    case 'acceptTool':
      return acceptTool(command, loaded);
    case 'stop':
      return stop(command, loaded);
    case 'lift':
      return lift(command, loaded);
    case 'use':
      return use(command, loaded);
    case 'token':
      return token(command);
    case 'link':
      return link(command);
    case 'signIn':
      return signIn(command, loaded);
    case 'signOut':
      return signOut(command);
    case 'record':
      return { ...done, entries: command.entries };
  }
}
