/** The log as a file, from its page: by a form of ours, because it leaves an entry. The same people as read the page. */
import { theGate } from '../../core/acts.ts';
import { refuse } from '../../core/refusal.ts';
import { exportFormats, exportLog, exportTerms, personReader } from '../../app/log-export.ts';
import { wantedFrom } from '../../app/log-wanted.ts';
import { download } from '../download.ts';
import type { Fields } from './change.ts';
import { refusalPage } from './frame.ts';
import { may, type Visit } from './visit.ts';

export async function logExported(visit: Visit, fields: Fields): Promise<Response> {
  if (!may(visit, 'read_log', theGate))
    return refusalPage(visit, refuse('not_permitted', 'Only auditors read the log.'));
  const format = exportFormats.find((one) => one === fields.get('format'));
  if (format === undefined)
    return refusalPage(visit, refuse('input_invalid', 'This form names no format; open the page again.'));
  const { parts, person } = visit;
  const wanted = wantedFrom((name) => fields.get(name));
  const asked = { wanted, format, ...(await exportTerms(parts)) };
  const made = await exportLog(parts.store, personReader(parts, visit, person), asked);
  return made.ok ? download(made.value) : refusalPage(visit, made.error);
}
