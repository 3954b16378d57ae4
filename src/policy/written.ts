/** The live policies as people read them: the text of the file, not the one that the loader completed. */
import { asPolicyId } from '../core/ids.ts';
import type { LivePolicy, PolicyTexts } from '../ports/policy.ts';
import { splitPolicies } from './split.ts';
import type { Statement } from './statement.ts';

/** By file and line, as the texts have them. */
export function writtenPolicies(texts: PolicyTexts, statements: readonly Statement[]): readonly LivePolicy[] {
  const written = new Map(
    texts.policies.flatMap(({ file, text }) =>
      splitPolicies(file, text).policies.map((one) => [`${file}:${one.line}`, one.text.trim()] as const),
    ),
  );
  const places = new Map<string, number>();
  for (const { file, line } of statements) {
    const place = `${file}:${line}`;
    places.set(place, (places.get(place) ?? 0) + 1);
  }
  return statements
    .map(({ id, title, effect, file, line, text, requirement }) => ({
      id: asPolicyId(id),
      title,
      effect,
      file,
      line,
      // Two policies on one line: the completed text says which.
      text: places.get(`${file}:${line}`) === 1 ? `${written.get(`${file}:${line}`) ?? ''};` : text,
      requirement,
    }))
    .toSorted((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));
}
