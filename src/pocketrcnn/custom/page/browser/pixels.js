// Image files as 8-bit RGB, { pixels, width, height, notes }, or refused in words: data/images/pixels.py in a browser.
// PNG is decoded here, value by value; all other formats by the browser.

const PIXEL_LIMIT = 100_000_000; // pixels of the largest image that is decoded
const DARK = 8; // an image is dark whose largest value is under such a part of its range
const READ_BY_BROWSERS = [[0xff, 0xd8, 0xff], [0x47, 0x49, 0x46, 0x38], [0x42, 0x4d]]; // JPEG, GIF, BMP
const TIFF_STARTS = ["II*\0", "MM\0*", "II+\0", "MM\0+"];
const UNKNOWN = "is not an image that a browser reads: convert it to PNG or JPEG, or remove it";
const TIFF = "is a TIFF, which browsers do not read: save it as PNG, or use `pocketrcnn predict`";

/** A file that is not read, with the reason: what goes on after its name. */
class Refusal extends Error {}

/** Throws Refusal. */
function refuse(reason) {
  throw new Refusal(reason);
}

/** Throws Refusal for an image that would take too much memory. */
function requireSize(width, height) {
  if (width * height <= PIXEL_LIMIT) return;
  const [w, h, most] = [width, height, PIXEL_LIMIT].map((number) => number.toLocaleString("en"));
  throw new Refusal(`has ${w} x ${h} pixels, more than the limit of ${most}: downscale it or cut it into tiles`);
}

/** A file as an image, as it is shown. foreign: what other files are, by their endings and by their first bytes. pages:
 *  what the detector reads of files of several frames. */
async function readImage(file, { foreign, pages }) {
  const bytes = new Uint8Array(await file.arrayBuffer().catch(() => refuse("cannot be read: choose it again")));
  if (!isPng(bytes) && !isDecoded(bytes)) throw new Refusal(refusal(bytes, file.name, foreign));
  const notes = framesNotes(bytes, pages);
  const image = isPng(bytes) ? fromPng(await decodedPng(bytes)) : await fromBrowser(file, bytes);
  return { ...image, notes: [...image.notes, ...notes] };
}

/** Whether a file is of a format that browsers decode, but PNG. */
function isDecoded(bytes) {
  const text = latin1(bytes, 32);
  const isWebp = text.startsWith("RIFF") && text.slice(8, 12) === "WEBP";
  const isAvif = text.slice(4, 8) === "ftyp" && /avi[fs]/.test(text.slice(8));
  return isWebp || isAvif || READ_BY_BROWSERS.some((start) => start.every((byte, i) => bytes[i] === byte));
}

/** What a file is that is not read, and what to do about it. */
function refusal(bytes, name, foreign) {
  if (!bytes.length) return "is empty: replace or remove it";
  const text = latin1(bytes, 512);
  if (TIFF_STARTS.some((start) => text.startsWith(start))) return TIFF;
  const letters = text.toLowerCase();
  const kind = Object.keys(foreign.starts).find((start) => letters.startsWith(start));
  if (kind !== undefined) return foreign.starts[kind];
  if (text.slice(4, 8) === "ftyp") return /^(hei|hev|mif|msf)/.test(text.slice(8)) ? foreign.heic : foreign.video;
  return foreign.endings[endingOf(name)] ?? UNKNOWN;
}

/** The first bytes of a file as text, a letter each. */
function latin1(bytes, count) {
  return String.fromCharCode(...bytes.subarray(0, count));
}

/** The ending of a name in small letters, with its dot. */
function endingOf(name) {
  return name.slice(name.lastIndexOf(".")).toLowerCase();
}

/** A file decoded by the browser, laid over black, as it is shown, without a conversion of colours. */
async function fromBrowser(file, bytes) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  } catch {
    throw new Refusal("is damaged, or of a kind that this browser does not read: save it as PNG, or replace it");
  }
  const { width, height } = bitmap;
  requireSize(width, height);
  const context = new OffscreenCanvas(width, height).getContext("2d", { alpha: false, willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const pixels = withoutAlpha(context.getImageData(0, 0, width, height).data);
  return upright(withNotes({ pixels, width, height }), orientationOfXmp(bytes));
}

/** RGBA as RGB; alpha is left out. */
function withoutAlpha(values) {
  const pixels = new Uint8Array((values.length / 4) * 3);
  for (let from = 0, to = 0; from < values.length; from += 4) {
    pixels[to++] = values[from];
    pixels[to++] = values[from + 1];
    pixels[to++] = values[from + 2];
  }
  return pixels;
}

/** A decoded PNG as an image. */
function fromPng(png) {
  const { width, height } = png;
  const channels = png.depth === 16 ? inEightBits(png) : coloursOf(png);
  return upright(withNotes({ pixels: overBlack(channels, width * height), width, height }), png.orientation);
}

/** The channels of a PNG of at most 8 bits: functions from a pixel to a byte; red, green, blue, alpha. */
function coloursOf({ values, colour, depth, channels, palette, transparent }) {
  if (colour === PALETTE) {
    if (!palette) throw new Refusal(DAMAGED);
    const opacity = transparent && ((i) => transparent[values[i]] ?? 255);
    return [...[0, 1, 2].map((c) => (i) => palette[3 * values[i] + c] ?? 0), opacity];
  }
  const scale = depth < 8 ? 255 / ((1 << depth) - 1) : 1;
  const shown = channels > 2 ? [0, 1, 2] : [0, 0, 0];
  const colours = shown.map((c) => (i) => values[channels * i + c] * scale);
  return [...colours, opacityOf(values, channels, transparent)];
}

/** Alpha of the pixels of grey and colours; undefined where all are opaque. transparent: the value that is not. */
function opacityOf(values, channels, transparent) {
  if (channels % 2 === 0) return (i) => values[channels * i + channels - 1];
  if (!transparent) return undefined;
  const hidden = Array.from({ length: channels }, (_, c) => (transparent[2 * c] << 8) | transparent[2 * c + 1]);
  return (i) => (hidden.every((value, c) => values[channels * i + c] === value) ? 0 : 255);
}

/** Channels as pixels, laid over black. */
function overBlack([red, green, blue, opacity], count) {
  const pixels = new Uint8Array(3 * count);
  for (let i = 0, to = 0; i < count; i++) {
    const alpha = opacity ? opacity(i) : 255;
    for (const channel of [red, green, blue]) pixels[to++] = alpha === 255 ? channel(i) : times(channel(i), alpha);
  }
  return pixels;
}

/** value * alpha / 255, rounded. */
function times(value, alpha) {
  const product = value * alpha + 128;
  return (product + (product >> 8)) >> 8;
}

/** An image with what its owner should know of it. */
function withNotes(image) {
  const largest = image.pixels.reduce((most, value) => Math.max(most, value), 0);
  const dark = largest > 0 && largest * DARK < 255;
  return { ...image, notes: dark ? [`has values up to ${largest} of 255: it is nearly black`] : [] };
}
