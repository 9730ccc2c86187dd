// Several files in one, without compression, since PNG is compressed already (PKWARE, "APPNOTE", sections 4.3 and 4.4).

const MOST_FILES = 65_535, MOST_BYTES = 2 ** 32 - 1; // more need another kind of file
const UTF8 = 0x0800; // names are
const DAY = 0x0021; // 1980-01-01: the same files give the same bytes
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32 of bytes. */
function crcOf(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** A file to which others are added one by one. */
class Zip {
  parts = [];
  directory = [];
  size = 0;

  /** Add the bytes of a file. Throws Error where one file cannot hold more. */
  add(name, bytes) {
    const letters = new TextEncoder().encode(name);
    if (this.directory.length === 2 * MOST_FILES || this.size + bytes.length > MOST_BYTES - 2 ** 26) {
      throw new Error("more than 4 GB, or than 65,535 pictures: choose fewer images");
    }
    const sizes = [[4, crcOf(bytes)], [4, bytes.length], [4, bytes.length]];
    const facts = [[2, 20], [2, UTF8], [2, 0], [2, 0], [2, DAY], ...sizes];
    const local = [[4, 0x04034b50], ...facts, [2, letters.length], [2, 0]];
    const entry = [[4, 0x02014b50], [2, 20], ...facts, [2, letters.length], [2, 0], [2, 0], [2, 0], [2, 0], [4, 0]];
    this.directory.push(numbers([...entry, [4, this.size]]), letters);
    this.append(numbers(local), letters, bytes);
  }

  /** The whole file. */
  finished() {
    const count = this.directory.length / 2, start = this.size;
    this.append(...this.directory);
    const length = this.size - start;
    this.append(numbers([[4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, length], [4, start], [2, 0]]));
    return new Blob(this.parts, { type: "application/zip" });
  }

  append(...parts) {
    for (const part of parts) this.size += part.length;
    this.parts.push(...parts);
  }
}

/** Numbers, each of so many bytes, the lowest byte first. */
function numbers(pairs) {
  const bytesOf = ([length, value]) => Array.from({ length }, (_, i) => (value >>> (8 * i)) & 255);
  return Uint8Array.from(pairs.flatMap(bytesOf));
}
