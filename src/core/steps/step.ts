/** The table of commands: what each reads, and the pure step that decides it. A command without its row is a type error. */
import type { AskCommand, ClaimCommand, Command, ReviewCommand } from '../command.ts';
import { gateAgent } from '../gate.ts';
import type { Loaded, Needs, Step } from '../loaded.ts';
import { link, signIn, signOut } from './admin.ts';
import { ask } from './ask.ts';
import {
  clickNeeds,
  fallBack,
  fallBackNeeds,
  finishClick,
  postNeeds,
  recordClick,
  writePost,
} from './chat.ts';
import { cancel, delivered, due } from './closing.ts';
import { done } from './common.ts';
import { accept, applyChange, askChange, dropChange } from './config.ts';
import { delegate, endDelegation } from './delegations.ts';
import { answerException } from './evidence.ts';
import { claim, lost, outcome, settle } from './execution.ts';
import { askGlass } from './glass.ts';
import { endGlass, glassDue, reviewGlass } from './glass-after.ts';
import {
  begin,
  confirmPasskey,
  enrolmentNeeds,
  enrolPasskey,
  grantPasskey,
  proofNeeds,
  revokePasskey,
} from './passkeys.ts';
import { beginKey, endKey } from './log-keys.ts';
import { needsOfPeople, stepOfPeople } from './people.ts';
import { reconcile } from './reconcile.ts';
import { erase, hold, release } from './retention.ts';
import { review } from './review.ts';
import { lift, stop, use } from './stops.ts';
import { revokeToken, token } from './tokens.ts';
import { acceptTool, pin } from './tools.ts';
import { needsOfVia, told } from './via.ts';

type Kind = Command['kind'];
/** The command of a kind; written so that a row of the table and a command of the same kind fit each other. */
type Of<K extends Kind> = { [One in K]: Extract<Command, { readonly kind: One }> }[K];

interface Row<K extends Kind> {
  readonly needs: (command: Of<K>) => Needs;
  readonly step: (command: Of<K>, loaded: Loaded) => Step;
}

const nothing = (): Needs => ({ rows: 'nothing' });
const people = { needs: needsOfPeople, step: stepOfPeople };

const byAction = ({ action }: { readonly action: string }): Needs => ({
  rows: 'case',
  by: 'action',
  id: action,
});
const byApproval = ({ approval }: { readonly approval: string }): Needs => ({
  rows: 'case',
  by: 'approval',
  id: approval,
});
const byExecution = ({ execution }: { readonly execution: string }): Needs => ({
  rows: 'case',
  by: 'execution',
  id: execution,
});
const ofServer = ({ server }: { readonly server: string }): Needs => ({ rows: 'tools', server });
const ofPasskey = ({ passkey }: { readonly passkey: string }): Needs => ({
  rows: 'nothing',
  passkeys: { ids: [passkey], of: [] },
});
const logKeys = (): Needs => ({ rows: 'nothing', logKeys: true });
const theChange = (): Needs => ({ rows: 'nothing', change: true });

