/**
 * `countersign demo`: a gate on scratch data, two real MCP servers behind it, and a small agent in its own process that lives
 * through the three cases. Promise: nothing is left behind, whatever ends it: no process, no folder.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { asAgentId, asPersonId } from '../core/ids.ts';
import { Failure, wordsOf, type Args, type Command } from '../cli/command.ts';
import { portOf } from '../cli/files.ts';
import { untilSignal, type Io } from '../cli/io.ts';
import { readSettings } from '../config.ts';
import { problemText } from '../config/document.ts';
import { linkLifeMs, newLink } from '../identity/sessions.ts';
import { newToken } from '../identity/tokens.ts';
import { startGate, systemRandom, type RunningGate } from '../main.ts';
import { decideBySelf } from './auto.ts';
import { eventOf, steps, type AgentEvent, type Step } from './events.ts';
import { agentId, agentProgram, makeScratch, type Scratch } from './scratch.ts';
import { followLog, row, tellAgent, tellNotice, type Teller } from './story.ts';

const portDefault = 7788;
/** How long the agent may take to end once it is told to. */
const agentEndMs = 3000;
/** How long `--auto` may take altogether. */
const autoMs = 120_000;

export const demoCommand: Command = {
  name: 'demo',
  summary: 'Shows a real agent’s tool calls allowed, held and denied, and you decide in a browser.',
  usage: ['demo [--port N]', 'demo --auto'],
  options: {
    port: {
      value: 'N',
      help: `listens on this port; default ${portDefault}, or any free one where that is taken`,
    },
    auto: { help: 'decides by itself and ends: for checks without anybody there' },
  },
  details: ['No account, key or network is needed. Everything is in one folder that is removed at the end.'],
  run: async (args, io) => {
    wordsOf(args, []);
    const ending = untilSignal();
    const undo: (() => unknown)[] = [];
    // The last net, should the process be made to end in the middle of things.
    const exit: Stage['exit'] = { remove: () => undefined };
    const atExit = (): void => exit.remove();
    process.once('exit', atExit);
    try {
      return await play(args, io, { ending: ending.signal, undo, exit });
    } finally {
      for (const one of undo.toReversed())
        await Promise.resolve()
          .then(one)
          .catch(() => undefined);
      process.off('exit', atExit);
      ending.release();
      if (undo.length > 0) io.say(io.paintErr.soft('Everything of the demo is removed.'));
    }
  },
};

interface Stage {
  /** Resolves when somebody wants to leave: that is how the demo ends. */
  readonly ending: Promise<void>;
  readonly undo: (() => unknown)[];
  readonly exit: { remove: () => void };
}

async function play(args: Args, io: Io, stage: Stage): Promise<number> {
  const teller: Teller = { out: io.out, paint: io.paint };
  const auto = args.switches.has('auto');
  const { gate, scratch } = await open(args, teller, stage);
  await intro(gate, scratch, io, auto);
  const log = followLog(gate, teller);
  stage.undo.push(() => log.stop());
  const people = auto ? await decideBySelf(gate) : undefined;
  if (people !== undefined) stage.undo.push(() => people.stop());
  const token = newToken(systemRandom, 'agent');
  await gate.parts.store.change({
    kind: 'token',
    principal: { kind: 'agent', id: asAgentId(agentId) },
    hash: token.hash,
  });

  const events: AgentEvent[] = [];
  const agent = startAgent(gate.url, token.token, (event) => {
    events.push(event);
    tellAgent(teller, event);
  });
  stage.undo.push(() => endAgent(agent));
  const late = auto ? after(autoMs).then(() => 'late' as const) : new Promise<never>(() => undefined);
  const first = await Promise.race([
    stage.ending.then(() => 'left' as const),
    once(agent, 'exit').then(() => 'agent' as const),
    late,
  ]);
  if (first === 'left') return 0;
  await log.stop();
  const wrong = [...misplayed(events, first), ...(auto ? (people?.surprises ?? []) : [])];
  await outro(gate, teller, events, wrong);
  if (auto) return wrong.length === 0 ? 0 : 1;
  io.out(
    io.paint.soft(
      'The story is over, and the gate still runs: look around. Ctrl-C ends the demo and leaves nothing behind.',
    ),
  );
  await stage.ending;
  return 0;
}

