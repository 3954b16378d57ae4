/**
 * Who is asked about a change of who may do what, and what they are shown: the gate's own action `gate___change_config`. Its
 * verdict is made here and not by Cedar, so that a broken policy folder can be mended by approval.
 */
import type { Delegate } from '../action.ts';
import { checkJson } from '../check-json.ts';
import type { Difference, Origin } from '../config-change.ts';
import { adminsOf, agentIn, countsIn, personIn, type Change, type Directory } from '../directory.ts';
import { gateName } from '../gate.ts';
import { gateVerdict } from '../gate-operations.ts';
import { asPolicyId, type Digest, type GroupId, type PersonId } from '../ids.ts';
import { isJsonObject, type JsonObject } from '../json.ts';
import type { Profile } from '../profile.ts';
import { refuse, type Refusal } from '../refusal.ts';
import { writeJson } from '../render/json-lines.ts';
import { err, ok, type Result } from '../result.ts';
import { maskSecrets } from '../secrets.ts';
import type { Requirement, Verdict, Versions } from '../verdict.ts';

/** How pages and channels name it; the rest is core/render/config-change.ts. */
export const changeConfigProfile: Profile = {
  verb: 'Change',
  effect: 'grant',
  object: 'who may do what',
  environment: 'this gate',
  resource: { type: 'Server', id: gateName },
  reversible: true,
  consequence: 'The gate judges by this from the last approval on, for every agent and everybody.',
};

/** Time for people to answer; a weekend and a holiday are less. */
export const changeTtlMs = 7 * 24 * 3_600_000;
const changeGrantMs = 15 * 60_000;
/** How many admins are asked where the configuration says nothing. */
const adminsQuorumDefault = 2;

export type Quorum =
  /** One person is the whole organisation: nobody is asked, and the change is accepted as found. */
  | { readonly kind: 'alone' }
  | {
      readonly kind: 'ask';
      readonly group: GroupId;
      /** Distinct people; the author is none of them where they are known. */
      readonly quorum: number;
      /** Who can fill a place today. */
      readonly eligible: readonly PersonId[];
    }
  /** Nobody can accept it here; one sentence says why and what to do. */
  | { readonly kind: 'nobody'; readonly why: string };

// RULE config-change
/**
 * How many people a change needs, and who they are. `directory`: in force. `whole`: the last one that was accepted as a whole,
 * so that taking people away, which is in force at once, makes nobody alone, and lowers no quorum that the configuration names.
 */
export function quorumFor(of: {
  readonly directory: Directory;
  readonly whole: Directory;
  readonly author: PersonId | null;
  /** Who named the author. They fill no place, and their naming somebody else lowers no quorum. */
  readonly chain?: readonly Delegate[];
  readonly nowMs: number;
}): Quorum {
  const { directory, whole, author, nowMs } = of;
  if (whole.people.filter(({ active }) => active !== false).length <= 1) return { kind: 'alone' };
  const group = adminsOf(directory);
  const admins = (among: Directory): readonly PersonId[] =>
    among.people.map(({ id }) => id).filter((id) => id !== author && countsIn(among, id, group, nowMs));
  const others = admins(directory);
  // One of those who approve what was found on disk may have written it.
  const least = author === null ? 2 : 1;
  const wanted = directory.roles.adminsQuorum;
  const quorum = Math.max(
    least,
    wanted === undefined
      ? Math.min(adminsQuorumDefault, others.length)
      : Math.min(wanted, Math.max(others.length, admins(whole).length)),
  );
  const tied = new Set(chainPeople(directory, of.chain ?? []));
  const eligible = others.filter((id) => !tied.has(id));
  if (eligible.length >= quorum) return { kind: 'ask', group, quorum, eligible };
  const who =
    author === null
      ? ''
      : ` besides whoever made the change${tied.size === 0 ? '' : ' or owns what names them'}`;
  const left = eligible.length === 0 ? 'nobody is' : `only ${eligible.length} of the ${quorum} needed are`;
  return {
    kind: 'nobody',
    why: `The change waits for people of the group "${group}", and ${left} in it${who}. Whoever operates the machine can accept it: countersign config accept.`,
  };
}

