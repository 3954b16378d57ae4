/**
 * Lines for operators as JSON, by pino: one object a line, with `time`, `level`, `msg`, `event` and, where there is one, the gate, the
 * action, the approval, the execution and the trace. Loaded only where lines are JSON.
 */
import { pino } from 'pino';
import type { LogLevel } from '../ports/telemetry-settings.ts';
import type { Say } from '../ports/say.ts';

/** UTF-16 units of one message: a line is for reading. */
const messageCharsMax = 16_384;

/** What begins a line for people, and is a level for programs. */
const prefixes = { 'warning: ': ['warn', 'gate.warning'], 'fault: ': ['error', 'gate.fault'] } as const;

/** @param write takes whole lines, each with its end. */
export function jsonLines(write: (text: string) => void, level: LogLevel): Say {
  const log = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  );
  return (line, of = {}) => {
    const prefix = line.startsWith('warning: ') ? 'warning: ' : line.startsWith('fault: ') ? 'fault: ' : null;
    const [byPrefix, eventByPrefix] = prefix === null ? (['info', 'gate.note'] as const) : prefixes[prefix];
    const { level: said = byPrefix, event = eventByPrefix, more = {}, ...about } = of;
    const text = prefix === null ? line : line.slice(prefix.length);
    log[said]({ event, ...about, ...more }, text.slice(0, messageCharsMax));
  };
}
