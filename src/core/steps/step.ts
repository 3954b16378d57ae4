/** The table of commands: what each reads, and the pure step that decides it. */
import type { Command, Loaded, Needs, Step } from '../command.ts';
import { accept, link, signIn, signOut, token } from './admin.ts';
import { ask } from './ask.ts';
import { cancel, delivered, due } from './closing.ts';
import { done } from './common.ts';
import { claim, lost, outcome, settle } from './execution.ts';
import { review } from './review.ts';
import { acceptTool, pin } from './tools.ts';

export function needsOf(command: Command): Needs {
  switch (command.kind) {
    case 'ask':
      return { rows: 'case', by: 'joinKey', id: command.asked.joinKey };
    case 'review':
    case 'cancel':
      return { rows: 'case', by: 'approval', id: command.approval };
    case 'claim':
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
    case 'accept':
    case 'token':
    case 'link':
    case 'signOut':
    case 'record':
      return { rows: 'nothing' };
  }
}

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
