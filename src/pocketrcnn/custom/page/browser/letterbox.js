// Images of any size as inputs of the network, and its boxes in their pixels: data/images/letterbox.py, with Pillow's
// arithmetic (Resample.c, Reduce.c): the same grey levels, or, of tall images, the next ones.
// An image is { pixels, width, height }: bytes, three a pixel (red, green, blue), row by row.

const FILL = 128; // the grey around an image that does not fill its input
const GAP = 3; // whole pixels are averaged first, where that leaves so many times the requested size
const BITS = 22; // of a weight

/** To a whole number, halves to the even one, as Python does. */
function rounded(value) {
  const low = Math.floor(value);
  const rest = value - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 !== 0) ? low + 1 : low;
}

/** Width and height in the input: the longer side becomes `side` where it is longer than that. */
function scaledSize(width, height, side) {
  const longest = Math.max(width, height);
  if (longest <= side) return [width, height];
  return [width, height].map((length) => Math.max(1, rounded((length * side) / longest)));
}

/** An image as a padded input of side x side pixels, in its upper left corner, and the scales to the right and down. */
function letterbox(image, side) {
  const [width, height] = scaledSize(image.width, image.height, side);
  const small = resized(image, width, height);
  const input = new Uint8Array(side * side * 3).fill(FILL);
  for (let row = 0; row < height; row++) {
    input.set(small.pixels.subarray(row * width * 3, (row + 1) * width * 3), row * side * 3);
  }
  return { input, scales: [width / image.width, height / image.height] };
}

/** An image made smaller: averaged by a triangle filter, after whole pixels were averaged where there are many. */
function resized(image, width, height) {
  if (width === image.width && height === image.height) return image;
  const factors = [image.width / width / GAP, image.height / height / GAP].map((f) => Math.trunc(f) || 1);
  const start = factors.some((factor) => factor > 1) ? reduced(image, ...factors) : image;
  const across = filtered(start, width, weightsOf(start.width, Math.fround(image.width / factors[0]), width), true);
  return filtered(across, height, weightsOf(start.height, Math.fround(image.height / factors[1]), height), false);
}

/** Each block of `right` x `down` pixels becomes their mean; at the right and lower border blocks may be smaller. */
function reduced(image, right, down) {
  const [width, height] = [Math.ceil(image.width / right), Math.ceil(image.height / down)];
  const pixels = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [left, top] = [column * right, row * down];
      const [across, along] = [Math.min(right, image.width - left), Math.min(down, image.height - top)];
      const to = (row * width + column) * 3;
      for (let colour = 0; colour < 3; colour++) pixels[to + colour] = meanOf(image, left, top, across, along, colour);
    }
  }
  return { pixels, width, height };
}

/** The mean of one colour in a block of pixels, rounded as Pillow does: a multiplication in place of a division. */
function meanOf(image, left, top, width, height, colour) {
  const count = width * height;
  let sum = Math.floor(count / 2);
  for (let row = top; row < top + height; row++) {
    let at = (row * image.width + left) * 3 + colour;
    for (let column = 0; column < width; column++, at += 3) sum += image.pixels[at];
  }
  const factor = Math.trunc(Math.fround(2 ** 32 / Math.fround(256 * count)));
  return Math.floor((sum * factor) / 2 ** 24);
}

/** For each of `size` pixels along an axis the first pixel of the source, and the weights of it and those after it.
 *  length: pixels of the source. end: where the last of them ends, which need not be a whole number. */
function weightsOf(length, end, size) {
  const scale = end / size;
  const support = Math.max(scale, 1); // pixels of the source on each side of the centre
  return Array.from({ length: size }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const last = Math.min(length, Math.trunc(centre + support + 0.5));
    const weights = [];
    for (let x = first; x < last; x++) weights.push(Math.max(0, 1 - Math.abs((x - centre + 0.5) * (1 / support))));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, weights: weights.map((weight) => Math.trunc((weight / sum) * 2 ** BITS + 0.5)) };
  });
}

/** An image with `size` pixels along an axis, each a weighted sum. across: whether that is its width. */
function filtered(image, size, weights, across) {
  const width = across ? size : image.width;
  const height = across ? image.height : size;
  if (width === image.width && height === image.height) return image;
  const pixels = new Uint8Array(width * height * 3);
  const step = across ? 3 : image.width * 3; // bytes from a pixel to the next one along the axis
  for (let row = 0, to = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const { first, weights: w } = weights[across ? column : row];
      const from = across ? row * image.width * 3 : column * 3;
      for (let colour = 0; colour < 3; colour++, to++) {
        let sum = 2 ** (BITS - 1);
        let at = from + first * step + colour;
        for (let i = 0; i < w.length; i++, at += step) sum += image.pixels[at] * w[i];
        pixels[to] = sum >= 2 ** 30 ? 255 : sum >> BITS;
      }
    }
  }
  return { pixels, width, height };
}

/** Boxes of an input in pixels of the image, cut at its borders, without padding and without those that are empty.
 *  found: { boxes, scores, labels } of the network. scales, size: to the right and down.
 *  origin: the column and row where the input begins. */
function toImage(found, scales, size, origin) {
  const kept = [];
  for (let i = 0; i < found.scores.length; i++) {
    if (found.labels[i] < 0) continue; // padding
    const box = [0, 1, 2, 3].map((j) => {
      const corner = Math.fround(found.boxes[4 * i + j] / scales[j % 2] + origin[j % 2]);
      return Math.min(Math.max(corner, 0), size[j % 2]);
    });
    if (box[2] > box[0] && box[3] > box[1]) kept.push({ box, score: found.scores[i], label: found.labels[i] });
  }
  return kept;
}
