/**
 * An action as a part of a sentence: "crm-bot’s export of 5,204 rows from customers". Made from the headline (headline.ts), so
 * secrets are masked, nothing is the agent's prose, and a case without its input (core/sight.ts) says no more than its operation.
 */
import type { Action } from '../action.ts';
import { isConfigChange } from './config-change.ts';
import { countOf, headlineOf, objectOf } from './headline.ts';
import type { Titled } from './read.ts';
import { grouped, line, say, short, type Shown } from './shown.ts';

export interface ActionWords {
  /** "crm-bot’s export of 5,204 rows from customers". */
  readonly owned: Shown;
  /** "an export of 5,204 rows from customers": where its agent stands in the sentence already. */
  readonly plain: Shown;
}

/**
 * What a verb of a profile is called as a thing. A verb is the operator's, so most are none of these; those are quoted as they
 * stand, which is right whatever they are.
 */
const nouns: Readonly<Record<string, string>> = {
  add: 'addition',
  apply: 'application',
  change: 'change',
  charge: 'charge',
  copy: 'copy',
  create: 'creation',
  delete: 'deletion',
  deploy: 'deployment',
  destroy: 'destruction',
  disable: 'disabling',
  download: 'download',
  edit: 'edit',
  enable: 'enabling',
  export: 'export',
  grant: 'grant',
  import: 'import',
  insert: 'insertion',
  list: 'listing',
  merge: 'merge',
  move: 'move',
  pay: 'payment',
  publish: 'publication',
  purge: 'purge',
  query: 'query',
  read: 'read',
  refund: 'refund',
  remove: 'removal',
  rename: 'renaming',
  replace: 'replacement',
  restart: 'restart',
  restore: 'restoration',
  revoke: 'revocation',
  rotate: 'rotation',
  run: 'run',
  scale: 'scaling',
  search: 'search',
  send: 'sending',
  start: 'start',
  stop: 'stop',
  transfer: 'transfer',
  update: 'update',
  upload: 'upload',
  write: 'write',
};

const verbCharsMax = 40;
const agentCharsMax = 80;

/** An action that can be read. */
export function actionWords(asked: Titled): ActionWords {
  const { action } = asked;
  if (isConfigChange(action)) {
    const what = say`the change of the configuration “${headlineOf(asked).what}”`;
    return { owned: what, plain: what };
  }
  const thing = thingOf(asked);
  return { owned: say`${agentWords(action)}’s ${thing}`, plain: say`${article(thing)} ${thing}` };
}

/** Of an action nothing is known but its id, or where the entry says it, its operation. */
export const unknownAction = (id: string | null, operation: string | undefined): ActionWords => {
  const what =
    operation !== undefined
      ? say`a run of ${short(operation, 120)}`
      : id === null
        ? line('an action')
        : say`the action ${id}`;
  return { owned: what, plain: what };
};

const agentWords = ({ agent }: Pick<Action, 'agent'>): Shown => short(agent, agentCharsMax);

const article = (thing: string): string => (/^[aeio]/i.test(thing) ? 'an' : 'a');

/** "export of 5,204 rows from customers". */
function thingOf(asked: Titled): Shown {
  const { what } = headlineOf(asked);
  const { profile } = asked;
  // "Delete region" is a deletion of a region. A verb that is very long was cut in the headline.
  const verb = profile === null ? 'Run' : short(profile.verb, verbCharsMax);
  const [first = ''] = verb.split(' ');
  const noun = Object.hasOwn(nouns, first.toLowerCase()) ? nouns[first.toLowerCase()] : undefined;
  if (noun === undefined || !what.startsWith(verb)) return say`action “${what}”`;
  const count = profile === null || asked.veiled === true ? null : countOf(asked);
  if (profile?.effect === 'export' && count !== null && first === verb) {
    const many = count.value === undefined ? 'an unknown number of' : grouped(count.value);
    return say`${noun} of ${many} ${count.unit} from ${objectOf(asked, profile)}`;
  }
  const rest = what.slice(first.length).replace(/^:?\s*/, '');
  return rest === '' ? line(noun) : say`${noun} of ${rest}`;
}
