// PNG files to their values, as they are in the file (PNG specification, third edition). The decoder of a browser would
// halve 16 bits, and multiply colours by their transparency.

const PNG_START = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const GREY = 0, PALETTE = 3; // types of colours; 2: RGB, 4: grey and alpha, 6: RGBA
const CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const DEPTHS = { 0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16] }; // bits of a value
const WHOLE = [[0, 0, 1, 1]]; // first column and row of a pass, steps to the right and down
const ADAM7 = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];
const DAMAGED = "is a damaged PNG that cannot be decoded: replace or remove it";
const XMP = "XML:com.adobe.xmp\0\0\0\0\0"; // the head of a text that is not compressed

/** Whether a file is a PNG. */
function isPng(bytes) {
  return PNG_START.every((byte, i) => bytes[i] === byte);
}

/** The values of a PNG: { width, height, depth, colour, channels, values, palette, transparent, orientation }.
 *  values: bytes, or numbers of 16 bits; those of fewer bits than 8 are one a byte. Throws Refusal. */
async function decodedPng(bytes) {
  const { parts, data } = chunksOf(bytes);
  const header = headerOf(parts.IHDR);
  const Values = header.depth === 16 ? Uint16Array : Uint8Array;
  const passes = (header.interlaced ? ADAM7 : WHOLE).map((pass) => passOf(header, pass));
  const rows = await inflated(data, passes.reduce((sum, pass) => sum + pass.rows * (1 + pass.bytes), 0));
  const image = { ...header, values: new Values(header.width * header.height * header.channels) };
  passes.reduce((offset, pass) => unpacked(image, pass, rows, offset), 0);
  return { ...image, palette: parts.PLTE, transparent: parts.tRNS, orientation: orientationOfPng(parts) };
}

/** The chunks that are used, by name, and the compressed values. */
function chunksOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts = {}, data = [];
  for (let at = PNG_START.length; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const kind = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const content = bytes.subarray(at + 8, at + 8 + length);
    if (kind === "IDAT") data.push(content);
    else if (kind === "iTXt") parts.XMP ??= xmpOf(content);
    else parts[kind] ??= content;
    at += 12 + length;
  }
  return { parts, data };
}

/** The XMP in a text of a PNG; undefined for other texts. */
function xmpOf(content) {
  const text = new TextDecoder("latin1").decode(content);
  return text.startsWith(XMP) ? text : undefined;
}

/** The head of a PNG, its size checked before anything is decoded. */
function headerOf(content) {
  if (content === undefined || content.length < 13) throw new Refusal(DAMAGED);
  const view = new DataView(content.buffer, content.byteOffset, 13);
  const [width, height, depth, colour] = [view.getUint32(0), view.getUint32(4), content[8], content[9]];
  if (!width || !height || !DEPTHS[colour]?.includes(depth) || content[12] > 1) throw new Refusal(DAMAGED);
  requireSize(width, height);
  return { width, height, depth, colour, channels: CHANNELS[colour], interlaced: content[12] === 1 };
}

/** A pass over an image: where its pixels are, how many columns and rows it has, and the bytes of a row. */
function passOf({ width, height, depth, channels }, [left, top, right, down]) {
  const columns = Math.max(0, Math.ceil((width - left) / right));
  const rows = columns ? Math.max(0, Math.ceil((height - top) / down)) : 0;
  return { left, top, right, down, columns, rows, bytes: Math.ceil((columns * channels * depth) / 8) };
}

/** So many bytes of compressed data. */
async function inflated(data, count) {
  const bytes = new Uint8Array(count);
  let done = 0;
  try {
    const reader = new Blob(data).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
    while (done < count) {
      const { value, done: ended } = await reader.read();
      if (ended) break;
      bytes.set(value.subarray(0, count - done), done);
      done += value.length;
    }
    reader.cancel().catch(() => {}); // of what may follow
  } catch {
    throw new Refusal(DAMAGED);
  }
  if (done < count) throw new Refusal(DAMAGED);
  return bytes;
}

/** The rows of a pass, into the values of the image. Returns where the next pass begins. */
function unpacked(image, pass, bytes, offset) {
  const nearest = Math.max(1, (image.channels * image.depth) >> 3); // bytes to the pixel on the left
  let above = new Uint8Array(pass.bytes);
  for (let row = 0; row < pass.rows; row++) {
    const line = bytes.subarray(offset + 1, offset + 1 + pass.bytes);
    unfiltered(bytes[offset], line, above, nearest);
    const first = ((pass.top + row * pass.down) * image.width + pass.left) * image.channels;
    for (let column = 0; column < pass.columns; column++) {
      for (let channel = 0; channel < image.channels; channel++) {
        const to = first + column * pass.right * image.channels + channel;
        image.values[to] = valueOf(line, column * image.channels + channel, image.depth);
      }
    }
    above = line;
    offset += 1 + pass.bytes;
  }
  return offset;
}

/** A value of a row. */
function valueOf(line, index, depth) {
  if (depth === 8) return line[index];
  if (depth === 16) return (line[2 * index] << 8) | line[2 * index + 1];
  const bit = index * depth;
  return (line[bit >> 3] >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
}

/** Undo the filter of a row in place (PNG specification, section 9). */
function unfiltered(filter, line, above, nearest) {
  if (filter > 4) throw new Refusal(DAMAGED);
  for (let i = 0; i < line.length; i++) {
    const left = i >= nearest ? line[i - nearest] : 0;
    if (filter === 1) line[i] += left;
    else if (filter === 2) line[i] += above[i];
    else if (filter === 3) line[i] += (left + above[i]) >> 1;
    else if (filter === 4) line[i] += paeth(left, above[i], i >= nearest ? above[i - nearest] : 0);
  }
}

/** The one of three neighbours that is nearest to left + above - corner. */
function paeth(left, above, corner) {
  const [toLeft, toAbove] = [Math.abs(above - corner), Math.abs(left - corner)];
  const toCorner = Math.abs(left + above - 2 * corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}
