/**
 * A policy's annotations: what people are told, and what a requirement asks for (design §5). `@approvers` makes a forbid a
 * requirement; the annotations of a requirement mean nothing elsewhere, and so are errors there: a policy that looks
 * as if it asked people shall ask people.
 */
import type { Channel } from '../core/case.ts';
import { asGroupId, asPolicyId } from '../core/ids.ts';
import { isoDurationMs } from '../core/time.ts';
import { requirementDefaults, type Escalation, type Requirement } from '../core/verdict.ts';

export interface Annotated {
  readonly id: string;
  readonly title: string;
  readonly titled: boolean;
  /** `@tell_agent`: false without it, true where it has no text of its own. */
  readonly tellAgent: string | boolean;
  readonly requirement: Requirement | null;
}

export interface Remark {
  readonly message: string;
  readonly severity: 'error' | 'warning';
}

/** An id stands inside a Cedar string and in URLs, so it is plain. */
const plainId = /^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,127}$/;

const channelNames: ReadonlySet<string> = new Set<Channel>(['web', 'cli', 'api', 'slack', 'teams']);
const quorumMax = 50;

/** Annotations that only a requirement has. */
const ofRequirement = ['quorum', 'ttl', 'grant', 'reason', 'step_up', 'channels', 'escalate'] as const;
const known: ReadonlySet<string> = new Set(['id', 'title', 'tell_agent', 'approvers', ...ofRequirement]);

type Given = ReadonlyMap<string, string>;
type Say = (message: string) => void;

/** Reads a policy's annotations; where a remark is an error, `annotated` is null. */
export function readAnnotations(
  annotations: Readonly<Record<string, string | null>>,
  effect: 'permit' | 'forbid',
): { readonly annotated: Annotated | null; readonly remarks: readonly Remark[] } {
  const remarks: Remark[] = [];
  const wrong: Say = (message) => remarks.push({ message, severity: 'error' });
  // `@flag` without a value is null in Cedar's JSON.
  const given: Given = new Map(Object.entries(annotations).map(([name, value]) => [name, value ?? '']));
  for (const name of given.keys()) {
    if (!known.has(name))
      remarks.push({ message: `@${name} means nothing here: is it misspelt?`, severity: 'warning' });
  }
  const id = given.get('id');
  if (id === undefined) wrong('a policy needs an @id("…")');
  else if (!plainId.test(id)) wrong(`@id("${id}") may have only letters, digits and _ . : / - (128 at most)`);
  const title = given.get('title');
  if (title?.trim() === '') wrong('@title is empty');
  const tell = given.get('tell_agent');
  const names = { id: id ?? '', title: title ?? id ?? '' };
  const requirement = requirementOf(given, { effect, ...names }, wrong);
  if (remarks.some((remark) => remark.severity === 'error')) return { annotated: null, remarks };
  return {
    annotated: {
      ...names,
      titled: title !== undefined,
      tellAgent: tell === undefined ? false : tell === '' || tell,
      requirement,
    },
    remarks,
  };
}

function requirementOf(
  given: Given,
  policy: { readonly effect: 'permit' | 'forbid'; readonly id: string; readonly title: string },
  wrong: Say,
): Requirement | null {
  const approvers = given.get('approvers');
  if (approvers === undefined) {
    for (const name of ofRequirement) if (given.has(name)) wrong(`@${name} means nothing without @approvers`);
    return null;
  }
  if (policy.effect === 'permit') {
    wrong(
      '@approvers on a permit: only a forbid can be lifted by people, so write a forbid beside the permit',
    );
    return null;
  }
  if (approvers.trim() === '' || /\s/.test(approvers))
    wrong('@approvers names one group: @approvers("data-owners")');
  return {
    id: asPolicyId(policy.id),
    title: policy.title,
    approvers: asGroupId(approvers),
    quorum: quorumOf(given, wrong),
    ttlMs: durationOf(given, 'ttl', wrong) ?? requirementDefaults.ttlMs,
    grantMs: durationOf(given, 'grant', wrong) ?? requirementDefaults.grantMs,
    reasonRequired: flagOf(given, ['reason', 'required'], wrong),
    stepUp: flagOf(given, ['step_up', 'passkey'], wrong) ? 'passkey' : null,
    channels: channelsOf(given, wrong),
    escalate: escalationOf(given, wrong),
  };
}

function quorumOf(given: Given, wrong: Say): number {
  const text = given.get('quorum');
  if (text === undefined) return requirementDefaults.quorum;
  const quorum = /^[1-9]\d?$/.test(text) ? Number(text) : 0;
  if (quorum < 1 || quorum > quorumMax)
    wrong(`@quorum("${text}") is no number of people from 1 to ${quorumMax}`);
  return quorum;
}

function durationOf(given: Given, name: 'ttl' | 'grant', wrong: Say): number | undefined {
  const text = given.get(name);
  if (text === undefined) return undefined;
  const ms = isoDurationMs(text);
  if (ms === undefined) wrong(`@${name}("${text}") is no ISO 8601 duration such as PT4H or PT15M`);
  return ms;
}

function flagOf(given: Given, [name, value]: readonly [name: string, value: string], wrong: Say): boolean {
  const text = given.get(name);
  if (text !== undefined && text !== value) wrong(`@${name} can only be @${name}("${value}")`);
  return text === value;
}

function channelsOf(given: Given, wrong: Say): readonly string[] | null {
  const text = given.get('channels');
  if (text === undefined) return null;
  const names = text.split(/\s+/).filter((name) => name !== '');
  if (names.length === 0) wrong('@channels names no channel: nobody could decide');
  for (const name of names) {
    if (!channelNames.has(name)) wrong(`@channels: "${name}" is none of ${[...channelNames].join(', ')}`);
  }
  return [...new Set(names)];
}

function escalationOf(given: Given, wrong: Say): Escalation | null {
  const text = given.get('escalate');
  if (text === undefined) return null;
  const [after = '', group = '', ...more] = text.trim().split(/\s+/);
  const afterMs = isoDurationMs(after);
  if (afterMs === undefined || group === '' || more.length > 0) {
    wrong(`@escalate("${text}") is no duration and group such as @escalate("PT10M oncall-leads")`);
    return null;
  }
  return { afterMs, group: asGroupId(group) };
}
