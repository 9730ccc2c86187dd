// Whether an image file holds several frames, of which a browser gives the first: data/images/stacks.py in a browser.

const READINGS = { max: "the maximum", mean: "the mean", all: "each" }; // of the frames, by `pages` of a detector

/** A note where a file holds several frames. pages: what the detector reads of such files. Throws Refusal where that is
 *  more than the first. */
function framesNotes(bytes, pages) {
  if (!isMoving(bytes)) return [];
  if (pages === "first") return ["holds several frames: the first is read"];
  throw new Refusal(`holds several frames, of which this detector reads ${READINGS[pages]}: use \`pocketrcnn predict\``);
}

/** Whether a file is a GIF, PNG, WebP or AVIF of several frames. */
function isMoving(bytes) {
  const text = latin1(bytes, 32);
  if (isPng(bytes)) return framesOfPng(bytes) > 1;
  if (text.startsWith("GIF8")) return framesOfGif(bytes) > 1;
  if (text.startsWith("RIFF")) return framesOfWebp(bytes) > 1;
  return text.slice(4, 12) === "ftypavis";
}

/** Frames of a PNG; the image itself is one more where it is no frame of the animation. */
function framesOfPng(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let frames = 0, more = 1;
  for (let at = PNG_START.length; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    const kind = latin1(bytes.subarray(at + 4), 4);
    if (kind === "acTL") frames = view.getUint32(at + 8);
    if (kind === "fcTL") more = 0;
    if (kind === "IDAT") break;
  }
  return frames + more;
}

/** Frames of a GIF: its blocks are passed by, one after the other. */
function framesOfGif(bytes) {
  const table = (flags) => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0); // bytes of colours
  let frames = 0, at = 13 + table(bytes[10]);
  while (bytes[at] === 0x21 || bytes[at] === 0x2c) {
    const isImage = bytes[at] === 0x2c;
    frames += isImage;
    at += isImage ? 11 + table(bytes[at + 9]) : 2;
    while (bytes[at]) at += bytes[at] + 1;
    at += 1;
  }
  return frames;
}

/** Frames of a moving WebP; 0 of all others. */
function framesOfWebp(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let frames = 0;
  for (let at = 12, length; at + 8 <= bytes.length; at += 8 + length + (length % 2)) {
    length = view.getUint32(at + 4, true);
    frames += latin1(bytes.subarray(at), 4) === "ANMF";
  }
  return frames;
}
