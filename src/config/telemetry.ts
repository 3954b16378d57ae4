/** Traces and log lines of a configuration: defaults, and what is wrong with them. */
import type { LoggingSettings, TraceSettings } from '../ports/telemetry-settings.ts';
import type { ConfigDocument, Problem } from './document.ts';
import type { Secrets } from './secrets.ts';
import { urlProblems } from './servers.ts';
import type { Written } from './written.ts';

/** Null: nothing is traced. */
export function tracesOf({ telemetry }: Written, secrets: Secrets): TraceSettings | null {
  const traces = telemetry?.traces;
  if (traces === undefined) return null;
  const { url, headers = {}, sample = 1, people = false } = traces;
  return { url, headers: secrets.readAll(headers, ['telemetry', 'traces', 'headers']), sample, people };
}

export const loggingOf = ({ logging }: Written): LoggingSettings => ({
  format: logging?.format ?? 'auto',
  level: logging?.level ?? 'info',
});

export function telemetryProblems(
  { telemetry }: Written,
  traces: TraceSettings | null,
  document: ConfigDocument,
): readonly Problem[] {
  if (telemetry?.traces === undefined || traces === null) return [];
  const problems = [...urlProblems(telemetry.traces.url, ['telemetry', 'traces', 'url'], document)];
  for (const [name, value] of Object.entries(traces.headers))
    // RFC 9110 §5.5: what could end the line would be a second header.
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value))
      problems.push(
        document.problem(
          ['telemetry', 'traces', 'headers', name],
          `telemetry.traces.headers.${name} has characters that no header may have.`,
        ),
      );
  return problems;
}
