/** All files of a package but its manifest, from the model: a function of its arguments, for whatever thread it runs on. */
import type { Evidence } from '../core/evidence/model.ts';
import { logFiles, receiptFiles, type LogProofs, type SampleReceipt } from './attachments.ts';
import { asPayload } from './json.ts';
import type { PackageFile } from './manifest.ts';
import type { ListedRows } from './report-actions.ts';
import { reportPdf } from './report.ts';
import { samplesPdf } from './samples-pdf.ts';
import { changeSheets } from './sheets-changes.ts';
import { exceptionSheets, populationSheets } from './sheets.ts';
import { readmeText, verifyText } from './verify-text.ts';
import { workbook, type CellValue } from './workbook.ts';

export interface RenderParts {
  readonly evidence: Evidence;
  /** The first rows of each kind. */
  readonly listed: ListedRows;
  /** Cells of every row, in order. */
  readonly cells: readonly (readonly CellValue[])[];
  readonly proofs: LogProofs;
  readonly receipts: readonly SampleReceipt[];
}

const text = (name: string, content: string): PackageFile => ({
  name,
  bytes: new TextEncoder().encode(content),
});

export async function renderFiles({
  evidence,
  listed,
  cells,
  proofs,
  receipts,
}: RenderParts): Promise<readonly PackageFile[]> {
  const log = logFiles(evidence, proofs);
  const { completeness, exceptions, policies, samples } = evidence;
  return [
    {
      name: '00-Report.pdf',
      bytes: await reportPdf({ evidence, listed, files: log }),
      counts: { attachments: log.length },
    },
    {
      name: '02-Samples.pdf',
      bytes: await samplesPdf(evidence, receipts),
      counts: { samples: samples.chosen.length },
    },
    {
      name: 'Population.xlsx',
      bytes: await workbook(populationSheets(evidence, cells)),
      counts: { rows: cells.length, asked: completeness.asked },
    },
    {
      name: 'Policy-and-roster-changes.xlsx',
      bytes: await workbook(changeSheets(evidence)),
      counts: { policies: policies.length },
    },
    {
      name: 'Exceptions.xlsx',
      bytes: await workbook(exceptionSheets(evidence)),
      counts: { exceptions: exceptions.length },
    },
    // The model has nothing but JSON's kinds of values.
    text('evidence.json', asPayload(JSON.parse(JSON.stringify(evidence)))),
    text('README.txt', readmeText(evidence)),
    text('VERIFY.txt', verifyText(evidence, receipts)),
    ...policies.flatMap((version) => {
      const nameOf = fileNames();
      return (version.texts ?? []).map((one) =>
        text(`policies/version-${version.version}/${nameOf(one.file)}`, one.text),
      );
    }),
    ...[...new Map(receipts.map((one) => [one.index, one])).values()]
      .flatMap(receiptFiles)
      .map((file) => ({ name: `samples/${file.name}`, bytes: file.bytes })),
    ...log.map((file) => ({ name: `proofs/${file.name}`, bytes: file.bytes })),
  ];
}

/** A name that is one step of a path on every system. */
const fileName = (name: string): string => {
  const plain = name.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^\.+/, '');
  return plain === '' ? 'policies' : plain.slice(-100);
};

/** Names of the files of one folder: one that is taken, on a system that tells no letters apart by their case, gets a number. */
function fileNames(): (name: string) => string {
  const taken = new Set<string>();
  return (name) => {
    const plain = fileName(name);
    let free = plain;
    for (let n = 2; taken.has(free.toLowerCase()); n += 1) free = `${n}-${plain}`;
    taken.add(free.toLowerCase());
    return free;
  };
}
