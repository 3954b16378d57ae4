/**
 * Who could accept a change of who may do what, in words for whoever runs the gate. Promise: nobody finds out by needing it that
 * they are alone, or that nobody is left; it is said at start, and whenever it comes to be so.
 */
import { quorumFor } from '../core/config-change/asking.ts';
import { adminsOf, countsIn, isAdmin, isOperator, type Directory } from '../core/directory.ts';
import { mayReadGate } from '../core/reads.ts';

/** What is to be said; null where enough people could accept a change. @param of as core/config-change/asking.ts takes it. */
export function whoAcceptsText(of: {
  readonly directory: Directory;
  readonly whole: Directory;
  readonly nowMs: number;
}): string | null {
  const { directory, nowMs } = of;
  const active = directory.people.filter((one) => one.active !== false);
  const quorum = quorumFor({ ...of, author: null });
  switch (quorum.kind) {
    case 'ask':
      return null;
    case 'alone':
      return aloneText(directory);
    case 'nobody': {
      const group = adminsOf(directory);
      const admins = active.filter((one) => countsIn(directory, one.id, group, nowMs));
      const [only] = admins;
      // Whoever stands for a change must be able to read it.
      const proposers = active.filter(({ id }) => isAdmin(directory, id) || mayReadGate(directory, id));
      const proposed = proposers.some((one) => quorumFor({ ...of, author: one.id }).kind === 'ask');
      const who =
        only === undefined
          ? `nobody in the group "${group}" (roles.admins) could accept it`
          : admins.length > 1
            ? `only ${admins.length} people in the group "${group}" (roles.admins) could accept it`
            : proposed
              ? `${only.name} is alone in the group "${group}" (roles.admins), and could accept only what somebody else stands for (countersign config propose)`
              : `${only.name} is alone in the group "${group}" (roles.admins), which is not enough`;
      return `warning: A change of who may do what would wait for people, and ${who}. Otherwise it is in force with "countersign config accept" at this machine alone.`;
    }
  }
}

/** Nothing about agents that the one person neither owns nor could let go on. */
function aloneText(directory: Directory): string | null {
  const [only, ...more] = directory.people.filter((one) => one.active !== false);
  if (only === undefined || more.length > 0) return null;
  const stuck = directory.agents.some(
    (one) => one.owners.includes(only.id) || !isOperator(directory, only.id),
  );
  const agents = stuck
    ? ' Nobody can approve what an agent of theirs asks, open break-glass, or let it go on once it is stopped: that takes a second person.'
    : '';
  return `${only.name} is the only person here, so what these files say is in force as it is found, and recorded.${agents}`;
}
