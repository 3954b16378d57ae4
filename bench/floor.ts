/**
 * The least that a proxy can be which has each call on disk before it runs: bytes in, one 8 KiB write in place made durable, the same
 * bytes out. It reads nothing, checks nobody and decides nothing. No gate with a durable start is faster than this on this machine.
 * `node floor.ts FOLDER URL` passes on to an HTTP upstream, `node floor.ts FOLDER COMMAND ARG…` to a process; prints `listening on URL`.
 */
import { spawn } from 'node:child_process';
import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';
import { Disk } from './disk.ts';

type Onward = (incoming: IncomingMessage, body: Buffer, response: ServerResponse) => void;

function toUrl(url: string): Onward {
  const agent = new Agent({ keepAlive: true });
  return (incoming, body, response) => {
    const { method, headers } = incoming;
    const { host: _, ...rest } = headers;
    const onward = request(
      url,
      { agent, ...(method === undefined ? {} : { method }), headers: rest },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.once('error', () => response.destroy());
    response.once('close', () => onward.destroy());
    onward.end(body);
  };
}

/** One process, and one caller after another: the next line that is no notification is the answer. */
function toProcess(command: string, args: readonly string[]): Onward {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  const waiting: ServerResponse[] = [];
  createInterface(child.stdout).on('line', (line) => {
    waiting.shift()?.writeHead(200, { 'content-type': 'application/json' }).end(line);
  });
  process.once('exit', () => child.kill());
  return (incoming, body, response) => {
    if (incoming.method !== 'POST') return void response.writeHead(405).end();
    child.stdin.write(`${body.toString()}\n`);
    if (body.includes('"id":')) waiting.push(response);
    else response.writeHead(202).end();
  };
}

const [folder = '.', target = '', ...args] = process.argv.slice(2);
const disk = new Disk(folder);
const onward = target.startsWith('http') ? toUrl(target) : toProcess(target, args);
const server = createServer((incoming, response) => {
  void buffer(incoming).then((body) => {
    if (body.includes('"tools/call"')) disk.write();
    onward(incoming, body, response);
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null)
    console.log(`listening on http://127.0.0.1:${address.port}/mcp`);
});
process.once('SIGTERM', () => process.exit(0));
