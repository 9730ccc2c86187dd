// The worker: reads images and runs the network, so that the page stays alive. The other files stand before this one.
// A question is { id, kind, .. }; its answer { id, answer }, or { id, refusal } with the reason in words. Before it may
// come { id, done, all }: how far it is.

const ANSWERS = { start, detect, show };
const THUMBNAIL = 64; // pixels of its longer side
const LARGEST_PICTURE = 4096; // pixels of the longer side of an image on the page
const BROKEN = "this copy of the page is damaged: ask for it again";

let engine, session, settings;

onmessage = async ({ data: { id, kind, ...question } }) => {
  try {
    const tell = (done, all) => postMessage({ id, done, all });
    postMessage({ id, answer: await ANSWERS[kind](question, tell) });
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
async function detect({ file }, tell) {
  const began = performance.now();
  const image = await readImage(file, settings);
  const found = await detections(image, tell);
  const { width, height, notes } = image;
  const thumbnail = withAlpha(resized(image, ...scaledSize(width, height, THUMBNAIL)));
  return { width, height, notes, found, thumbnail, milliseconds: performance.now() - began };
}

/** The pixels of an image file, for a canvas; large ones made smaller by a whole factor. */
async function show({ file }) {
  const image = await readImage(file, settings);
  const factor = Math.ceil(Math.max(image.width, image.height) / LARGEST_PICTURE);
  return { ...withAlpha(factor > 1 ? reduced(image, factor, factor) : image), factor };
}

/** The detections in an image, best first: [{ box, score, label }], in pixels of the image. tell: takes how many of its
 *  tiles are done. */
async function detections(image, tell) {
  const { side, overlap } = settings, size = [image.width, image.height];
  const origins = originsOf(size, side, overlap);
  const found = [];
  for (const origin of origins) {
    const { input, scales } = letterbox(origins.length > 1 ? tileOf(image, origin, side) : image, side);
    found.push(toImage(await run(input), scales, size, origin));
    if (origins.length > 1) tell(found.length, origins.length);
  }
  return putTogether(found, origins, side, size);
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
