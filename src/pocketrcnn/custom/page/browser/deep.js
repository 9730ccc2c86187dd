// Values of 16 bits as bytes, in the arithmetic of data/images/bands.py and data/images/deep.py.

const CAMERAS = [8, 10, 12, 14, 16]; // bits a channel
const SAMPLES = 1_000_000; // values from which percentiles are taken
const PERCENTILES = [0.001, 0.999];

/** The channels of a PNG of 16 bits, functions from a pixel to a byte: grey is stretched; of colours, and of alpha, the
 *  upper 8 of the bits that are used are kept. */
function inEightBits({ values, channels }) {
  const alpha = channels % 2 === 0 ? reduced16(values, channels, [channels - 1])[0] : undefined;
  if (channels > 2) return [...reduced16(values, channels, [0, 1, 2]), alpha];
  const grey = stretched(channels === 1 ? values : values.filter((_, i) => i % channels === 0));
  return [grey, grey, grey, alpha];
}

/** Some channels as the upper 8 of the bits that they use together. */
function reduced16(values, channels, wanted) {
  let largest = 0;
  for (let i = 0; i < values.length; i += channels) {
    for (const channel of wanted) largest = Math.max(largest, values[i + channel]);
  }
  const shift = CAMERAS.find((bits) => largest < 2 ** bits) - 8;
  return wanted.map((channel) => (i) => values[channels * i + channel] >> shift);
}

/** Grey values linearly between their limits. */
function stretched(values) {
  const [low, high] = limitsOf(values);
  const slope = 255 / (high - low);
  return (i) => {
    const value = values[i];
    if (low >= high || value <= low) return 0;
    return value >= high ? 255 : rounded(slope * (value - low));
  };
}

/** The percentiles of values, of every n-th of many; where those agree, the extremes. */
function limitsOf(values) {
  const step = 1 + Math.floor(values.length / SAMPLES);
  const some = Uint16Array.from({ length: Math.ceil(values.length / step) }, (_, i) => values[i * step]).sort();
  const [low, high] = PERCENTILES.map((part) => percentile(some, part));
  if (low < high) return [low, high];
  return values.reduce(([least, most], value) => [Math.min(least, value), Math.max(most, value)], [65535, 0]);
}

/** A percentile of sorted values, between two of them as numpy.percentile has it. */
function percentile(sorted, part) {
  const place = part * (sorted.length - 1);
  const below = Math.floor(place);
  const rest = place - below;
  const [a, b] = [sorted[below], sorted[Math.min(below + 1, sorted.length - 1)]];
  return rest < 0.5 ? a + (b - a) * rest : b - (b - a) * (1 - rest);
}
