/** Reads the small bodies that pages post: limited in size, each field once. */

/** UTF-8 bytes: a reason of 2,000 characters, each nine bytes when escaped, fits. */
export const formBytesMax = 64 * 1024;

/** A body's text, or undefined where it is larger than the limit or not UTF-8. Reads no more than it must. */
export async function readText(request: Request, bytesMax: number): Promise<string | undefined> {
  if (Number(request.headers.get('content-length') ?? 0) > bytesMax) return undefined;
  if (request.body === null) return '';
  // Never cancelled: of a cloned request, that would wait until the other half is cancelled too.
  const reader = request.body.getReader();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text + decoder.decode();
      bytes += value.byteLength;
      if (bytes > bytesMax) return undefined;
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    return undefined; // not UTF-8, or the connection ended
  }
}

/**
 * The fields of an `application/x-www-form-urlencoded` body; undefined for another type, a larger body, or a field that
 * appears twice (two readers could take different ones).
 */
export async function readForm(request: Request): Promise<ReadonlyMap<string, string> | undefined> {
  const type = request.headers.get('content-type') ?? '';
  if (!/^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(type)) return undefined;
  const text = await readText(request, formBytesMax);
  if (text === undefined) return undefined;
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (fields.has(name)) return undefined;
    fields.set(name, value);
  }
  return fields;
}
