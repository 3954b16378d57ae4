/**
 * Loaded into the playground's process before it (`node --import`): what listens on a port without saying where listens on
 * loopback. The playground has no option for that and would listen on every address, where whoever is in the same network could
 * press. Its own files are left as they are.
 */
import { Server } from 'node:net';

/** `listen(port)` and `listen(port, callback)`, as express calls it; with undefined between them, sometimes. */
function withHost(given: readonly unknown[]): readonly unknown[] {
  const [port, ...rest] = given.filter((one) => one !== undefined);
  const isPort = typeof port === 'number' || (typeof port === 'string' && /^\d+$/.test(port));
  return isPort && typeof rest[0] !== 'string' ? [port, '127.0.0.1', ...rest] : given;
}

Object.defineProperty(Server.prototype, 'listen', {
  // oxlint-disable-next-line typescript/unbound-method -- `apply` says whose it is
  value: new Proxy(Server.prototype.listen, {
    apply: (listen, server, given) => Reflect.apply(listen, server, withHost(given)) as unknown,
  }),
});
