/** A collector of traces on loopback: takes OTLP over HTTP, and reads its protobuf by hand (opentelemetry-proto, trace/v1). */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface SeenSpan {
  readonly trace: string;
  readonly id: string;
  readonly parent: string;
  readonly name: string;
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** Spans that it is linked to, as `TRACE/SPAN`. */
  readonly links: readonly string[];
  /** 2: error. */
  readonly status: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly state: string;
}

export interface Collector {
  readonly url: string;
  readonly spans: SeenSpan[];
  /** Attributes of the resource of the newest request. */
  resource: SeenSpan['attributes'];
  /** Everything that came, as it came. */
  readonly bodies: Buffer[];
  readonly headers: Record<string, unknown>[];
  /** What is answered from now on; null: nothing, ever. */
  status: number | null;
  close(): Promise<void>;
}

export async function startCollector(): Promise<Collector> {
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      collector.bodies.push(body);
      collector.headers.push(request.headers);
      if (collector.status === null) return;
      if (collector.status < 300) take(collector, body);
      response.writeHead(collector.status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A server that listens on a port has an address with one.
  const { port } = server.address() as AddressInfo;
  const collector: Collector = {
    url: `http://127.0.0.1:${port}/v1/traces`,
    spans: [],
    resource: {},
    bodies: [],
    headers: [],
    status: 200,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return collector;
}

type Field = Buffer | bigint;
type Message = ReadonlyMap<number, readonly Field[]>;

/** Fields of one protobuf message by their numbers; fixed-size numbers as the bytes they are. */
function fields(bytes: Buffer): Message {
  const found = new Map<number, Field[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const cut = (length: number): Buffer => bytes.subarray(at, (at += length));
  while (at < bytes.length) {
    const key = Number(varint());
    const value = [varint, () => cut(8), () => cut(Number(varint())), null, null, () => cut(4)][key & 7];
    if (typeof value !== 'function') throw new TypeError(`wire type ${key & 7}`);
    found.set(key >> 3, [...(found.get(key >> 3) ?? []), value()]);
  }
  return found;
}

const bytesOf = (message: Message, field: number): readonly Buffer[] =>
  (message.get(field) ?? []).filter((one) => Buffer.isBuffer(one));
const first = (message: Message, field: number): Buffer => bytesOf(message, field)[0] ?? Buffer.alloc(0);
const number = (message: Message, field: number): number => Number(message.get(field)?.[0] ?? 0);
const ms = (message: Message, field: number): number =>
  Number(first(message, field).readBigUInt64LE() / 1_000_000n);

function attributesOf(pairs: readonly Buffer[]): SeenSpan['attributes'] {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [key, value] = [first(fields(pair), 1).toString(), fields(first(fields(pair), 2))];
      if (value.has(1)) return [key, first(value, 1).toString()];
      if (value.has(2)) return [key, number(value, 2) === 1];
      return [key, value.has(3) ? number(value, 3) : first(value, 4).readDoubleLE()];
    }),
  );
}

function take(collector: Collector, body: Buffer): void {
  for (const resource of bytesOf(fields(body), 1)) {
    collector.resource = attributesOf(bytesOf(fields(first(fields(resource), 1)), 1));
    for (const scope of bytesOf(fields(resource), 2))
      for (const span of bytesOf(fields(scope), 2)) collector.spans.push(spanOf(fields(span)));
  }
}

const spanOf = (span: Message): SeenSpan => ({
  trace: first(span, 1).toString('hex'),
  id: first(span, 2).toString('hex'),
  state: first(span, 3).toString(),
  parent: first(span, 4).toString('hex'),
  name: first(span, 5).toString(),
  kind: number(span, 6),
  startMs: ms(span, 7),
  endMs: ms(span, 8),
  attributes: attributesOf(bytesOf(span, 9)),
  links: bytesOf(span, 13).map((link) => {
    const read = fields(link);
    return `${first(read, 1).toString('hex')}/${first(read, 2).toString('hex')}`;
  }),
  status: number(fields(first(span, 15)), 3),
});
