/**
 * Receipts on an approval's page: one line for each decision and each run, with the files that this reader may have. They are
 * downloads of the same addresses that the log's readers use; nothing here is made by the page.
 */
import { html } from 'hono/html';
import type { Case } from '../../core/case.ts';
import { predicateType } from '../../core/entry.ts';
import { receiptFormats, type ReceiptFormat } from '../../core/receipts.ts';
import { refuse } from '../../core/refusal.ts';
import { say } from '../../core/render/shown.ts';
import { listReceipts, receiptFile, type ReceiptLine } from '../../app/receipts.ts';
import { attachment } from '../attachment.ts';
import { refusalPage } from './frame.ts';
import { fact, nothing, timeAt, type Html } from './html.ts';
import { pathOf } from './routes.ts';
import type { Visit } from './visit.ts';

const words: Readonly<Record<ReceiptFormat, string>> = {
  bundle: 'Sigstore bundle',
  proof: 'tlog-proof',
  action: 'action.json',
  key: 'key',
};

/** Nothing where this gate gives no receipts, or nothing is decided yet. */
export async function receiptsSection(visit: Visit, held: Case): Promise<Html> {
  const { transparency } = visit.parts;
  if (transparency === undefined) return nothing;
  const [found, { published }] = await Promise.all([
    listReceipts(visit.parts, visit.by, held.asked.id),
    transparency.standing(),
  ]);
  // The region is there before anything is decided, so that it fills by itself on a page that is open.
  return html`<div class="receipts" data-live="receipts">
    ${found.ok && found.value.length > 0 ? section(held, found.value, published) : nothing}
  </div>`;
}

function section(held: Case, lines: readonly ReceiptLine[], published: number): Html {
  const bundles = lines.some(({ formats }) => formats.includes('bundle'));
  const body = html`<p class="soft">
      Each proves one entry of the log to somebody who trusts nobody here:
      ${bundles ? 'the bundle with what it says, the tlog-proof its digest alone.' : 'that it is there, by its digest. What it says is not yours to see.'}
      Verify with keys that you did not get together with it.
    </p>
    <ul class="glances told">
      ${lines.map((one) => row(one, published))}
    </ul>
    ${bundles ? verifying(lines, held) : nothing}`;
  return fact('receipts', 'Receipts', body, true);
}

/** As somebody types it who has downloaded the files of the last one. */
function verifying(lines: readonly ReceiptLine[], { asked }: Case): Html {
  const last = lines.findLast(({ formats }) => formats.includes('bundle'));
  const about =
    last?.formats.includes('action') === true
      ? 'action.json'
      : `--digest ${asked.subject} --digestAlg sha256`;
  const command = `cosign verify-blob-attestation --key receipt-key.pem --trusted-root trusted_root.json --type ${predicateType} --bundle countersign-${last?.index ?? 0}.sigstore.json ${about}`;
  return html`<p class="soft">
      <a href="/receipts/trusted_root.json" download>trusted_root.json</a> names the log’s keys. With cosign:
    </p>
    <div class="code" role="region" aria-label="Command that verifies" tabindex="0">
      <ol>
        <li><span>${command}</span></li>
      </ol>
    </div>`;
}

function row({ index, text, at, formats }: ReceiptLine, published: number): Html {
  const links = formats.map(
    (format) =>
      html`<a
        href="${pathOf(`/log/${index}/receipt`, { format })}"
        download
        aria-label="${say`${words[format]} of entry ${String(index)}`}"
        >${words[format]}</a
      > `,
  );
  return html`<li>
    <span class="what">${text ?? nothing} <span class="soft">entry ${String(index)}</span></span>
    <span class="aside">${timeAt(Date.parse(at))}</span>
    <span class="note">${index < published ? links : 'In the next checkpoint, in a few seconds.'}</span>
  </li>`;
}

/** `GET /log/INDEX/receipt?format=`: the file, or a page that says why not. */
export async function receiptDownload(
  visit: Visit,
  index: number,
  query: URLSearchParams,
): Promise<Response> {
  const said = query.get('format') ?? 'bundle';
  const format = receiptFormats.find((one) => one === said);
  if (format === undefined)
    return refusalPage(visit, refuse('input_invalid', `A receipt comes as ${receiptFormats.join(', ')}.`));
  const file = await receiptFile(visit.parts, visit.by, index, format);
  return file.ok ? attachment(file.value) : refusalPage(visit, file.error);
}

/** `GET /receipts/trusted_root.json`: public keys, for everybody who is signed in. */
export async function trustedRootDownload(visit: Visit): Promise<Response> {
  const { transparency } = visit.parts;
  if (transparency === undefined)
    return refusalPage(visit, refuse('not_found', 'This gate gives no receipts.'));
  return attachment({
    name: 'trusted_root.json',
    type: 'application/json',
    text: JSON.stringify(await transparency.trustedRoot()),
  });
}
