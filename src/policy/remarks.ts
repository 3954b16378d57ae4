/**
 * What is worth telling of a set that Cedar finds valid: names that lead nowhere, people who are not there, fields that no
 * policy can read. Errors are here where a policy cannot mean what it says.
 */
import { operationOf, splitOperation } from '../core/action.ts';
import { unnarrowed } from '../core/acts.ts';
import { membersOf, type Directory } from '../core/directory.ts';
import type { GroupId } from '../core/ids.ts';
import type { Requirement } from '../core/verdict.ts';
import type { PolicyProblem, PolicyWorld } from '../ports/policy.ts';
import type { RecordType } from './input-type.ts';
import {
  approveAction,
  askedOperation,
  isActName,
  isOperationName,
  isTyped,
  type Operation,
} from './operations.ts';
import { pathsOf, readsOf } from './reads.ts';
import type { Statement } from './statement.ts';

type Say = (message: string) => void;

/** Remarks on each statement, and on operations whose names cannot be one. */
export function remarksOn(
  statements: readonly Statement[],
  operations: ReadonlyMap<string, Operation>,
  world: PolicyWorld,
): readonly PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  const untold = new Set<string>();
  for (const statement of statements) {
    const { file, line } = statement;
    const wrong: Say = (message) => problems.push({ file, line, message, severity: 'error' });
    const warn: Say = (message) => problems.push({ file, line, message, severity: 'warning' });
    const note: Say = (message) => problems.push({ file, line, message, severity: 'info' });
    onActions(statement, operations, wrong);
    for (const operation of unpinnedOf(statement, operations)) {
      const server = splitOperation(operation.name)?.target ?? '';
      if (world.tools.some((tool) => tool.server === server)) {
        warn(
          `${operation.name} is no pinned tool of its server: what this policy says of it is checked when it is`,
        );
      } else if (!untold.has(server)) {
        untold.add(server);
        // Nothing to mend: it is so before the first agent comes.
        note(
          `the server ${server} has no pinned tools yet: they are pinned when the first agent connects, and what policies say of them is checked then`,
        );
      }
    }
    const strays = Map.groupBy(
      [...new Set(statement.actions?.map(askedOperation))].filter(
        (name) => operations.get(name)?.from === 'policy' && !untold.has(name),
      ),
      (name) => splitOperation(name)?.target ?? '',
    );
    for (const [target, [first = '', ...others]] of strays) {
      for (const name of [first, ...others]) untold.add(name);
      warn(
        `${target} is no configured server, and ${first} no configured operation${others.length === 0 ? '' : ` (nor are ${others.length} more here)`}: its input is taken to be empty; configure it, or mend the name`,
      );
    }
    if (statement.requirement !== null) {
      onPeople(statement.requirement, world.directory, warn);
      onChannels(statement.requirement, world, warn);
    }
    onFields(statement, operations, { wrong, warn });
  }
  for (const { server, tool } of world.tools) {
    const name = operationOf(server, tool);
    if (!isOperationName(name)) {
      problems.push({
        file: '',
        line: 0,
        message: `the tool ${name} cannot be judged: names that end in ":input" are those of questions`,
        severity: 'warning',
      });
    }
  }
  return problems;
}

interface Says {
  readonly wrong: Say;
  readonly warn: Say;
}

function onActions(statement: Statement, operations: ReadonlyMap<string, Operation>, wrong: Say): void {
  for (const action of statement.actions ?? []) {
    if (action === approveAction) {
      if (statement.effect === 'permit')
        wrong('a permit on "approve": who may approve is said by @approvers; write a forbid to narrow it');
      if (statement.requirement !== null) wrong('@approvers on "approve": nobody approves an approval');
      if ((statement.actions?.length ?? 0) > 1) wrong('"approve" and operations in one policy: write two');
      continue;
    }
    if (isActName(action)) {
      onAct(statement, action, wrong);
      continue;
    }
    const operation = operations.get(askedOperation(action));
    if (operation === undefined)
      wrong(`Action::"${action}": an operation's name is <target>___<name>, with three underscores`);
  }
}

