/** The table of the commands about people: what each reads, and its step. */
import type { PeopleCommand } from '../command-people.ts';
import type { Loaded, Needs, Step } from '../loaded.ts';
import { accountNeeds } from './account-rows.ts';
import { confirmAccount, linkAccount, signInWith, unlinkAccount } from './accounts.ts';
import { codeNeeds, sendCode } from './chat-codes.ts';
import { confirmMembership, dropClaims } from './claims.ts';
import { endSessions, finish, seenNotes, seenSession } from './sessions.ts';

export function needsOfPeople(command: PeopleCommand): Needs {
  switch (command.kind) {
    case 'finish':
      return { rows: 'nothing', begun: [command.hash] };
    case 'signInWith':
      return accountNeeds(command.account, [], { email: command.email, also: command.also ?? [] });
    case 'linkAccount': {
      const { code, link } = command;
      const begun = [...(code === null ? [] : [code]), ...(link === undefined ? [] : [link])];
      return {
        ...accountNeeds(command.account, [command.person]),
        ...(begun.length === 0 ? {} : { begun }),
      };
    }
    case 'unlinkAccount':
    case 'confirmAccount':
      return accountNeeds(command.account);
    case 'sendCode':
      return codeNeeds(command);
    case 'confirmMembership':
      return accountNeeds(null, [command.person]);
    case 'dropClaims':
      return { rows: 'nothing', memberships: 'all' };
    case 'endSessions':
      return { rows: 'nothing', sessions: command.person };
    case 'seenSession':
    case 'seenNotes':
      return { rows: 'nothing' };
  }
}

export function stepOfPeople(command: PeopleCommand, loaded: Loaded): Step {
  switch (command.kind) {
    case 'finish':
      return finish(command, loaded);
    case 'signInWith':
      return signInWith(command, loaded);
    case 'linkAccount':
      return linkAccount(command, loaded);
    case 'unlinkAccount':
      return unlinkAccount(command, loaded);
    case 'confirmAccount':
      return confirmAccount(command, loaded);
    case 'sendCode':
      return sendCode(command, loaded);
    case 'confirmMembership':
      return confirmMembership(command, loaded);
    case 'dropClaims':
      return dropClaims(command, loaded);
    case 'endSessions':
      return endSessions(command, loaded);
    case 'seenSession':
      return seenSession(command);
    case 'seenNotes':
      return seenNotes(command);
  }
}
