/**
 * Traces: what happened within one request, and what followed from it. Promises: nothing here fails or is waited for; where
 * nobody takes the spans they cost bounded memory and nothing else; a span is never open while people decide ({@link Tracing.waits});
 * what an attribute holds is an id, a code, a number or a name of the configuration, never an input, a reason or a credential.
 */

export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** What is passed on so that another program's spans belong to ours (W3C Trace Context); empty where nothing is traced. */
export type Carried = Readonly<{ traceparent?: string; tracestate?: string }>;

export interface SpanStart {
  /** Of few kinds: a method, a template, a name that the configuration has. Never an id. */
  readonly name: string;
  readonly kind: 'server' | 'client' | 'internal';
  readonly attributes?: Attributes;
  /** What the caller says that it belongs to, as it was said: what is not of the standard's form counts as unsaid. */
  readonly from?: { readonly traceparent: unknown; readonly tracestate: unknown };
  /** Traceparents of other traces that this one follows from; what is none is left out. */
  readonly links?: readonly (string | undefined)[];
  /** Unix time in milliseconds; default: now. */
  readonly startMs?: number;
}

export interface Span {
  /** For whoever is called within this span. */
  readonly carried: Carried;
  /** After the end: nothing. */
  set(attributes: Attributes): void;
  /** It failed. @param type a code or a kind of error: `error.type` (OpenTelemetry, "Recording errors"). */
  fail(type: string): void;
  /** Again: nothing. @param atMs Unix time in milliseconds; default: now. */
  end(atMs?: number): void;
}

export interface Tracing {
  /** Within the span that is current, unless `from` names another. */
  start(span: SpanStart): Span;
  /** Runs work, and whatever it starts, within a span; ends nothing. */
  within<T>(span: Span, work: () => T): T;
  /** The span that this runs within; one that holds nothing where it runs within none. */
  readonly current: Span;
  /** What runs here begins to wait for people: the spans that it runs within end now. */
  waits(): void;
  /** Hands over what is left, within a few seconds, and takes no more. */
  stop(): Promise<void>;
}

export const noSpan: Span = {
  carried: {},
  set: () => undefined,
  fail: () => undefined,
  end: () => undefined,
};

/** Traces nothing. */
export const noTracing: Tracing = {
  start: () => noSpan,
  within: (_span, work) => work(),
  current: noSpan,
  waits: () => undefined,
  stop: () => Promise.resolve(),
};
