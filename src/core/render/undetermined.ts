/**
 * What the gate could not determine, said before anything else that a reviewer could lean on. Silence about a fact must
 * mean that it is known.
 */
import { isGateAction } from '../gate-operations.ts';
import type { Asked, Seen } from '../case.ts';
import { fill } from '../profile.ts';
import { maskText } from '../secrets.ts';
import { countOf } from './headline.ts';
import { line, say, short, type Shown } from './shown.ts';

export interface Unknown {
  readonly what: Shown;
  readonly why: Shown;
}

export function undeterminedOf(asked: Asked): readonly Unknown[] {
  if (asked.erased !== undefined) return [gone(asked.erased)];
  if (asked.veiled === true) return [notYours];
  // The gate wrote all of what it asks for itself; there is no tool to know too little of.
  if (isGateAction(asked.action)) return [];
  const found = asked.profile === null ? [noProfile] : [...profileGaps(asked), ...lookGaps(asked)];
  return [...found, ...resourceGaps(asked), ...outcomeGaps(asked)];
}

/** Nothing is known to this reader of what it holds, so that no silence can mean anything. */
const notYours: Unknown = {
  what: line('What it holds'),
  why: line(
    'That is for its approvers, the owners of the agent and auditors to see. You may stop it by what stands here.',
  ),
};

/** What is left says who asked, who decided and how it ended. */
const gone = (entry: number): Unknown => ({
  what: line('What it held'),
  why: say`It was erased; entry ${String(entry)} of the log says why. The digest still names exactly this action.`,
});

const noProfile: Unknown = {
  what: line('What this does'),
  why: line(
    'The operator has given this tool no profile: effect, environment, consequence and whether it can be undone are not known. Judge it by the exact action alone.',
  ),
};

function profileGaps({ profile }: Asked): readonly Unknown[] {
  return [
    ...(profile?.reversible === undefined
      ? [{ what: line('Whether it can be undone'), why: line('The tool’s profile does not say.') }]
      : []),
    ...(profile?.environment === undefined && profile?.effect !== 'read'
      ? [{ what: line('Which environment it touches'), why: line('The tool’s profile names none.') }]
      : []),
  ];
}

function lookGaps(asked: Asked): readonly Unknown[] {
  const { profile, preview, before } = asked;
  const broad = profile?.effect === 'export' || profile?.effect === 'delete';
  const measured =
    profile?.preview === undefined
      ? broad
        ? [
            {
              what: line('How much it affects'),
              why: line('No preview is configured, so nothing was measured.'),
            },
          ]
        : []
      : gapOf('How much it affects', preview);
  const count = countOf(asked);
  const uncounted =
    preview?.answer.ok === true && count !== null && count.value === undefined
      ? [{ what: say`The number of ${count.unit}`, why: line('The preview’s answer has no such number.') }]
      : [];
  return [
    ...measured,
    ...uncounted,
    ...(profile?.before === undefined ? [] : gapOf('What is there today', before)),
  ];
}

/** A configured look that answered nothing. */
function gapOf(what: string, seen: Seen | null): readonly Unknown[] {
  if (seen === null) return [{ what: line(what), why: line('The preview was not taken.') }];
  return seen.answer.ok
    ? []
    : [
        {
          what: line(what),
          why: say`${short(seen.tool, 80)} failed: ${short(maskText(seen.answer.detail), 200)}`,
        },
      ];
}

function resourceGaps({ action, profile }: Asked): readonly Unknown[] {
  const { resource } = action;
  if (profile?.resource === undefined) {
    if (resource.type === 'Server')
      return [
        { what: line('Which resource it is about'), why: say`Policies saw only the server ${resource.id}.` },
      ];
    return [
      {
        what: line('Which resource it is about'),
        why: say`${resource.type} ${short(maskText(resource.id), 120)} is claimed by the agent; no profile confirms it.`,
      },
    ];
  }
  const id = fill(profile.resource.id, action.input);
  return typeof id === 'string' || typeof id === 'number'
    ? []
    : [
        {
          what: line('Which resource it is about'),
          why: say`The input has no ${profile.resource.id}, so policies saw only the server ${resource.id}.`,
        },
      ];
}

/** What the agent alone will report, the gate cannot know. */
const outcomeGaps = ({ action }: Asked): readonly Unknown[] =>
  action.enforcement === 'mediated'
    ? []
    : [
        {
          what: line('Whether this is what runs'),
          why: line(
            'The agent’s own process runs it and reports the outcome (cooperative); the gate does not see it run.',
          ),
        },
      ];
