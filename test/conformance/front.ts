/**
 * What the conformance suite talks to in place of the gate: it adds the agent's token, which the suite has no way to send, and passes
 * on everything else as it is, both ways and as it comes. Host and Origin too, so that the scenario on DNS rebinding reaches the gate,
 * which is told that this address is its own, as a gate behind any reverse proxy is.
 */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';

export interface Front {
  /** `http://127.0.0.1:PORT`: the gate's public origin. */
  readonly origin: string;
  /** From now on, requests go to the gate that listens there. */
  passTo(gate: string, token: string): void;
  stop(): Promise<void>;
}

interface Gate {
  readonly port: string;
  readonly token: string;
}

export async function startFront(): Promise<Front> {
  let gate: Gate | undefined;
  const server = createServer((request, response) => {
    if (gate === undefined) response.writeHead(503).end();
    else pass(request, response, gate);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('There is no port.');
  return {
    origin: `http://127.0.0.1:${address.port}`,
    passTo: (url, token) => {
      gate = { port: new URL(url).port, token };
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

function pass(request: IncomingMessage, response: ServerResponse, { port, token }: Gate): void {
  const onward = httpRequest({
    host: '127.0.0.1',
    port,
    method: request.method,
    path: request.url,
    headers: { ...request.headers, authorization: `Bearer ${token}` },
  });
  onward.once('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    // A stream that has said nothing yet is open all the same.
    response.flushHeaders();
    answer.pipe(response);
    answer.once('error', () => response.destroy());
  });
  onward.once('error', () => response.destroy());
  // Whoever hangs up has hung up for both: that is how calls are cancelled.
  response.once('close', () => onward.destroy());
  request.pipe(onward);
}
