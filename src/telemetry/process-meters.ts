/** What the process itself costs, under the names that Prometheus's clients share; and how late its event loop is. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, type Registry } from 'prom-client';

/** How finely the delay of the event loop is seen. */
const resolutionMs = 10;

/** Both are kept by their registry. */
const gauge = (of: ConstructorParameters<typeof Gauge>[0]): Gauge => new Gauge(of);
const counter = (of: ConstructorParameters<typeof Counter>[0]): Counter => new Counter(of);

/** Adds them to a registry; answers how to stop. */
export function addProcessMeters(registry: Registry): () => void {
  const registers = [registry];
  const loop = monitorEventLoopDelay({ resolution: resolutionMs });
  loop.enable();
  const startedSeconds = Date.now() / 1000 - process.uptime();
  gauge({
    name: 'process_start_time_seconds',
    help: 'Unix time at which the process started.',
    registers,
  }).set(startedSeconds);
  let usedBefore = 0;
  counter({
    name: 'process_cpu_seconds_total',
    help: 'Processor time, of user and system.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.inc(Math.max(0, (user + system) / 1e6 - usedBefore));
      usedBefore = (user + system) / 1e6;
    },
  });
  gauge({
    name: 'process_resident_memory_bytes',
    help: 'Memory that the process has.',
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  gauge({
    name: 'nodejs_heap_size_used_bytes',
    help: 'Memory of JavaScript values in use.',
    registers,
    collect() {
      this.set(process.memoryUsage().heapUsed);
    },
  });
  const delay = new Gauge({
    name: 'countersign_event_loop_delay_seconds',
    help: 'How late the event loop was since somebody looked last, by quantile.',
    labelNames: ['quantile'],
    registers,
    collect() {
      for (const [quantile, percentile] of [
        ['0.5', 50],
        ['0.99', 99],
        ['1', 100],
      ] as const)
        // prettier-ignore
        delay.set({ quantile }, Math.max(0, loop.percentile(percentile) / 1e9 - resolutionMs / 1000));
      loop.reset();
    },
  });
  return () => loop.disable();
}
