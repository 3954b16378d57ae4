/**
 * Traces by OpenTelemetry's SDK, for what `export.ts` hands over. This file and that one are the only ones that know it, and are
 * loaded only where traces are configured. Nothing global is set: no other library in this process is traced by it, and none sees ours.
 *
 * Whether a trace is kept is decided by its id alone, with the configured share: the flag of a caller is not obeyed, because an
 * agent that wishes not to be seen, or to have everything kept, is no reason for either. Traces are no evidence; the log is.
 */
import {
  createTraceState,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Span as OtelSpan,
  type SpanContext,
  type Tracer,
} from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { ParentBasedSampler, TracerProvider, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace';
import { AsyncLocalStorage } from 'node:async_hooks';
import { readTraceParent, readTraceState } from '../core/trace-context.ts';
import { noSpan, type Carried, type Span, type SpanStart, type Tracing } from '../ports/tracing.ts';
import type { TraceSettings } from '../ports/telemetry-settings.ts';
import { Exporter, type ExportAt } from './export.ts';

export interface TracesAt extends Omit<ExportAt, 'settings'> {
  readonly settings: TraceSettings;
  /** OpenTelemetry's `service.*` and whatever else names this gate among others. */
  readonly resource: Readonly<Record<string, string>>;
}

const kinds = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  internal: SpanKind.INTERNAL,
} as const;

/** UTF-16 units of one attribute, attributes of one span, links of one span. */
const spanLimits = { attributeValueLengthLimit: 256, attributeCountLimit: 64, linkCountLimit: 8 } as const;

/** One span, with those that it runs within. */
class OpenSpan implements Span {
  readonly #span: OtelSpan;
  readonly within: OpenSpan | undefined;

  constructor(span: OtelSpan, within: OpenSpan | undefined) {
    this.#span = span;
    this.within = within;
  }

  get context(): SpanContext {
    return this.#span.spanContext();
  }

  get carried(): Carried {
    const { traceId, spanId, traceFlags, traceState } = this.context;
    const state = traceState?.serialize();
    return {
      traceparent: `00-${traceId}-${spanId}-0${traceFlags & TraceFlags.SAMPLED}`,
      ...(state === undefined || state === '' ? {} : { tracestate: state }),
    };
  }

  set(attributes: Parameters<Span['set']>[0]): void {
    this.#span.setAttributes({ ...attributes });
  }

  fail(type: string): void {
    this.#span.setAttribute('error.type', type);
    this.#span.setStatus({ code: SpanStatusCode.ERROR });
  }

  end(atMs?: number): void {
    // The SDK warns of a second end, and changes nothing.
    if (this.#span.isRecording()) this.#span.end(atMs);
  }
}

export function createTracing(at: TracesAt): Tracing {
  const ratio = new TraceIdRatioBasedSampler(at.settings.sample);
  const exporter = new Exporter(at);
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ ...at.resource }),
    sampler: new ParentBasedSampler({
      root: ratio,
      remoteParentSampled: ratio,
      remoteParentNotSampled: ratio,
    }),
    spanLimits,
    spanProcessors: [exporter],
  });
  const tracer = provider.getTracer('countersign');
  const now = new AsyncLocalStorage<OpenSpan>();
  return {
    start: (span) => started(tracer, span, now.getStore()),
    within: (span, work) => (span instanceof OpenSpan ? now.run(span, work) : work()),
    get current() {
      return now.getStore() ?? noSpan;
    },
    waits() {
      for (let one = now.getStore(); one !== undefined; one = one.within) {
        one.set({ 'countersign.waits': true });
        one.end();
      }
    },
    stop: () => exporter.shutdown(),
  };
}

function started(tracer: Tracer, span: SpanStart, current: OpenSpan | undefined): OpenSpan {
  const { name, kind, attributes, startMs, from } = span;
  const remote = remoteOf(from);
  const parent = remote ?? current?.context;
  const links = (span.links ?? []).flatMap((link) => linkTo(link) ?? []);
  // What the caller's message says of its trace comes before what the transport says: that is linked (MCP, "Context propagation").
  if (remote !== undefined && current !== undefined) links.push({ context: current.context });
  const options = {
    kind: kinds[kind],
    attributes: { ...attributes },
    links,
    ...(startMs === undefined ? {} : { startTime: startMs }),
  };
  const context = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
  return new OpenSpan(tracer.startSpan(name, options, context), current);
}

function remoteOf(from: SpanStart['from']): SpanContext | undefined {
  const parent = readTraceParent(from?.traceparent);
  if (parent === undefined) return undefined;
  const state = readTraceState(from?.tracestate);
  const { traceId, spanId, sampled } = parent;
  return {
    traceId,
    spanId,
    traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
    ...(state === undefined ? {} : { traceState: createTraceState(state) }),
  };
}

function linkTo(traceparent: string | undefined): { readonly context: SpanContext } | undefined {
  const context = remoteOf({ traceparent, tracestate: undefined });
  return context === undefined ? undefined : { context };
}
