/**
 * What was displayed, as one hash: everything on an approval's page that says what would be approved, for whom and why. Who
 * signs an approval signs this hash as well, and the gate makes it again when the signature arrives: what has changed since
 * is looked at anew.
 *
 * Left out is what moves while a person reads (what is new, how far it is, who else may approve) and the reader's own place.
 */
import { canonicalize } from '../canonical.ts';
import { requirementsOf, type Case } from '../case.ts';
import type { Directory } from '../directory.ts';
import { asSha256Hex, type Sha256Hex } from '../ids.ts';
import type { JsonValue } from '../json.ts';
import { maskText } from '../secrets.ts';
import { sha256Hex } from '../sha256.ts';
import { exactOf } from './exact.ts';
import { headlineOf } from './headline.ts';
import { looksOf } from './look.ts';
import { forWhomOf, specialOf, whyOf, type Presentation } from './present.ts';
import { line, lines, short } from './shown.ts';
import { undeterminedOf } from './undetermined.ts';

/** The parts of a presentation that a signature is over. */
export const displayedParts = [
  'approvalId',
  'headline',
  'reversible',
  'consequence',
  'undetermined',
  'why',
  'forWhom',
  'special',
  'exact',
  'looks',
  'agentsReason',
] as const satisfies readonly (keyof Presentation)[];

type Displayed = Pick<Presentation, (typeof displayedParts)[number]>;

/** The same values as core/render/present.ts gives. */
export function displayedOf(held: Case, directory: Directory): Displayed {
  const { asked, approval } = held;
  const { reason } = asked.action;
  return {
    approvalId: approval === null ? null : line(approval.id),
    headline: headlineOf(asked),
    reversible: asked.profile?.reversible ?? null,
    consequence: asked.profile?.consequence === undefined ? null : short(asked.profile.consequence, 300),
    undetermined: undeterminedOf(asked),
    why: whyOf(held),
    forWhom: forWhomOf(held, { directory }),
    special: specialOf(held, { directory }),
    exact: exactOf(asked),
    looks: looksOf(asked),
    agentsReason: reason === null || reason.trim() === '' ? null : lines(maskText(reason)),
  };
}

/** RFC 8785 text of what is displayed, with what each policy asks of people. */
export function displayText(held: Case, directory: Directory): string {
  const asks = requirementsOf(held).map((one) => ({
    id: one.id,
    approvers: one.approvers,
    quorum: one.quorum,
    reason: one.reasonRequired,
    passkey: one.stepUp !== null,
    channels: one.channels,
  }));
  // Presentations are plain data; the round trip leaves out what is undefined.
  const plain = JSON.parse(JSON.stringify({ v: 1, asks, ...displayedOf(held, directory) })) as JsonValue;
  return canonicalize(plain);
}

/** SHA-256 of that text. */
export const displayHash = (held: Case, directory: Directory): Sha256Hex =>
  asSha256Hex(sha256Hex(displayText(held, directory)));
