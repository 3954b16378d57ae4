/**
 * The headline of an action: verb, object, environment. Made from the profile, the measured preview and the input; nothing
 * in it is the agent's prose. Pages, channels and terminals all use this one.
 */
import { splitOperation } from '../action.ts';
import { isJsonArray, type JsonValue } from '../json.ts';
import { atPath, fill, type Profile } from '../profile.ts';
import { maskText } from '../secrets.ts';
import { configHeadline, isConfigChange } from './config-change.ts';
import { grantOf } from './privilege.ts';
import { answerOf, brief, inputOf, type Titled } from './read.ts';
import { grouped, line, say, short, type Shown } from './shown.ts';

export interface Headline {
  /** "Export 5,204 rows of customers · prod". */
  readonly text: Shown;
  /** The same without the environment. */
  readonly what: Shown;
  /** Null where no profile says it. */
  readonly environment: Shown | null;
}

/** Longest object and verb in a headline; the exact action shows the rest. */
const objectCharsMax = 80;
const verbCharsMax = 40;

export function headlineOf(asked: Titled): Headline {
  const { profile } = asked;
  if (asked.veiled !== true && isConfigChange(asked.action)) {
    const what = configHeadline(asked.action);
    return { text: what, what, environment: null };
  }
  if (profile === null) {
    // Nothing is assumed of a tool that nobody described: its name is all there is.
    const what = say`Run ${operationWords(asked.action.operation)}`;
    return { text: what, what, environment: null };
  }
  const what = whatOf(asked, profile);
  const environment = profile.environment === undefined ? null : short(profile.environment, verbCharsMax);
  return { text: environment === null ? what : say`${what} · ${environment}`, what, environment };
}

function whatOf(asked: Titled, profile: Profile): Shown {
  const verb = short(profile.verb, verbCharsMax);
  // What it is done to, and how much of it, is the input's to say.
  if (asked.veiled === true) return say`${verb}: ${operationWords(asked.action.operation)}`;
  const grant =
    profile.effect === 'grant' && profile.object === undefined ? grantOf(inputOf(asked)) : undefined;
  if (grant?.grantee !== undefined && grant.role !== undefined) {
    const scope =
      grant.scope === undefined || grant.scope === profile.environment ? '' : ` on ${short(grant.scope, 60)}`;
    return say`${verb} ${short(grant.role, 60)}${scope} to ${short(grant.grantee, 60)}`;
  }
  const object = objectOf(asked, profile);
  const count = countOf(asked);
  if (count === null) return say`${verb} ${object}`;
  const number = count.value === undefined ? 'an unknown number of' : grouped(count.value);
  return say`${verb} ${number} ${count.unit} of ${object}`;
}

/** The number that the profile's preview measures, and what it counts; null where it measures none. */
export function countOf(
  asked: Pick<Titled, 'profile' | 'preview'>,
): { readonly value: number | undefined; readonly unit: Shown } | null {
  const path = asked.profile?.preview?.count;
  if (path === undefined) return null;
  const answer = answerOf(asked.preview);
  const found = answer === undefined ? undefined : atPath(answer, path);
  const value = isJsonArray(found) ? found.length : found;
  return {
    value: typeof value === 'number' ? value : undefined,
    unit: short(path.split('.').at(-1) ?? path, verbCharsMax),
  };
}

/** What it is done to: "customers". Not for a reader who may not see what the action holds. */
export function objectOf(asked: Pick<Titled, 'action'>, profile: Profile): Shown {
  const said: JsonValue | undefined =
    profile.object === undefined ? undefined : fill(profile.object, inputOf(asked));
  if (said !== undefined && said !== null) return brief(said, objectCharsMax);
  const { resource, operation } = asked.action;
  return resource.type === 'Server'
    ? operationWords(operation)
    : short(maskText(resource.id), objectCharsMax);
}

/** "export_rows of crm": the two halves of an operation's name. */
function operationWords(operation: string): Shown {
  const halves = splitOperation(operation);
  return halves === undefined
    ? short(operation, objectCharsMax)
    : line(`${short(halves.name, objectCharsMax)} of ${short(halves.target, objectCharsMax)}`);
}
