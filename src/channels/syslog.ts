/**
 * The bytes of syslog: messages of RFC 5424, framed by octet counting (RFC 6587 §3.4.1, which RFC 5425 §4.3 uses over TLS).
 * Pure. The message is JSON in ASCII with everything else escaped, so that it needs no byte order mark (RFC 5424 §6.4), which
 * many receivers take for a part of the JSON.
 */
import type { JsonObject } from '../core/json.ts';
import type { Shipped } from '../ports/shipper.ts';

/** "log audit" (RFC 5424 §6.2.1). */
const facility = 13;
const severities = { warning: 4, informational: 6 } as const;
/** Bytes of one message's JSON; many receivers cut far below. What is too large leaves its largest parts out, and names them. */
export const messageBytesMax = 64 * 1024;
/** The enterprise number for examples (RFC 5612): the gate has none, and a name without one is the IETF's (RFC 5424 §6.3.2). */
const dataId = 'countersign@32473';

/** One frame: the length, a space, the message. @param origin HOSTNAME: the log's origin. */
export function syslogFrame(shipped: Shipped, origin: string): Buffer {
  const message = Buffer.from(syslogMessage(shipped, origin), 'ascii');
  return Buffer.concat([Buffer.from(`${message.length} `), message]);
}

export function syslogMessage({ index, id, at, type, about, warns, body }: Shipped, origin: string): string {
  const priority = facility * 8 + (warns ? severities.warning : severities.informational);
  const fields = { index: String(index), id, type, ...about };
  const data = Object.entries(fields)
    .flatMap(([name, value]) => (value === null ? [] : [` ${name}="${paramValue(value)}"`]))
    .join('');
  const host = printable(origin).slice(0, 255) || '-';
  return `<${priority}>1 ${at} ${host} countersign - ${printable(type).slice(0, 32)} [${dataId}${data}] ${fitting(body)}`;
}

/** RFC 5424 §6.3.3: quotes, backslashes and closing brackets are escaped; ours are ASCII. */
const paramValue = (text: string): string =>
  text.replace(/[^\x20-\x7e]/g, '?').replace(/["\\\]]/g, (one) => `\\${one}`);

/** PRINTUSASCII (RFC 5424 §6). */
const printable = (text: string): string => text.replace(/[^\x21-\x7e]/g, '');

const ascii = (value: JsonObject): string =>
  JSON.stringify(value).replace(
    /[\x7f-\uffff]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** The JSON, without its largest fields where it is too large. */
function fitting(body: JsonObject): string {
  let text = ascii(body);
  const left: string[] = [];
  const sizes = Object.entries(body)
    .map(([key, value]) => ({ key, size: ascii({ value }).length }))
    .toSorted((a, b) => b.size - a.size);
  for (const { key } of sizes) {
    if (text.length <= messageBytesMax) break;
    left.push(key);
    const kept = Object.fromEntries(Object.entries(body).filter(([name]) => !left.includes(name)));
    text = ascii({ ...kept, omitted: left });
  }
  return text;
}