/** What people read and administer: operators narrow it by forbids, and that is all. */
function onAct({ effect, requirement, actions }: Statement, act: string, wrong: Say): void {
  if (effect === 'permit')
    wrong(
      `a permit on "${act}": who may do it is said by the gate's own policies (countersign policy show --roles); write a forbid to narrow it`,
    );
  else if (stopping.has(act))
    wrong(
      `a forbid on "${act}": whoever may stop an action may always stop it (rule anyone-may-stop), and rules exempt nobody`,
    );
  if (requirement !== null) wrong(`@approvers on "${act}": nobody is asked whether somebody may do it`);
  if (actions?.every(isActName) !== true)
    wrong(`"${act}" is what people do: put it and operations, or "approve", into policies of their own`);
}

const stopping: ReadonlySet<string> = unnarrowed;

function unpinnedOf(statement: Statement, operations: ReadonlyMap<string, Operation>): readonly Operation[] {
  const names = new Set(statement.actions?.map(askedOperation));
  return [...names].flatMap((name) => operations.get(name) ?? []).filter((operation) => !isTyped(operation));
}

function onPeople(requirement: Requirement, directory: Directory, warn: Say): void {
  const { approvers, quorum, escalate } = requirement;
  const members = membersOf(directory, approvers);
  if (members.length === 0) warn(nobody(approvers));
  else if (members.length < quorum)
    warn(`@quorum("${quorum}"), but only ${count(members.length)} in "${approvers}": whoever asks is denied`);
  else {
    const agents = directory.agents.filter(
      (agent) => members.filter((person) => person.id !== agent.owners[0]).length < quorum,
    );
    if (agents.length > 0) {
      const names = agents.map((agent) => agent.id).join(', ');
      warn(`without the accountable owner too few are left in "${approvers}" for ${names}: they are denied`);
    }
  }
  if (escalate !== null && membersOf(directory, escalate.group).length === 0) warn(nobody(escalate.group));
}

/** Web, command line and API are always there. */
function onChannels({ channels }: Requirement, { chats }: PolicyWorld, warn: Say): void {
  if (chats === undefined || channels === null) return;
  const missing = channels.filter((one) => (one === 'slack' || one === 'teams') && !chats.includes(one));
  if (missing.length === channels.length)
    warn(
      `@channels("${channels.join(' ')}"), but channels.${missing[0] ?? ''} is not configured: nobody could approve`,
    );
}

const nobody = (group: GroupId): string => `nobody is in the group "${group}": whoever asks is denied`;
const count = (people: number): string => (people === 1 ? '1 person is' : `${people} people are`);

/** Fields that a policy reads and that have no Cedar type. An unscoped policy reads them of operations it does not know. */
function onFields(
  statement: Statement,
  operations: ReadonlyMap<string, Operation>,
  { wrong, warn }: Says,
): void {
  const { input } = readsOf(statement.conditions);
  const say = statement.actions === null ? warn : wrong;
  const names = statement.actions?.map(askedOperation) ?? [...operations.keys()];
  for (const path of pathsOf(input)) {
    for (const name of names) {
      const operation = operations.get(name);
      const why = operation === undefined ? null : opaqueAt(operation.input, path);
      if (why !== null) say(`context.input.${path.join('.')} of ${name} cannot be read by a policy: ${why}`);
    }
  }
}

/** Why the path leads to an opaque field; null where it does not. */
function opaqueAt(type: RecordType, path: readonly string[]): string | null {
  let here = type;
  for (const step of path) {
    const field = here.fields.get(step)?.type;
    if (field === undefined) return null;
    if (field.kind === 'opaque') return field.why;
    if (field.kind !== 'record') return null;
    here = field;
  }
  return null;
}
