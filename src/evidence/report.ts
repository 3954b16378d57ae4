/**
 * 00-Report.pdf: what one hands to somebody who knows nothing of this product. It adds nothing to the model that it is given, and
 * the same model gives the same bytes.
 */
import type { Evidence } from '../core/evidence/model.ts';
import { summary } from './report-answers.ts';
import { cover, howToRead } from './report-cover.ts';
import { actions, population, type ListedRows } from './report-actions.ts';
import { checks } from './report-checks.ts';
import { controls, notCovered, proofs, reconciliations, suggested } from './report-end.ts';
import { access } from './report-access.ts';
import { policies, roster } from './report-people.ts';
import { exceptions, scope } from './report-scope.ts';
import { Paper, type Embedded } from './paper.ts';
import { periodWords } from './words.ts';

export interface ReportParts {
  readonly evidence: Evidence;
  readonly listed: ListedRows;
  /** Proofs, embedded as they are. */
  readonly files: readonly Embedded[];
}

export async function reportPdf({ evidence, listed, files }: ReportParts): Promise<Uint8Array<ArrayBuffer>> {
  const period = periodWords(evidence.period);
  const paper = await Paper.begin({
    title: `Evidence report: ${evidence.gate}, ${period}`,
    subject: `Privileged actions of AI agents, ${period}; ${evidence.completeness.rows} rows, entries ${evidence.log.from} to ${evidence.log.to} of ${evidence.log.origin ?? 'the log'}`,
    author: `${evidence.generator.name} ${evidence.generator.version}`,
    keywords: 'evidence, audit, AI agents, approvals, transparency log',
    atMs: evidence.madeAtMs,
    running: [`Evidence report · ${evidence.gate}`, period],
  });
  cover(paper, evidence);
  const contents = howToRead(paper);
  summary(paper, evidence);
  population(paper, evidence);
  controls(paper, evidence);
  exceptions(paper, evidence);
  actions(paper, evidence, listed);
  checks(paper, evidence);
  scope(paper, evidence);
  policies(paper, evidence);
  roster(paper, evidence);
  access(paper, evidence);
  reconciliations(paper, evidence);
  notCovered(paper, evidence);
  proofs(paper, evidence, files);
  suggested(paper, evidence);
  for (const file of files) paper.embed(file);
  return paper.finish(contents);
}