const table: { readonly [K in Kind]: Row<K> } = {
  // Cases.
  ask: { needs: needsOfAsk, step: (command, loaded) => told(command, ask(command, loaded)) },
  review: {
    needs: (command) => ({
      ...byApproval(command),
      ...recentNeeds(command),
      ...proofNeeds(command.proposed.proof),
    }),
    step: review,
  },
  claim: {
    needs: (command) => ({
      ...byAction(command),
      ...recentNeeds(command),
      ...needsOfVia(command.via),
      granted: true,
    }),
    step: claim,
  },
  outcome: { needs: (command) => ({ ...byExecution(command), runner: true }), step: outcome },
  cancel: { needs: byApproval, step: cancel },
  due: { needs: byAction, step: due },
  lost: { needs: (command) => ({ ...byExecution(command), runner: true }), step: lost },
  settle: { needs: byExecution, step: settle },
  delivered: { needs: byAction, step: delivered },
  record: { needs: nothing, step: ({ entries }) => ({ ...done, entries }) },

  // What is in force.
  accept: { needs: theChange, step: accept },
  askChange: { needs: theChange, step: askChange },
  dropChange: { needs: theChange, step: dropChange },
  applyChange: { needs: (command) => ({ ...byAction(command), granted: true }), step: applyChange },
  pin: { needs: ofServer, step: pin },
  acceptTool: { needs: ofServer, step: acceptTool },

  // Secrets that let somebody in or prove who they are.
  use: { needs: ({ hash }) => ({ rows: 'used', hash }), step: use },
  token: {
    needs: ({ rotateMs, principal }) =>
      rotateMs === undefined ? nothing() : { rows: 'nothing', tokens: { of: principal } },
    step: token,
  },
  revokeToken: {
    needs: (command) => ({ rows: 'nothing', tokens: { id: command.token } }),
    step: revokeToken,
  },
  begin: { needs: ({ begun }) => ({ rows: 'nothing', begunOpen: begun.kind }), step: begin },
  grantPasskey: { needs: nothing, step: grantPasskey },
  enrolPasskey: { needs: enrolmentNeeds, step: enrolPasskey },
  confirmPasskey: { needs: ofPasskey, step: confirmPasskey },
  revokePasskey: { needs: ofPasskey, step: revokePasskey },
  link: { needs: nothing, step: link },
  signIn: { needs: ({ linkHash }) => ({ rows: 'link', hash: linkHash }), step: signIn },
  signOut: { needs: nothing, step: signOut },

  // Accounts, claimed groups, sessions (people.ts).
  finish: people,
  signInWith: people,
  linkAccount: people,
  unlinkAccount: people,
  confirmAccount: people,
  sendCode: people,
  confirmMembership: people,
  dropClaims: people,
  endSessions: people,
  seenSession: people,
  seenNotes: people,

  // Copies in chats, and what is pressed there.
  writePost: { needs: postNeeds, step: writePost },
  recordClick: { needs: ({ click }) => clickNeeds(click.id), step: recordClick },
  finishClick: { needs: ({ click }) => clickNeeds(click), step: finishClick },
  fallBack: { needs: fallBackNeeds, step: fallBack },

  // Taking hold of the gate.
  stop: {
    needs: ({ approval }) => (approval === null ? nothing() : byApproval({ approval })),
    step: stop,
  },
  lift: { needs: nothing, step: lift },
  delegate: { needs: nothing, step: delegate },
  endDelegation: { needs: nothing, step: endDelegation },
  askGlass: {
    needs: ({ joinKey }) => ({
      rows: 'case',
      by: 'joinKey',
      id: joinKey,
      crowd: { agent: gateAgent, people: [] },
    }),
    step: askGlass,
  },
  beginKey: { needs: logKeys, step: beginKey },
  endKey: { needs: logKeys, step: endKey },
  answerException: { needs: nothing, step: answerException },
  reconcile: { needs: nothing, step: reconcile },
  erase: { needs: ({ scope }) => ({ rows: 'nothing', erasing: scope }), step: erase },
  hold: {
    needs: ({ hold: { action } }) => ({
      ...(action === null ? nothing() : byAction({ action })),
      holds: true,
    }),
    step: hold,
  },
  release: { needs: () => ({ rows: 'nothing', holds: true }), step: release },
  endGlass: { needs: nothing, step: endGlass },
  glassDue: { needs: nothing, step: glassDue },
  reviewGlass: { needs: nothing, step: reviewGlass },
};

const rowOf = <K extends Kind>(kind: K): Row<K> => table[kind];

export const needsOf = (command: Command): Needs => needsIn(command);
const needsIn = <K extends Kind>(command: Of<K>): Needs => rowOf<K>(command.kind).needs(command);

/** Decides one command on the rows that its transaction read. Pure: the same arguments give the same step. */
export const step = (command: Command, loaded: Loaded): Step => stepIn(command, loaded);
const stepIn = <K extends Kind>(command: Of<K>, loaded: Loaded): Step =>
  rowOf<K>(command.kind).step(command, loaded);

/** What is allowed or observed joins nothing, so no earlier case is read for it; what may be held is counted. */
function needsOfAsk({ asked, mayApprove, limits }: AskCommand): Needs {
  const { verdict, mode, action, joinKey } = asked;
  const recent = verdict.recent === null ? {} : { recent: { operation: action.operation } };
  if (mode === 'observe' || verdict.effect === 'allow') return { rows: 'nothing', ...recent };
  const earlier = { rows: 'case', by: 'joinKey', id: joinKey, ...recent } as const;
  if (verdict.effect === 'deny') return earlier;
  const approvers = mayApprove.map((row) => row.person);
  return {
    ...earlier,
    crowd: { agent: action.agent, people: approvers, openedMax: limits.creationsPerMinute },
  };
}

const recentNeeds = ({ again }: ReviewCommand | ClaimCommand): Pick<Needs, 'recent'> =>
  again.verdict.recent === null ? {} : { recent: 'of case' };
