/** What everybody must see of how this gate is configured: that nobody was asked about it, and that nobody can be. */
import { line, say } from '../../core/render/shown.ts';
import { rfc3339 } from '../../core/time.ts';
import type { ConfigNow } from '../../app/parts.ts';
import type { Banner } from './layout.ts';

/** How long every page says that something was accepted at the machine. */
export const machineBannerMs = 30 * 24 * 3_600_000;

/** @param machineAtMs when something was last accepted at the machine; null: never. */
export function configBanners(
  { stuck }: Pick<ConfigNow, 'stuck'>,
  machineAtMs: number | null,
  nowMs: number,
): readonly Banner[] {
  const recent = machineAtMs !== null && nowMs - machineAtMs < machineBannerMs;
  return [
    ...(recent
      ? [
          {
            tone: 'watch' as const,
            text: say`Who may do what was changed at the machine on ${line(rfc3339(machineAtMs).slice(0, 10))}, without anybody’s approval. The log says what changed.`,
          },
        ]
      : []),
    ...(stuck === null
      ? []
      : [{ tone: 'alarm' as const, text: say`A change waits that cannot be accepted: ${line(stuck)}` }]),
  ];
}
