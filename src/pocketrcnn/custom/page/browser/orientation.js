// How a file says that it is to be rotated before it is shown (EXIF 2.32, "Orientation"): data/images/orientation.py.
// Browsers follow EXIF in the formats that they decode, but in no PNG that is decoded here, and never XMP.

const TAG = 0x0112;
const EXIF = "Exif\0\0";
const XMP_ORIENTATION = /tiff:Orientation(?:="|>)([1-8])/;
const SOURCES = { // of a pixel of the image that is shown: from its column, its row, and the largest ones of the file
  2: (x, y, right) => [right - x, y],
  3: (x, y, right, bottom) => [right - x, bottom - y],
  4: (x, y, right, bottom) => [x, bottom - y],
  5: (x, y) => [y, x],
  6: (x, y, right, bottom) => [y, bottom - x],
  7: (x, y, right, bottom) => [right - y, bottom - x],
  8: (x, y, right) => [right - y, x],
};

/** Of a PNG, by its chunks; 1 for most. */
function orientationOfPng({ eXIf, XMP: text }) {
  return orientationOfExif(eXIf) || Number(XMP_ORIENTATION.exec(text ?? "")?.[1] ?? 1);
}

/** Of a file of another format: that of XMP, where EXIF, which the browser follows, says nothing. */
function orientationOfXmp(bytes) {
  const text = latin1Long(bytes.subarray(0, 1 << 17));
  const exif = text.indexOf(EXIF);
  if (exif >= 0 && orientationOfExif(bytes.subarray(exif + EXIF.length))) return 1;
  return Number(XMP_ORIENTATION.exec(text)?.[1] ?? 1);
}

/** Bytes as text, a letter each. */
function latin1Long(bytes) {
  return new TextDecoder("latin1").decode(bytes);
}

/** The orientation in EXIF data; 0 where these have none, or are damaged. */
function orientationOfExif(bytes) {
  try {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const little = view.getUint16(0) === 0x4949;
    const first = view.getUint32(4, little);
    for (let i = 0; i < view.getUint16(first, little); i++) {
      const entry = first + 2 + 12 * i;
      if (view.getUint16(entry, little) === TAG) return view.getUint16(entry + 8, little);
    }
  } catch {
    // damaged, or not there
  }
  return 0;
}

/** An image rotated. */
function upright(image, orientation) {
  const source = SOURCES[orientation];
  if (!source) return image;
  const [width, height] = orientation > 4 ? [image.height, image.width] : [image.width, image.height];
  const pixels = new Uint8Array(image.pixels.length);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 3) {
      const [column, row] = source(x, y, image.width - 1, image.height - 1);
      const from = (row * image.width + column) * 3;
      for (let colour = 0; colour < 3; colour++) pixels[to + colour] = image.pixels[from + colour];
    }
  }
  return { ...image, pixels, width, height };
}