async function open(
  args: Args,
  teller: Teller,
  stage: Stage,
): Promise<{ readonly gate: RunningGate; readonly scratch: Scratch }> {
  const typed = args.values['port'];
  const wanted = typed === undefined ? portDefault : portOf(typed);
  const scratch = makeScratch(wanted);
  stage.exit.remove = () => scratch.remove();
  stage.undo.push(() => scratch.remove());
  const read = await readSettings(scratch.config);
  if (!read.ok) throw new Failure(read.error.map(problemText).join('\n'));
  const hooks = {
    // Warnings are for an operator's own policies; ours have not seen the servers' tools yet, which is no news.
    say: (line: string): void => (line.startsWith('warning:') ? undefined : tellNotice(teller, line)),
    upstreams: (): void => undefined,
  };
  const gate = await startGate(read.value, hooks).catch((error: unknown) => {
    const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    if (!taken || typed !== undefined) throw error;
    return startGate({ ...read.value, listen: { ...read.value.listen, port: 0 } }, hooks);
  });
  stage.undo.push(() => gate.close());
  return { gate, scratch };
}

/** Who can sign in, and as what. */
const cast: readonly (readonly [id: string, name: string, role: string])[] = [
  ['rosa', 'Rosa', 'a data owner, who also reads the log'],
  ['mia', 'Mia', 'security'],
  ['lee', 'Lee', 'security'],
  ['sam', 'Sam', `owns ${agentId}, so he cannot approve what it does`],
];

async function intro(gate: RunningGate, scratch: Scratch, io: Io, auto: boolean): Promise<void> {
  const { strong, soft } = io.paint;
  io.out('');
  io.out(strong('Countersign demo'));
  io.out('');
  io.out(
    `  The gate runs at ${strong(gate.origin)}. Behind it are two MCP servers: shared files, and a small operations database.`,
  );
  io.out(
    `  An agent, ${agentId}, works on a support ticket. Some of what it wants needs people${auto ? '.' : ': decide in a browser as'}`,
  );
  io.out('');
  if (!auto) {
    for (const [id, name, role] of cast) {
      const { token, hash } = newLink(systemRandom);
      await gate.parts.store.change({
        kind: 'link',
        person: asPersonId(id),
        hash,
        expiresAtMs: Date.now() + linkLifeMs,
      });
      io.out(`  ${strong(name.padEnd(4))}  ${gate.origin}/sign-in#${token}`);
      io.out(`        ${soft(role)}`);
    }
    io.out('');
    io.out(
      soft(
        '  Each link works once; such links are for this demo and a first set-up, where no provider is configured yet (docs/people.md).',
      ),
    );
    io.out(soft('  Open them in separate browser windows (one of them private), or one after the other.'));
    io.out(
      soft(
        `  The policies: ${scratch.policies} (save a change: what tightens is in force at once, the rest waits in the inbox of two)`,
      ),
    );
    io.out(soft('  Ctrl-C ends the demo and leaves nothing behind.'));
    io.out('');
  }
}

function startAgent(url: string, token: string, tell: (event: AgentEvent) => void): ChildProcess {
  const { PATH, HOME } = process.env;
  const agent = spawn(process.execPath, [agentProgram], {
    // It gets its token and the gate's address, nothing of ours.
    env: {
      ...(PATH === undefined ? {} : { PATH }),
      ...(HOME === undefined ? {} : { HOME }),
      COUNTERSIGN_URL: url,
      COUNTERSIGN_TOKEN: token,
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  createInterface({ input: agent.stdout }).on('line', (line) => {
    const event = eventOf(line);
    if (event !== undefined) tell(event);
  });
  return agent;
}

async function endAgent(agent: ChildProcess): Promise<void> {
  if (agent.exitCode !== null || agent.signalCode !== null) return;
  const ended = once(agent, 'exit');
  agent.kill('SIGTERM');
  const hard = setTimeout(() => agent.kill('SIGKILL'), agentEndMs);
  await ended;
  clearTimeout(hard);
}

/** What of the story did not happen; a person who denies is no mistake. */
function misplayed(events: readonly AgentEvent[], how: 'agent' | 'late'): readonly string[] {
  const ended = new Set<Step>(
    events.filter((event) => event.kind === 'got' || event.kind === 'refused').map((event) => event.step),
  );
  const missing = steps.filter((step) => !ended.has(step));
  const deleted = events.find((event) => event.step === 'delete' && event.kind === 'got');
  return [
    ...(how === 'late' ? ['the demo took too long'] : []),
    ...(missing.length === 0 ? [] : [`the agent stopped before: ${missing.join(', ')}`]),
    ...(deleted === undefined ? [] : ['the region was deleted']),
  ];
}

async function outro(
  gate: RunningGate,
  teller: Teller,
  events: readonly AgentEvent[],
  wrong: readonly string[],
): Promise<void> {
  const { out, paint } = teller;
  const calls = events.find((event) => event.step === 'calls' && event.kind === 'got');
  out('');
  if (calls !== undefined) row(teller, 'ops', `its own record says: ${calls.words}`);
  const { size } = await gate.parts.store.head();
  row(teller, 'gate', `its log has ${size} entries: ${gate.origin}/log`);
  for (const one of wrong) row(teller, 'demo', paint.bad(one));
  out('');
}

/** Resolves later, without keeping the process alive. */
const after = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms).unref());
