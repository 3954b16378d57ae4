/**
 * `policy check|explain|show`: what is wrong with policies before anybody is denied because of it, why an action is allowed, held or
 * denied, and who reads and administers. All judge with the files as they are now; nothing is put in force, and nothing is recorded.
 */
import { createPolicyEngine } from '../policy/engine.ts';
import type { PolicyProblem } from '../ports/policy.ts';
import { UsageError, wordsOf, type Args, type Command } from './command.ts';
import { configOption, settingsOf } from './files.ts';
import type { Io } from './io.ts';
import { jsonText } from './json-text.ts';
import { explain } from './policy-explain.ts';
import { showRoles } from './policy-show.ts';
import { filesOption, folderOf, problemLine, textsOf, withAccepted, worldOf } from './policy-world.ts';

export const policyCommand: Command = {
  name: 'policy',
  summary: 'Checks policies, and explains what they say of an action.',
  usage: [
    'policy check [--config FILE] [--files DIR] [--strict] [--json]',
    'policy explain FILE|ID|- [--config FILE] [--files DIR] [--at TIME] [--json]',
    'policy show --roles [--config FILE] [--files DIR] [--json]',
  ],
  options: {
    config: configOption,
    files: filesOption,
    strict: { help: 'check: warnings fail too' },
    at: { value: 'TIME', help: 'explain: judges as if it were then, such as 2026-11-22T09:00:00Z' },
    roles: { help: 'show: who reads and administers, by default and as the policies narrow it' },
    json: { help: 'prints JSON' },
  },
  details: [
    'check prints every error and warning with its file and line. It ends with 1 where there is an error, with --strict also where',
    'there is a warning.',
    '',
    'explain takes a recorded action (an id act_… or apr_… of the configuration’s store, or what GET /v1/actions/ID and',
    '`approvals show ID --json` print), or one written by hand: {"agent": "…", "operation": "target___name", "input": {…}}, with',
    '"resource": {"type", "id"} where it is not the server, and "recent" where counts are to be supposed.',
    '',
    'show --roles prints the policies that ship with the gate, as Cedar, and below them the forbids that narrow them.',
    'explain reads the store itself: whoever may run it at the machine may read what is in it (docs/roles.md).',
  ],
  run: async (args, io) => {
    const [what, ...rest] = args.words;
    switch (what) {
      case 'check':
        wordsOf({ ...args, words: rest }, []);
        refuse(args, 'at', 'check');
        return check(args, io);
      case 'explain': {
        const [word = ''] = wordsOf({ ...args, words: rest }, ['FILE, ID or -']);
        if (args.switches.has('strict')) throw new UsageError('--strict belongs to policy check.');
        return explain(word, args, io);
      }
      case 'show':
        wordsOf({ ...args, words: rest }, []);
        refuse(args, 'at', 'show');
        if (!args.switches.has('roles')) throw new UsageError('Say what to show: policy show --roles.');
        return showRoles(args, io);
      case undefined:
        throw new UsageError('Say what to do: check, explain or show.');
      default:
        throw new UsageError(`“${what}” cannot be done with policies; say check, explain or show.`);
    }
  },
};

function refuse(args: Args, option: string, what: string): void {
  if (args.values[option] !== undefined)
    throw new UsageError(`--${option} does not belong to policy ${what}.`);
}

async function check(args: Args, io: Io): Promise<number> {
  const settings = await settingsOf(args, io, 'ignored');
  const folder = folderOf(args.values['files'], settings, io);
  const texts = await textsOf(folder);
  const engine = createPolicyEngine({ timezone: settings.timezone });
  const { ok, problems } = await withAccepted(settings, io, (accepted) =>
    engine.check(texts, worldOf(settings, accepted)),
  );
  const failed = !ok || (args.switches.has('strict') && problems.some((one) => one.severity === 'warning'));
  if (args.switches.has('json')) io.out(jsonText({ ok: !failed, problems }));
  else {
    for (const one of inOrder(problems)) io.out(problemLine(one, folder, io));
    io.say(summary(problems, texts.policies.length, failed, io));
  }
  return failed ? 1 : 0;
}

const ranks = { error: 0, warning: 1, info: 2 } as const;

/** What stops the gate first; then as in the files. */
const inOrder = (problems: readonly PolicyProblem[]): readonly PolicyProblem[] =>
  problems.toSorted(
    (a, b) =>
      ranks[a.severity] - ranks[b.severity] || (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line),
  );

function summary(problems: readonly PolicyProblem[], files: number, failed: boolean, io: Io): string {
  const count = (severity: PolicyProblem['severity'], word: string): string => {
    const some = problems.filter((one) => one.severity === severity).length;
    return some === 0 ? '' : `, ${some} ${word}${some === 1 ? '' : 's'}`;
  };
  const told = `${files} policy file${files === 1 ? '' : 's'}${count('error', 'error')}${count('warning', 'warning')}`;
  if (problems.some((one) => one.severity === 'error'))
    return `${io.paintErr.bad('not usable:')} ${told}. A gate with these would deny everything.`;
  return failed ? `${io.paintErr.bad('not clean:')} ${told}.` : `${io.paintErr.good('usable:')} ${told}.`;
}
