/** Splits bytes into lines of UTF-8 text, for stdio (MCP: messages are delimited by newlines) and for what a process says. */

export interface Lines {
  /** Takes the next bytes; false once a line grew larger than allowed. */
  push(chunk: Uint8Array): boolean;
}

const newline = 0x0a;

/** @param take gets each line without its end, and without the carriage return before it. */
export function readLines(bytesMax: number, take: (line: string) => void): Lines {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  const line = (last: Uint8Array): void => {
    const whole =
      held.length === 0
        ? Buffer.from(last.buffer, last.byteOffset, last.length)
        : Buffer.concat([...held, last]);
    held = [];
    heldBytes = 0;
    const text = whole.toString('utf8');
    take(text.endsWith('\r') ? text.slice(0, -1) : text);
  };
  return {
    push: (chunk) => {
      let start = 0;
      for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
        if (heldBytes + end - start > bytesMax) return false;
        line(chunk.subarray(start, end));
        start = end + 1;
      }
      if (start < chunk.length) {
        held.push(chunk.subarray(start));
        heldBytes += chunk.length - start;
      }
      return heldBytes <= bytesMax;
    },
  };
}
