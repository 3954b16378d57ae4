/**
 * The checks of each row, from its entries alone. RULE of all of them: `passed` needs everything that it compares to be there and
 * to be readable; whatever is missing, erased, hidden or malformed makes it `unknown`, and what contradicts makes it `failed`.
 */
import { isGates } from '../gate.ts';
import { say } from '../render/shown.ts';
import { approverIsNotRequester, approverWasEligible, quorumWasMet } from './checks-people.ts';
import { isObserved, type CaseEntries, type Grounds } from './case-entries.ts';
import { found, type Found } from './found.ts';
import type { Check, CheckName } from './model-rows.ts';
import { countAt, isTold, objectAt, textAt, type Seen } from './read.ts';

/** All checks of a row, in the order of `checkNames`. */
export function checksOf(entries: CaseEntries, grounds: Grounds): readonly Check[] {
  const started = decidedBeforeStarted(entries, grounds);
  const all: Readonly<Record<CheckName, Found>> = {
    decided_before_started: started,
    decided_before_executed: decidedBeforeExecuted(entries, started),
    approver_is_not_requester: approverIsNotRequester(entries, grounds),
    approver_was_eligible: approverWasEligible(entries),
    quorum_was_met: quorumWasMet(entries),
    exactly_what_was_approved: exactlyWhatWasApproved(entries),
    policy_was_in_force: policyWasInForce(entries, grounds),
    ran_once: ranOnce(entries),
  };
  // Every name of a check is a key of `all`, by its type.
  return (Object.keys(all) as readonly CheckName[]).map((name) => ({ name, ...all[name] }));
}

function decidedBeforeStarted(entries: CaseEntries, grounds: Grounds): Found {
  const { asked, approved, opened, started } = entries;
  const [first] = started;
  if (first === undefined) return found('not_applicable', say`It did not run.`, []);
  if (!isTold(asked) || !isTold(first))
    return found('unknown', say`What the entries say is erased or hidden.`, [asked, first]);
  if (isObserved(entries))
    return found('not_applicable', say`Only observed: nothing had to be decided before it ran.`, [asked]);
  const grant = countAt(first.entry.data, 'grant');
  if (grant === null)
    return found('unknown', say`The start does not name the entry that gave its permission.`, [first]);
  const glass = textAt(asked.entry.data, 'glass');
  // Where people were asked only their approval gives it; else what policies said when it was asked.
  const gave = opened === undefined ? asked : approved;
  if (gave === undefined || gave.entry.index !== grant || grant >= first.entry.index)
    return found(
      'failed',
      say`It started at entry ${first.entry.index}, and entry ${grant}, which it names, did not permit it before.`,
      [gave, first],
    );
  if (!isTold(gave)) return found('unknown', say`The entry that permitted it is erased or hidden.`, [gave]);
  if (opened === undefined && glass === null && verdictOf(asked) !== 'allow')
    return found('failed', say`It started although policies did not allow it and nobody was asked.`, [
      asked,
      first,
    ]);
  if (glass !== null) return underGlass(glass, [asked, first], grounds);
  return found(
    'passed',
    say`Permitted by entry ${grant}, which the start at entry ${first.entry.index} names.`,
    [gave, first],
  );
}

/** What passes under break-glass was decided when that was opened. */
function underGlass(glass: string, entries: readonly [asked: Seen, started: Seen], grounds: Grounds): Found {
  const known = grounds.glassOf(glass);
  const { index } = entries[0].entry;
  if (known === null)
    return found('unknown', say`Where the break-glass ${glass} was opened is not known.`, entries);
  const open = known.openedIndex < index && (known.closedIndex === null || known.closedIndex > index);
  return open
    ? found(
        'passed',
        say`Passed under the break-glass that entry ${known.openedIndex} opened before.`,
        entries,
      )
    : found('failed', say`The break-glass ${glass} was not open when it was asked.`, entries);
}

function decidedBeforeExecuted({ asked }: CaseEntries, started: Found): Found {
  if (started.result !== 'passed') return started;
  const enforcement = textAt(asked.entry.data, 'enforcement');
  if (enforcement === 'mediated') return started;
  return found(
    'unknown',
    enforcement === 'cooperative'
      ? say`Cooperative: it was decided before the permission was taken; what the agent’s own process did before, no log of the gate can tell.`
      : say`Who ran it is not known.`,
    [asked],
  );
}

const verdictOf = ({ entry }: Seen): string | null => textAt(objectAt(entry.data, 'verdict'), 'effect');

function exactlyWhatWasApproved({ asked, reviews, approved, started }: CaseEntries): Found {
  if (approved === undefined && started.length === 0)
    return found('not_applicable', say`It was neither approved nor run.`, []);
  const approving =
    approved === undefined
      ? []
      : reviews.filter(({ entry }) => entry.index < approved.entry.index && !isDeny(entry.data));
  const named = [asked, ...approving, ...(approved === undefined ? [] : [approved]), ...started];
  if (!named.every(isTold))
    return found('unknown', say`What some of the entries say is erased or hidden.`, named);
  const digests = named.map(({ entry }) => textAt(entry.data, 'digest'));
  if (digests.includes(null) || (approved !== undefined && approving.length === 0))
    return found('unknown', say`Not every entry names a digest.`, named);
  return new Set(digests).size === 1
    ? found(
        'passed',
        approved === undefined
          ? say`The start names the digest of what was asked.`
          : say`${approving.length === 1 ? 'The approval' : 'Every approval'}${started.length === 0 ? ' names' : ' and the start name'} the digest of what was asked.`,
        named,
      )
    : found('failed', say`The entries name different digests.`, named);
}

const isDeny = (data: Seen['entry']['data']): boolean => textAt(data, 'decision') === 'deny';

function policyWasInForce({ asked }: CaseEntries, grounds: Grounds): Found {
  if (!isTold(asked)) return found('unknown', say`What was asked is erased or hidden.`, [asked]);
  const { data, index } = asked.entry;
  if (isGates(textAt(data, 'operation') ?? ''))
    return found('not_applicable', say`The gate’s own rules ask for it, whatever policies say.`, [asked]);
  const verdict = objectAt(data, 'verdict');
  const version = countAt(objectAt(verdict, 'versions'), 'policySet');
  const digest = textAt(verdict, 'policyDigest');
  const inForce = grounds.policyAt(index);
  if (version === null || inForce === null)
    return found('unknown', say`Which policies were in force is not known.`, [asked]);
  if (version !== inForce.version)
    return found('failed', say`Judged with version ${version}, while ${inForce.version} was in force.`, [
      asked,
    ]);
  if (digest === null || inForce.set === null)
    return found('unknown', say`The versions agree; a digest to compare the texts by is missing.`, [asked]);
  return digest === inForce.set
    ? found('passed', say`Judged with version ${version}, which was in force, by its digest.`, [asked])
    : found('failed', say`Judged with another text than that of version ${version}.`, [asked]);
}

function ranOnce({ started }: CaseEntries): Found {
  if (started.length === 0) return found('not_applicable', say`It did not run.`, []);
  if (started.length > 1) return found('failed', say`It started ${started.length} times.`, started);
  return started.every(isTold)
    ? found('passed', say`The log has one start of it.`, started)
    : found('unknown', say`What the start says is erased or hidden.`, started);
}
