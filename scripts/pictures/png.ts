/**
 * Makes a screenshot small: its 256 most frequent colours, by number, and for others the nearest of them. A picture of text has few.
 * PNG: RFC 2083 and W3C's Portable Network Graphics; only what Chromium writes is read (eight bits, RGB or RGBA, not interlaced).
 */
import { crc32, deflateSync, inflateSync } from 'node:zlib';

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const coloursMax = 256;

export function smaller(png: Uint8Array): Uint8Array {
  const chunks = chunksOf(Buffer.from(png));
  const header = chunks.find((one) => one.type === 'IHDR')?.data ?? Buffer.alloc(13);
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const bytes = new Map([
    [2, 3],
    [6, 4],
  ]).get(header[9] ?? 0);
  if (header[8] !== 8 || bytes === undefined || header[12] !== 0) return png;
  const data = Buffer.concat(chunks.filter((one) => one.type === 'IDAT').map((one) => one.data));
  const pixels = unfiltered(inflateSync(data), { width, height, bytes });
  const colours = Array.from({ length: width * height }, (_, index) => {
    const at = index * bytes;
    return pixels.readUIntBE(at, 3);
  });
  const { kept, numbers } = paletteOf(colours);
  const rows = Buffer.alloc((width + 1) * height);
  for (const [index, colour] of colours.entries())
    rows[index + Math.floor(index / width) + 1] = numbers.get(colour) ?? 0;
  const palette = Buffer.from(kept.flatMap(channelsOf));
  const start = Buffer.from(header);
  start[9] = 3;
  return Buffer.concat([
    signature,
    chunk('IHDR', start),
    chunk('PLTE', palette),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** The colours that are kept, and of every colour the number of that which is nearest. */
function paletteOf(colours: readonly number[]): {
  readonly kept: readonly number[];
  readonly numbers: ReadonlyMap<number, number>;
} {
  const counts = new Map<number, number>();
  for (const colour of colours) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const kept = [...counts]
    .toSorted((one, other) => other[1] - one[1])
    .slice(0, coloursMax)
    .map(([colour]) => colour);
  const nearest = (colour: number): number => {
    const far = kept.map((one) => distance(one, colour));
    return far.indexOf(Math.min(...far));
  };
  return { kept, numbers: new Map([...counts.keys()].map((colour) => [colour, nearest(colour)])) };
}

const channelsOf = (colour: number): readonly [number, number, number] => [
  colour >> 16,
  (colour >> 8) & 255,
  colour & 255,
];

function distance(one: number, other: number): number {
  const to = channelsOf(other);
  return channelsOf(one).reduce((sum, value, index) => sum + (value - (to[index] ?? 0)) ** 2, 0);
}

interface Chunk {
  readonly type: string;
  readonly data: Buffer;
}

function chunksOf(png: Buffer): readonly Chunk[] {
  const found: Chunk[] = [];
  for (let at = signature.length; at + 12 <= png.length;) {
    const length = png.readUInt32BE(at);
    found.push({
      type: png.toString('latin1', at + 4, at + 8),
      data: png.subarray(at + 8, at + 8 + length),
    });
    at += 12 + length;
  }
  return found;
}

function chunk(type: string, data: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.length, 0);
  ends.writeUInt32BE(crc32(typed), 4);
  return Buffer.concat([ends.subarray(0, 4), typed, ends.subarray(4)]);
}

/** Undoes the filters of §6: each byte was written as its difference from those to its left, above, and above to the left. */
function unfiltered(
  data: Buffer,
  { width, height, bytes }: { readonly width: number; readonly height: number; readonly bytes: number },
): Buffer {
  const stride = width * bytes;
  const out = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y += 1) {
    const filter = data[y * (stride + 1)] ?? 0;
    for (let x = 0; x < stride; x += 1) {
      const left = x < bytes ? 0 : (out[y * stride + x - bytes] ?? 0);
      const above = y === 0 ? 0 : (out[(y - 1) * stride + x] ?? 0);
      const corner = x < bytes || y === 0 ? 0 : (out[(y - 1) * stride + x - bytes] ?? 0);
      const written = data[y * (stride + 1) + 1 + x] ?? 0;
      out[y * stride + x] = written + guess(filter, { left, above, corner });
    }
  }
  return out;
}

interface Near {
  readonly left: number;
  readonly above: number;
  readonly corner: number;
}

function guess(filter: number, { left, above, corner }: Near): number {
  if (filter === 1) return left;
  if (filter === 2) return above;
  if (filter === 3) return (left + above) >> 1;
  return filter === 4 ? paeth({ left, above, corner }) : 0;
}

function paeth({ left, above, corner }: Near): number {
  const [a, b, c] = [Math.abs(above - corner), Math.abs(left - corner), Math.abs(left + above - 2 * corner)];
  if (a <= b && a <= c) return left;
  return b <= c ? above : corner;
}
