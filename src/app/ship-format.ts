/**
 * An entry as it leaves the gate. Whoever reads the place that it is shipped to reads the whole log, so secrets are masked as
 * people see them, whatever the format.
 */
import type { Case } from '../core/case.ts';
import type { Directory } from '../core/directory.ts';
import type { Sealed } from '../core/entry.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import { ocsfOf, type OcsfVersion } from '../core/ocsf/ocsf.ts';
import { entryWords } from '../core/render/log-words.ts';
import { maskSecrets, maskText } from '../core/secrets.ts';
import { data } from '../core/steps/common.ts';
import type { ShipFormat } from '../ports/log-settings.ts';
import type { Shipped } from '../ports/shipper.ts';
import { wholeEntries } from './log-sight.ts';
import type { Parts } from './parts.ts';

/** Entries in the format of one place. Rejects where the store cannot be read. */
export type FormatEntries = (entries: readonly Sealed[]) => Promise<readonly Shipped[]>;

/** Hexadecimal digits of the chain's head that stand in an id. */
const headChars = 16;

/** @param origin the log's: a bare host name. */
export function formatEntries(
  { store }: Pick<Parts, 'store'>,
  format: ShipFormat,
  log: { readonly origin: () => string; readonly ocsf: OcsfVersion },
): FormatEntries {
  return async (entries) => {
    const origin = log.origin();
    const directory = await store.directory();
    // Cases may hold megabytes: a few at a time, each let go with its entry.
    return wholeEntries(store, entries, ({ held, ...sealed }): Shipped => {
      const { entry, pae, head } = sealed;
      const body =
        format === 'entry'
          ? entryBody(sealed, directory, held)
          : ocsfOf(entry, { held, directory, version: log.ocsf, origin, pae });
      const { index, at, type, about } = entry;
      const { tone } = entryWords(entry, directory);
      // The head, because a restored store gives its indexes again.
      const id = `${origin}/${index}/${head.slice(0, headChars)}`;
      return { index, id, at, type, about, warns: tone === 'bad' || tone === 'unknown', body };
    });
  };
}

/**
 * As it stands in the log, with its sentence. The digests let a reader find it again, and are not of what is shown here.
 * @param held the case that it is about; null: none, or gone.
 */
function entryBody({ entry, pae, head }: Sealed, directory: Directory, held: Case | null): JsonObject {
  const { index, at, type, by, about, erased } = entry;
  const masked = maskSecrets(entry.data);
  const sentence = maskText(entryWords(entry, directory, held?.asked ?? null).text);
  const said = isJsonObject(masked) ? masked : {};
  return data({ index, at, type, sentence, by, about, data: said, pae, head, erased });
}
