// The worker: reads images and runs the network, so that the page stays alive. The other files stand before this one.
// A question is { id, kind, .. }; its answer { id, answer }, or { id, refusal } with the reason in words.

const ANSWERS = { start, detect, show };
const THUMBNAIL = 64; // pixels of its longer side
const BROKEN = "this copy of the page is damaged: ask for it again";

let engine, session, settings;

onmessage = async ({ data: { id, kind, ...question } }) => {
  try {
    postMessage({ id, answer: await ANSWERS[kind](question) });
  } catch (error) {
    const text = error instanceof Refusal ? error.message : `cannot be computed (${error?.message ?? error})`;
    postMessage({ id, refusal: text });
  }
};

/** Load the engine and the network. script, program, model: base64 of gzip. */
async function start({ script, program, model, detector }) {
  settings = detector;
  const [source, wasm, network] = await Promise.all([script, program, model].map(unpackedText));
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  engine = await import(address);
  URL.revokeObjectURL(address);
  engine.env.wasm.numThreads = 1; // more need headers that only a server can send
  engine.env.wasm.wasmBinary = wasm;
  session = await engine.InferenceSession.create(network, { executionProviders: ["wasm"], logSeverityLevel: 4 });
  await session.run({ images: inputTensor(new Uint8Array(settings.side ** 2 * 3)) }); // the first run is slow
}

/** Base64 of gzip as bytes; gzip has a checksum. */
async function unpackedText(text) {
  try {
    const letters = atob(text);
    const bytes = new Uint8Array(letters.length);
    for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    throw new Refusal(BROKEN);
  }
}

/** The detections in an image file, down to the lowest scores, and a small copy of it. */
async function detect({ file }) {
  const began = performance.now();
  const image = await readImage(file, settings.foreign);
  const found = await detections(image);
  const { width, height, notes } = image;
  const thumbnail = withAlpha(resized(image, ...scaledSize(width, height, THUMBNAIL)));
  return { width, height, notes, found, thumbnail, milliseconds: performance.now() - began };
}

/** The pixels of an image file, for a canvas. */
async function show({ file }) {
  return withAlpha(await readImage(file, settings.foreign));
}

/** The detections in an image, best first: [{ box, score, label }], in pixels of the image. */
async function detections(image) {
  const { input, scales } = letterbox(image, settings.side);
  return toImage(await run(input), scales, [image.width, image.height]);
}

/** What the network finds in an input. */
async function run(input) {
  const { boxes, scores, labels } = await session.run({ images: inputTensor(input) });
  return { boxes: boxes.data, scores: scores.data, labels: Array.from(labels.data, Number) };
}

/** One input as a tensor [1,S,S,3]. */
function inputTensor(input) {
  return new engine.Tensor("uint8", input, [1, settings.side, settings.side, 3]);
}

/** RGB as the RGBA of a canvas. */
function withAlpha({ pixels, width, height }) {
  const values = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let from = 0, to = 0; from < pixels.length; to++) {
    for (let colour = 0; colour < 3; colour++) values[to++] = pixels[from++];
  }
  return { values, width, height };
}
