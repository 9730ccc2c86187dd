// The page: files in, one after the other to the worker; what it finds is shown, counted, and offered as files.

const READY = "Ready. Drop images here, or choose some.";
const at = (id) => document.getElementById(id);
const detector = JSON.parse(at("detector").textContent);
const choice = { threshold: Math.fround(detector.threshold), classes: detector.classes.map(() => true) };
const results = []; // of the images that were read: { name, file, width, height, found, .. }
const refused = []; // [name, reason] of the others
const waiting = []; // files
const questions = new Map(); // functions that take the answers of the worker, by number
let worker, shown, wanted, busy = false, delay;

/** Ask the worker; its answer, or an Error with the reason. */
function ask(kind, question) {
  return new Promise((resolve, reject) => {
    const id = questions.size ? Math.max(...questions.keys()) + 1 : 1;
    questions.set(id, { resolve, reject });
    worker.postMessage({ id, kind, ...question });
  });
}

/** Give an answer of the worker to whoever asked. */
function answered({ data: { id, answer, refusal, done, all } }) {
  if (all) {
    at("tiles").textContent = `${DIGITS.format(done)} of ${DIGITS.format(all)} tiles`;
    return;
  }
  at("tiles").textContent = "";
  const { resolve, reject } = questions.get(id);
  questions.delete(id);
  if (refusal === undefined) resolve(answer);
  else reject(new Error(refusal));
}

/** What this browser lacks, in words; empty where it has all. */
function lacking() {
  const needed = { WebAssembly: 0, Worker: 0, DecompressionStream: 0, OffscreenCanvas: 0, createImageBitmap: 0 };
  return Object.keys(needed).filter((name) => !(name in globalThis)).join(", ");
}

/** Start the worker and load the detector. */
async function start() {
  const remedy = at("browsers").textContent;
  if (lacking()) return say(`This browser cannot run the detector: it has no ${lacking()}. ${remedy}`);
  const texts = Object.fromEntries(["script", "program", "model"].map((id) => [id, at(id).textContent]));
  try {
    worker = new Worker(URL.createObjectURL(new Blob([at("worker").textContent], { type: "text/javascript" })));
    worker.onmessage = answered;
    await ask("start", { ...texts, detector });
  } catch (error) {
    return say(`The detector cannot start: ${error.message}. ${remedy}`);
  }
  document.body.dataset.ready = Math.round(performance.now()); // milliseconds
  for (const input of document.querySelectorAll("main input, main button")) input.disabled = false;
  return say(READY);
}

/** Say something where screen readers hear it. */
function say(text) {
  at("state").textContent = text;
}

/** Take files and work on all that wait, one after the other. */
async function take(files) {
  waiting.push(...files);
  if (busy || !waiting.length) return;
  busy = true;
  const before = results.length + refused.length;
  say(`Working on ${plural(waiting.length, "image")}.`);
  while (waiting.length) {
    const { name, file } = waiting.shift();
    const done = results.length + refused.length - before;
    progress(done, done + waiting.length + 1, name);
    await work(name, file);
  }
  busy = false;
  progress(1, 1, "");
  summarise();
}

/** Detect in a file, and show it if it is the first. */
async function work(name, file) {
  try {
    const result = { name, file, ...(await ask("detect", { file })) };
    result.thumbnail = canvasOf(result.thumbnail);
    result.row = rowOf(result, () => show(result, true));
    results.push(result);
    count(result);
    at("rows").append(result.row);
    at("results").hidden = false;
    if (results.length === 1) await show(result, false);
    placed();
  } catch (error) {
    refused.push([name, error.message]);
    at("refused").hidden = false;
    at("reasons").append(element("li", {}, element("b", { text: name }), ` ${error.message}`));
  }
}

/** How far it is. */
function progress(done, all, name) {
  at("progress").hidden = done === all;
  at("bar").max = all;
  at("bar").value = done;
  at("doing").textContent = `${done + 1} of ${all}: ${name}`;
}

/** Write the counts of a result into its row. */
function count(result) {
  const counts = counted(chosen(result, choice), result.width * result.height, detector.classes);
  fill(result.row, result, counts, detector.classes);
}

/** What was found in all images, in words. */
function summarise() {
  const numbers = detector.classes.map(() => 0);
  const objects = results.flatMap((result) => chosen(result, choice));
  for (const { label } of objects) numbers[label]++;
  const names = detector.classes.map((name, label) => `${name} ${DIGITS.format(numbers[label])}`);
  const list = names.length > 1 && objects.length ? ` (${names.filter((_, label) => numbers[label]).join(", ")})` : "";
  const found = `${plural(objects.length, "object")}${list} in ${plural(results.length, "image")}`;
  const without = refused.length ? `; ${plural(refused.length, "file")} not read` : "";
  const from = `from a score of ${choice.threshold.toFixed(2)} on`;
  say(results.length ? `${found}, ${from}${without}.` : `No image${without}.`);
}

/** Show the picture of a result, unless another one is asked for before it is read. */
async function show(result, scroll) {
  wanted = result;
  try {
    result.image ??= canvasOf(await ask("show", { file: result.file }));
  } catch (error) {
    say(`${result.name} ${error.message}`);
    return;
  }
  if (wanted !== result) return;
  if (shown && shown !== result) shown.image = undefined; // memory for one decoded image
  shown?.row.removeAttribute("aria-current");
  shown = result;
  result.row.setAttribute("aria-current", "true");
  redraw();
  if (scroll) at("viewer").scrollIntoView({ block: "nearest" });
}

/** Draw the boxes of the picture anew. */
function redraw() {
  const objects = chosen(shown, choice);
  draw(at("picture"), shown.image, objects, SHOWN, detector);
  at("caption").textContent = `${shown.name}: ${plural(objects.length, "object")}`;
  at("picture").setAttribute("aria-label", at("caption").textContent);
  placed();
}

/** Say which of how many images is shown. */
function placed() {
  const place = results.indexOf(shown);
  at("place").textContent = `${place + 1} of ${DIGITS.format(results.length)}`;
  at("previous").disabled = place === 0;
  at("next").disabled = place === results.length - 1;
}

/** Another threshold, or other classes: the picture follows at once, the table after a moment. */
function changed() {
  at("score").textContent = choice.threshold.toFixed(2);
  if (!shown) return;
  redraw();
  clearTimeout(delay);
  delay = setTimeout(() => {
    results.forEach(count);
    if (!busy) summarise();
  }, 150);
}
