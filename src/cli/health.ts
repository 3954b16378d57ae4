/**
 * `health`: asks a gate how it is, for whatever keeps it running (a container's HEALTHCHECK, systemd's ExecStartPost) and has no
 * other program to ask with. It sends no credentials and needs no configuration.
 */
import { setTimeout as after } from 'node:timers/promises';
import { isJsonArray, isJsonObject, type JsonObject } from '../core/json.ts';
import { readJson } from '../core/read-json.ts';
import { visibleLine } from '../core/visible.ts';
import { UsageError, wordsOf, type Args, type Command } from './command.ts';
import { gateUrl, urlOption } from './files.ts';

/** How long one answer may take: longer than the gate takes to find out that its store is silent. */
const answerMsMax = 5000;
/** Between two questions of `--wait`. */
const askEveryMs = 250;
/** Longest `--wait`, in seconds. */
const waitSecondsMax = 3600;
const bodyBytesMax = 64 * 1024;

/** What is asked for, and what is at least so. */
const wanted = ['alive', 'started', 'ready'] as const;
type Wanted = (typeof wanted)[number];

export const healthCommand: Command = {
  name: 'health',
  summary: 'Asks a gate whether it lives, has started, or is ready; exit code 0 or 1.',
  usage: ['health [--for alive|started|ready] [--wait SECONDS] [--url URL]'],
  options: {
    for: {
      value: 'WHAT',
      help: 'alive: the process answers; started: it serves; ready (default): it wants work',
    },
    wait: {
      value: 'SECONDS',
      help: 'asks again for so long until it is so, and on while it says that it starts; default: once',
    },
    url: urlOption,
  },
  details: [
    'A gate that is alive and not ready (its database is away, its policies are broken, it is stopping) must not be restarted for',
    'that: restart on `--for alive`, send agents and people on `--for ready`.',
  ],
  run: async (args, io) => {
    wordsOf(args, []);
    const what = wantedOf(args);
    const waitMs = waitMsOf(args);
    let untilMs = performance.now() + waitMs;
    const url = gateUrl(args, io);
    for (;;) {
      const { is, starts, says } = await ask(url, what);
      // A migration may take long; a gate that could not start does not answer.
      if (starts) untilMs = performance.now() + waitMs;
      const isLate = performance.now() + askEveryMs > untilMs;
      if (is) io.out(says);
      else if (isLate) io.say(says);
      if (is || isLate) return is ? 0 : 1;
      await after(askEveryMs);
    }
  },
};

function wantedOf({ values }: Args): Wanted {
  const typed = values['for'] ?? 'ready';
  const what = wanted.find((one) => one === typed);
  if (what === undefined) throw new UsageError(`--for ${typed} is none of ${wanted.join(', ')}.`);
  return what;
}

function waitMsOf({ values }: Args): number {
  const typed = values['wait'] ?? '0';
  if (!/^\d{1,4}$/.test(typed) || Number(typed) > waitSecondsMax)
    throw new UsageError(`--wait ${typed} is not a number of seconds up to ${waitSecondsMax}.`);
  return Number(typed) * 1000;
}

interface Said {
  readonly is: boolean;
  /** Whether it says that it is starting. */
  readonly starts: boolean;
  /** A line about it. */
  readonly says: string;
}

async function ask(url: string, what: Wanted): Promise<Said> {
  try {
    const path = what === 'alive' ? '/healthz' : '/readyz';
    const signal = AbortSignal.timeout(answerMsMax);
    const response = await fetch(`${url}${path}`, { redirect: 'error', signal });
    const body = await bodyOf(response);
    const status = typeof body['status'] === 'string' ? body['status'] : '';
    const why = isJsonArray(body['why']) ? body['why'].filter((one) => typeof one === 'string') : [];
    const is = response.ok || (what === 'started' && status === 'unavailable');
    const says = visibleLine(
      [
        status === ''
          ? `HTTP ${response.status}: what answers at ${url} is no gate; --url names another`
          : status,
        ...why,
      ].join(': '),
    );
    return { is, starts: status === 'starting', says };
  } catch {
    return { is: false, starts: false, says: `no gate answers at ${url}; does it run? --url names another` };
  }
}

/** Of somebody that is no gate there is nothing to read. */
async function bodyOf(response: Response): Promise<JsonObject> {
  const read = readJson(new Uint8Array(await response.arrayBuffer()), {
    bytesMax: bodyBytesMax,
    depthMax: 8,
  });
  return read.ok && isJsonObject(read.value) ? read.value : {};
}
