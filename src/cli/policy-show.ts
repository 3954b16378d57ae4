/**
 * `policy show --roles`: who reads and administers. The policies that ship, just as they are evaluated, and after them what the
 * set of the files forbids on the same actions. Whether it could be loaded is for `policy check` to say.
 */
import { createPolicyEngine } from '../policy/engine.ts';
import { isOnRoles } from '../policy/roles.ts';
import type { LivePolicy } from '../ports/policy.ts';
import { Failure, type Args } from './command.ts';
import { settingsOf } from './files.ts';
import type { Io } from './io.ts';
import { jsonText } from './json-text.ts';
import { folderOf, textsOf, withAccepted, worldOf } from './policy-world.ts';

export async function showRoles(args: Args, io: Io): Promise<number> {
  const settings = await settingsOf(args, io, 'ignored');
  const texts = await textsOf(folderOf(args.values['files'], settings, io));
  const engine = createPolicyEngine({ timezone: settings.timezone });
  const loaded = await withAccepted(settings, io, (accepted) =>
    engine.load(texts, worldOf(settings, accepted), null),
  );
  if (!loaded.ok) throw new Failure(`These policies are not usable: ${io.command('policy check')} says why.`);
  const narrowed = engine.policies().filter(isOnRoles);
  if (args.switches.has('json')) {
    const view = ({ id, title, effect, file, line, text }: LivePolicy) => ({
      id,
      title,
      effect,
      file,
      line,
      text,
    });
    io.out(jsonText({ defaults: engine.roles().map(view), narrowedBy: narrowed.map(view) }));
    return 0;
  }
  for (const one of engine.roles()) io.out(`${one.text}\n`);
  for (const one of narrowed) io.out(`// ${io.typed(one.file)}:${one.line}\n${one.text}\n`);
  io.say(
    narrowed.length === 0
      ? 'Nothing narrows them. A forbid on one of these actions does, such as in examples/policies/roles.cedar.'
      : `${narrowed.length} ${narrowed.length === 1 ? 'policy narrows' : 'policies narrow'} them.`,
  );
  return 0;
}
