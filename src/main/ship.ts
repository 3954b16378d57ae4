/** Where the log is shipped to, out of the settings: each place with its wire and its format. */
import { formatEntries } from '../app/ship-format.ts';
import type { Parts } from '../app/parts.ts';
import type { Place } from '../app/shipping.ts';
import { createShipFile } from '../channels/ship-file.ts';
import { createShipSyslog } from '../channels/ship-syslog.ts';
import { createShipWebhook } from '../channels/ship-webhook.ts';
import type { LogSettings, ShipSettings } from '../ports/log-settings.ts';
import type { Shipper } from '../ports/shipper.ts';

/** The places of `log.ship`, in the order of the configuration. */
export function createShippers(parts: Pick<Parts, 'store' | 'origin'>, log: LogSettings): readonly Place[] {
  const origin = log.origin ?? new URL(parts.origin).hostname;
  const from = { source: parts.origin, origin: () => origin };
  return log.ship.map((one) => ({
    shipper: shipperOf(one, from),
    format: formatEntries(parts, one.format, { origin: from.origin, ocsf: log.ocsf }),
  }));
}

function shipperOf(
  { name, format, target }: ShipSettings,
  { source, origin }: { readonly source: string; readonly origin: () => string },
): Shipper {
  switch (target.kind) {
    case 'webhook':
      return createShipWebhook({ name, format, source, url: target.url, secret: target.secret }, () =>
        Date.now(),
      );
    case 'syslog':
      return createShipSyslog({ name, host: target.host, port: target.port, ca: target.ca }, origin);
    case 'file':
      return createShipFile({ name, path: target.path });
  }
}