/** The people behind a chain: themselves, and the owners of its agents. */
const chainPeople = (directory: Directory, chain: readonly Delegate[]): readonly PersonId[] =>
  chain.flatMap((link) => (link.kind === 'person' ? [link.id] : (agentIn(directory, link.id)?.owners ?? [])));

/**
 * The input of the action: everything that reviewers see, literally and complete. `base` and `candidate` name what is in force
 * and what was found. Refused `too_large` where it is more than 1 MiB, or than a page can show: nobody could approve it.
 */
export function actionInputOf(
  differences: readonly Difference[],
  of: { readonly base: Digest; readonly candidate: Digest; readonly origin: Origin },
): Result<JsonObject, Refusal> {
  const { author, approver, through } = of.origin;
  const checked = checkJson({
    author,
    ...(approver === undefined ? {} : { approver }),
    ...(through === undefined ? {} : { through }),
    base: of.base,
    candidate: of.candidate,
    changes: differences.map(({ what, id, before, after, tightens, says }) => ({
      what,
      id,
      says,
      inForce: tightens,
      before,
      after,
    })),
  });
  const tooLarge = refuse(
    'too_large',
    'The change is larger than can be shown whole, so nobody could approve it: make it in parts, or accept it at the machine with countersign config accept.',
    { differences: differences.length },
  );
  if (!checked.ok)
    return err(
      checked.error.code === 'too_large'
        ? tooLarge
        : refuse(checked.error.code, `The change cannot be shown: ${checked.error.detail}`, {
            pointer: checked.error.path,
          }),
    );
  const input = checked.value;
  return isJsonObject(input) && writeJson(maskSecrets(input)).whole ? ok(input) : err(tooLarge);
}

/** What the gate asks for, as a policy would. */
export const changeRequirement = ({ group, quorum }: Quorum & { readonly kind: 'ask' }): Requirement => ({
  id: asPolicyId('gate.change_config'),
  title: 'A change of who may do what is accepted by people who did not make it',
  approvers: group,
  quorum,
  ttlMs: changeTtlMs,
  grantMs: changeGrantMs,
  reasonRequired: false,
  stepUp: null,
  channels: null,
  escalate: null,
});

/** The gate's own verdict: people, always. */
export function verdictOf(of: {
  readonly quorum: Quorum & { readonly kind: 'ask' };
  readonly origin: Origin;
  readonly directory: Directory;
  readonly versions: Versions;
}): Verdict & { readonly effect: 'review' } {
  const { quorum, origin, directory, versions } = of;
  const { author } = origin;
  const who =
    author === null
      ? 'Somebody, who is not known, has changed who may do what'
      : `${personIn(directory, author)?.name ?? author} has changed who may do what`;
  return gateVerdict(
    changeRequirement(quorum),
    `${who}. What tightens is in force; all else waits for ${quorum.quorum} of ${quorum.group}.`,
    versions,
  );
}

/**
 * What the author changed, for the conflict set of the next 7 days; none where nobody is known to have made it. What only
 * tightens ties nobody: it cannot help its maker. `acceptedBy`: a reviewer who is not the author.
 */
export const changesOf = (
  differences: readonly Difference[],
  by: PersonId | null,
  acceptedBy: PersonId | null,
  nowMs: number,
): readonly Change[] => {
  if (by === null) return [];
  const touched = new Map(
    differences
      .filter(({ tightens }) => !tightens)
      .flatMap(({ touches }) => touches)
      .map((one) => [`${one.what} ${one.id}`, one]),
  );
  return [...touched.values()].map(({ what, id }) => ({ what, id, by, acceptedBy, atMs: nowMs }));
};
