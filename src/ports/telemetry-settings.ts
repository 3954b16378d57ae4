/** Where traces go and how log lines look, once validated. Holds secrets; never log one. */

export interface TraceSettings {
  /** OTLP over HTTP with protobuf (OTLP 1.x, "OTLP/HTTP"): where spans are POSTed. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The share of traces that is kept, from 0 to 1. */
  readonly sample: number;
  /** Whether spans name people by their ids. */
  readonly people: boolean;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LoggingSettings {
  /** `auto`: text on a terminal, else JSON. */
  readonly format: 'auto' | 'json' | 'text';
  /** What is less is not written. `debug` adds a line for each request. */
  readonly level: LogLevel;
}

export interface TelemetrySettings {
  /** Null: nothing is traced. */
  readonly traces: TraceSettings | null;
  readonly logging: LoggingSettings;
}
