/**
 * How a gate is seen from outside, out of the settings: lines for operators, counts, traces. `say` made here is the one way by which
 * anything is written for an operator, so that nothing leaves with a secret in it.
 */
import type { Settings } from '../config.ts';
import type { Reload } from '../config/propose.ts';
import { visible } from '../core/visible.ts';
import type { Access } from '../http/observed.ts';
import type { LoggingSettings, LogLevel } from '../ports/telemetry-settings.ts';
import type { EventName, Say } from '../ports/say.ts';
import type { Store } from '../ports/store.ts';
import { noTracing, type Tracing } from '../ports/tracing.ts';
import { createMeters, type KeptMeters } from '../telemetry/meters.ts';
import { addProcessMeters } from '../telemetry/process-meters.ts';
import { createRedactor } from '../telemetry/redact.ts';
import { watched } from '../telemetry/watched-store.ts';
import { programVersion } from './version.ts';

export interface TelemetryAt {
  readonly settings: Pick<Settings, 'telemetry' | 'secrets'>;
  readonly gate: string;
  /** Takes one line, without its end; default: stderr. */
  readonly say?: (line: string) => void;
  /** Whether people read what is written; default: true. */
  readonly terminal?: boolean;
}

export interface Telemetry {
  /** Says a line; escapes it, takes secrets out of it, and leaves it out where it is of too little weight. */
  readonly say: Say;
  /** The same for lines that are escaped already. */
  readonly own: Say;
  /** Whether lines are for people. */
  readonly text: boolean;
  readonly meters: KeptMeters;
  readonly tracing: Tracing;
  /** Told of each request; null where nobody wants to know. */
  readonly access: ((access: Access) => void) | null;
  /** The same store, whose commands are counted and traced. */
  watch(store: Store): Store;
  /** The same reading of the configuration; its secrets are taken out of lines from then on. */
  learning(reload: Reload): Reload;
  /** Hands over what is left. */
  stop(): Promise<void>;
}

/** One voice of `say`. */
export const as =
  (say: Say, event: EventName, level: LogLevel = 'info') =>
  (line: string): void =>
    say(line, { event, level });

const weights: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** Opens all of it; the SDK of traces and the writer of JSON are loaded only where they are wanted. */
export async function openTelemetry(at: TelemetryAt): Promise<Telemetry> {
  const { settings, gate, say: write = toStderr, terminal = true } = at;
  const { logging, traces } = settings.telemetry;
  const redactor = createRedactor(settings.secrets);
  const text = logging.format === 'text' || (logging.format === 'auto' && terminal);
  const out = text ? textLines(write) : await linesOfJson(write, logging);
  const meters = createMeters();
  const stopProcess = addProcessMeters(meters.registry);
  let tracing: Tracing = noTracing;
  const own: Say = (line, of = {}) => {
    const level = of.level ?? levelOf(line);
    if (weights[level] < weights[logging.level]) return;
    const trace = tracing.current.carried.traceparent?.slice(3, 35);
    out(redactor.of(line), { ...of, level, gate, ...(trace === undefined ? {} : { trace }) });
  };
  const say: Say = (line, of) => own(visible(line), of);
  if (traces !== null) {
    const { createTracing } = await import('../telemetry/traces.ts');
    const resource = resourceOf(gate, process.env);
    tracing = createTracing({ settings: traces, meters, resource, say: as(say, 'traces.trouble', 'warn') });
  }
  return {
    say,
    own,
    text,
    meters,
    tracing,
    access:
      logging.level === 'debug'
        ? (access) =>
            say(accessLine(access), { event: 'request.answered', level: 'debug', more: { ...access } })
        : null,
    watch: (store) => watched(store, { meters, tracing, people: traces?.people === true }),
    learning: (reload) => async () => {
      const read = await reload();
      if (read.ok) redactor.add(read.value.secrets);
      return read;
    },
    stop: async () => {
      stopProcess();
      await tracing.stop();
    },
  };
}

const toStderr = (line: string): void => void process.stderr.write(`${line}\n`);

/** For people: the line, as it was said. */
const textLines =
  (write: (line: string) => void): Say =>
  (line) =>
    write(line);

async function linesOfJson(write: (line: string) => void, { level }: LoggingSettings): Promise<Say> {
  const { jsonLines } = await import('../telemetry/lines.ts');
  return jsonLines((text) => write(text.replace(/\n$/, '')), level);
}

const levelOf = (line: string): LogLevel =>
  line.startsWith('fault: ') ? 'error' : line.startsWith('warning: ') ? 'warn' : 'info';

const accessLine = ({ method, route, status, ms, by }: Access): string =>
  `${method} ${route} ${status} in ${ms} ms${by === null ? '' : ` by ${by}`}`;

/**
 * What names this gate among others. Of OpenTelemetry's variables only those that name it are heard: where spans go, and with
 * which headers, is the configuration's to say.
 */
function resourceOf(
  gate: string,
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const said = (env['OTEL_RESOURCE_ATTRIBUTES'] ?? '').split(',').flatMap((pair) => {
    const [, name, value] = /^\s*([\w.-]{1,100})=([^,]{0,200})$/.exec(pair) ?? [];
    return name === undefined || value === undefined ? [] : [[name, decoded(value)] as const];
  });
  const name = env['OTEL_SERVICE_NAME'] ?? '';
  return {
    'service.name': 'countersign',
    ...Object.fromEntries(said),
    ...(name === '' ? {} : { 'service.name': name.slice(0, 200) }),
    'service.version': programVersion(),
    'service.instance.id': gate,
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.trim());
  } catch {
    return text.trim();
  }
}
