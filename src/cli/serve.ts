/** `serve`: runs the gate until a signal. Stdout gets exactly one line, `listening on URL`, when everything is ready. */
import { readSettings, type Settings } from '../config.ts';
import { originOf, startGate, type RunningGate } from '../main.ts';
import { Failure, wordsOf, type Command } from './command.ts';
import { configOption, configWords, portOf, settingsOf } from './files.ts';
import { untilSignal, type Io } from './io.ts';

export const serveCommand: Command = {
  name: 'serve',
  summary: 'Runs the gate.',
  usage: ['serve [--config FILE] [--port N]'],
  options: {
    config: configOption,
    port: { value: 'N', help: 'listens on this port instead of the configured one; 0: any free one' },
  },
  details: [
    'Prints one line `listening on URL` to stdout when it is ready; all else goes to stderr. Changes of the policies, and of',
    'people, groups, agents, servers and operations in the configuration, are in force within two seconds where they only tighten;',
    'the rest waits for people (countersign config --help).',
    '',
    'Ctrl-C or SIGTERM stops it: it is no longer ready, hands over whoever waits, and waits for what runs (`shutdown` in the',
    'configuration); a second one ends it at once. Exit codes: 0 stopped; 3 stopped, with runs cut off; 1 it could not start or',
    'stop; 130, 143, 129 ended at once by a second Ctrl-C, SIGTERM, hang-up.',
  ],
  run: async (args, io) => {
    wordsOf(args, []);
    const typed = args.values['port'];
    const port = typed === undefined ? undefined : portOf(typed);
    const settings = withPort(await settingsOf(args, io, 'required'), port);
    const ending = untilSignal();
    const starting = startGate(settings, {
      reload: () => readSettings(settings.file, { env: io.env, label: io.typed(settings.file) }),
      say: (line) => io.say(line),
      colours: io.paintErr.strong('x') !== 'x',
      terminal: process.stderr.isTTY,
    }).catch((error: unknown) => {
      const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
      if (!taken) throw error;
      throw new Failure(
        `Something listens on port ${settings.listen.port} already (EADDRINUSE). Stop it, or say another with --port.`,
      );
    });
    const gate = await Promise.race([starting, ending.signal.then(() => null)]);
    if (gate === null) return leftAtStart(starting, io);
    try {
      io.out(`listening on ${gate.url}`);
      for (const line of await nextSteps(gate, settings, io)) gate.say(line, { event: 'gate.ready' });
      await ending.signal;
      const stopped = await gate.close({ drainMs: settings.shutdown.drainMs, say: (line) => gate.say(line) });
      return stopped.cut === 0 ? 0 : cutExitCode;
    } finally {
      await gate.close();
      ending.release();
    }
  },
};

/** How long a gate that is told to stop while it starts may take to get to where it can. */
const startMsMax = 3000;

/** A gate that was told to stop while it started: an unfinished migration is undone by the database. */
async function leftAtStart(starting: Promise<RunningGate>, io: Io): Promise<number> {
  io.say('stopping: the gate had not started yet');
  const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), startMsMax));
  const gate = await Promise.race([starting.catch(() => undefined), late]);
  // It waits for something that may take hours.
  if (gate === null) process.exit(0);
  await gate?.close();
  return 0;
}

/** It stopped whole, but runs were cut off, whose outcome is unknown. */
export const cutExitCode = 3;

const withPort = (settings: Settings, port: number | undefined): Settings =>
  port === undefined ? settings : { ...settings, listen: { ...settings.listen, port } };

/** How many entries are looked through for signs that people and agents have found their way in. */
const lookMax = 2000;

/** What a new operator does next; nothing once it has been done. */
async function nextSteps(gate: RunningGate, settings: Settings, io: Io): Promise<readonly string[]> {
  const types = new Set<string>();
  for (let after = -1; after < lookMax;) {
    const page = await gate.parts.store.entries(after, 500);
    for (const { entry } of page) types.add(entry.type);
    if (page.length < 500) break;
    after += 500;
  }
  const { agents, people } = settings.proposal.directory;
  const [person, agent] = [people[0]?.id, agents[0]?.id];
  const config = configWords(settings.file, io);
  // Where the file alone would give another origin (--port), a link needs to be told it.
  const at = originOf(settings, settings.listen.port) === gate.origin ? '' : ` --url ${gate.origin}`;
  const steps: string[] = [];
  if (person !== undefined && settings.people.signInLinks && !types.has('person.signed_in')) {
    steps.push(
      `Nobody has signed in yet. A sign-in link: ${io.command(`link person ${person}${config}${at}`)}`,
    );
  }
  if (agent !== undefined && !types.has('token.issued')) {
    steps.push(`No agent has a token yet. One for ${agent}: ${io.command(`token agent ${agent}${config}`)}`);
  }
  return steps;
}
