/** The webhook as a part of a whole gate, held to what every channel keeps. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gateContract, type Copy } from './contract-gate.ts';

interface Event {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly data: { readonly status: string; readonly headline: string; readonly url: string };
}

/** What every CloudEvent of the gate has. */
const isEvent = (value: unknown): value is Event =>
  typeof value === 'object' && value !== null && 'type' in value && 'subject' in value && 'data' in value;

gateContract('webhook', async () => {
  const events = new Map<string, Event>();
  let server: Server | undefined;
  let port = 0;
  const up = async (): Promise<void> => {
    server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const event: unknown = JSON.parse(Buffer.concat(parts).toString('utf8'));
        assert.ok(isEvent(event));
        // As the documentation asks receivers: what was seen is dropped.
        events.set(event.id, event);
        response.writeHead(204).end();
      });
    });
    const started = server;
    await new Promise<void>((resolve) => started.listen(port, '127.0.0.1', resolve));
    port = (started.address() as AddressInfo).port;
  };
  const down = (): Promise<void> =>
    new Promise((resolve) => {
      server?.close(() => resolve());
      server?.closeAllConnections();
      server = undefined;
    });
  await up();
  return {
    name: 'webhook',
    config: `channels: { webhook: { url: "http://127.0.0.1:${port}/hook", secret: whsec_${Buffer.from('0123456789abcdef01234567').toString('base64')} } }\n`,
    copies(_gate, approval): Promise<readonly Copy[]> {
      const about = [...events.values()].filter((one) => one.subject === approval);
      const last = about.at(-1);
      return Promise.resolve(
        last === undefined
          ? []
          : [
              {
                text: `${about.map((one) => one.type).join(' ')} ${JSON.stringify(last.data)}${about.some((one) => one.type.endsWith('approval.reviewed')) ? ' by one' : ''}`,
                open: last.data.status === 'pending',
              },
            ],
      );
    },
    breaks: { down, up },
    async end() {
      if (server !== undefined) await down();
    },
  };
});
