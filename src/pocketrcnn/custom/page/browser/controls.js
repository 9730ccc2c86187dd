// What people do on the page, and what follows. The other files of the page stand before this one.

/** Set the threshold, 0 to 1, as the slider has it or as it is stored. */
function setThreshold(value) {
  choice.threshold = Math.fround(value); // scores have this precision, too
  at("threshold").value = value;
  changed();
}

/** A check box for each class. */
function classBoxes() {
  return detector.classes.map((name, label) => {
    const box = element("input", { type: "checkbox" });
    box.checked = true;
    box.addEventListener("change", () => {
      choice.classes[label] = box.checked;
      changed();
    });
    const colour = element("span", { class: "swatch" });
    colour.style.background = detector.colours[label % detector.colours.length];
    return element("label", {}, box, colour, name);
  });
}

/** The example images in the page as files. */
async function exampleFiles() {
  return detector.examples.map(({ name, content }) => {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    return { name, file: new File([bytes], name, { type: "image/png" }) };
  });
}

/** Offer rows as a CSV file. */
function offerTable(rows, name) {
  offer(new Blob([csv(rows)], { type: "text/csv" }), name);
}

/** The name of a picture, which no other has; in any capitals, as some systems see them. */
function pictureName(name, taken) {
  const stem = name.slice(name.lastIndexOf("/") + 1).replace(/\.[^.]*$/, "");
  let free = stem;
  for (let i = 2; taken.has(free.toLowerCase()); i++) free = `${stem}-${i}`;
  taken.add(free.toLowerCase());
  return `${free}.png`;
}

/** Draw all images with their boxes, and offer them as one file. */
async function offerPictures() {
  const zip = new Zip(), taken = new Set(), canvas = document.createElement("canvas");
  at("pictures").disabled = true;
  try {
    for (const [i, { name, file, ...result }] of results.entries()) {
      progress(i, results.length, name);
      const image = canvasOf(await ask("show", { file }));
      draw(canvas, image, chosen(result, choice), SAVED, detector);
      zip.add(pictureName(name, taken), await pngOf(canvas));
    }
    offer(zip.finished(), "pictures.zip");
  } catch (error) {
    say(`The pictures cannot be saved: ${error.message}.`);
  }
  progress(1, 1, "");
  at("pictures").disabled = false;
}

/** Offer the picture that is shown. */
async function offerPicture() {
  const canvas = document.createElement("canvas");
  draw(canvas, shown.image, chosen(shown, choice), SAVED, detector);
  offer(new Blob([await pngOf(canvas)], { type: "image/png" }), pictureName(shown.name, new Set()));
}

/** Leave out what waits; the image at work is finished. */
function stop() {
  waiting.length = 0;
}

/** Forget all images. */
function clear() {
  stop();
  for (const list of [results, refused]) list.length = 0;
  for (const id of ["rows", "reasons"]) at(id).replaceChildren();
  for (const id of ["results", "refused"]) at(id).hidden = true;
  shown = wanted = undefined;
  say(READY);
}

/** Show the image so many places further. */
function step(places) {
  const next = results[results.indexOf(shown) + places];
  if (next) show(next, false);
}

/** Files that are dropped anywhere on the page. */
function dropped(event) {
  event.preventDefault();
  delete document.body.dataset.over;
  if (!document.body.dataset.ready) return;
  const files = droppedFiles(event.dataTransfer, detector.endings);
  files.then(take, (error) => say(`This cannot be read: ${error.message}`));
}

const CLICKS = {
  stored: () => setThreshold(detector.threshold),
  examples: () => exampleFiles().then(take),
  previous: () => step(-1),
  next: () => step(1),
  save: offerPicture,
  counts: () => offerTable(rowsOfImages(results, choice, detector.classes), "counts.csv"),
  objects: () => offerTable(rowsOfObjects(results, choice, detector.classes), "predictions.csv"),
  pictures: offerPictures,
  stop,
  clear,
};
for (const [id, action] of Object.entries(CLICKS)) at(id)?.addEventListener("click", action);
for (const id of ["files", "folder"]) {
  at(id).addEventListener("change", ({ target }) => {
    take(chosenFiles(target.files, detector.endings));
    target.value = ""; // so that the same files can be chosen again
  });
}
at("threshold").addEventListener("input", ({ target }) => setThreshold(Number(target.value)));
addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.dataset.over = "";
});
addEventListener("dragleave", (event) => event.relatedTarget || delete document.body.dataset.over);
addEventListener("drop", dropped);
if (detector.classes.length > 1) at("classes").append(...classBoxes());
at("classes").hidden = detector.classes.length === 1;
at("head").append(headOf(detector.classes));
setThreshold(detector.threshold);
globalThis.pocketrcnn = { results, refused, choice, get busy() { return busy; } }; // for programs that drive the page
start();
