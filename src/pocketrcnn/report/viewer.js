// The script of a report, third part: boxes at the threshold, a grid that is sorted and filtered, a picture enlarged.
const LABELLED = 8, LABELLED_LARGE = 60; // boxes with labels, in a card and enlarged; more would hide the image
const LETTERS = 0.05, LETTERS_LARGE = 0.025; // height of labels, as a fraction of the width

const cards = [...document.querySelectorAll("[data-image]")];
const grid = document.querySelector("#all-images .cards");
const all = grid ? [...grid.children] : [];
const [slider, enlarged, controls] = ["threshold", "enlarged", "controls"].map(byId);
let pickedBy = null; // the button
let open = null; // the card whose picture is enlarged

// Drawing

/** The boxes that are drawn, by what they are: as kinds_of_boxes in custom/report/gallery.py. */
function kindsOfBoxes(image) {
  const { objects, detections } = image, shown = shownCount(image);
  const there = (test) => objects.boxes.filter((_, i) => test(objects.crowd[i], isShown(objects.found[i], shown)));
  const seen = (test) => detections.boxes.filter((_, i) => i < shown && test(detections.kinds[i]));
  return {
    crowd: there((crowd) => crowd), found: there((crowd, found) => !crowd && found),
    missed: there((crowd, found) => !crowd && !found), ignored: seen((kind) => kind === IGNORED),
    right: seen((kind) => kind === RIGHT), false: seen(isFalse),
    picked: picked ? memberships(image).filter(([name]) => name === picked).map(([, box]) => box) : [],
  };
}

function textsOf(image) {
  const { objects, detections } = image, shown = shownCount(image), named = data.classes.length > 1;
  const missed = (_, i) => named && !objects.crowd[i] && !isShown(objects.found[i], shown);
  const texts = objects.boxes.map((box, i) => [box, data.classes[objects.labels[i]]]).filter(missed);
  for (let i = 0; i < shown; i++) {
    const name = named ? `${data.classes[detections.labels[i]]} ` : "";
    texts.push([detections.boxes[i], name + detections.scores[i].toFixed(2)]);
  }
  return texts;
}

function draw(svg, image, most, letters) {
  for (const [kind, boxes] of Object.entries(kindsOfBoxes(image))) {
    let path = svg.querySelector(`path.${kind}`);
    if (!path) svg.insertBefore((path = svgElement("path", { class: kind })), svg.querySelector("g"));
    path.setAttribute("d", outlines(boxes));
  }
  const texts = textsOf(image), width = image.size[0];
  const labels = texts.length <= most ? texts.map(([box, text]) => label(box, text, width, letters * width)) : [];
  svg.querySelector("g").replaceChildren(...labels);
}

const inWords = ({ right, false: wrong, missed }) => `${right} right, ${wrong} false, ${missed} missed`;

function drawCard(card) {
  card.dataset.drawn = `${threshold} ${picked}`;
  draw(card.querySelector("svg"), imageOf(card), LABELLED, LETTERS);
  card.querySelector(".counts").textContent = inWords(countsOf(imageOf(card)));
}

const isCurrent = (card) => card.dataset.drawn === `${threshold} ${picked}`;

// Cards out of view are drawn when they come into view.
const inView = new Set();
const observer = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) inView.delete(target);
    else if (inView.add(target) && !isCurrent(target)) drawCard(target);
  }
}, { rootMargin: "300px" });

// The page at a threshold

function drawAll() {
  for (const card of inView) drawCard(card);
  const counts = totals(), { precision, recall, f1 } = rates(counts);
  const parts = { precision, recall, F1: f1 };
  const shares = Object.entries(parts).map(([name, value]) => `${name} ${value.toFixed(3)}`);
  byId("totals").textContent = `${shares.join(", ")} (${inWords(counts)})`;
  byId("score").textContent = threshold.toFixed(3);
  byId("stored").disabled = threshold === data.threshold;
  slider.setAttribute("aria-valuetext", threshold.toFixed(3));
  drawErrors();
  if (open) drawEnlarged();
}

function drawErrors() {
  const counts = new Map();
  for (const image of data.images) {
    for (const [name] of memberships(image)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  for (const cell of document.querySelectorAll("[data-count]")) {
    cell.textContent = (counts.get(`error ${cell.dataset.count}`) ?? 0).toLocaleString("en");
  }
  for (const row of document.querySelectorAll(".matrix tbody tr")) drawRow(row, counts);
}

/** A row of the matrix: counts, and shades by the fraction of the row; in the last row, of all detections. */
function drawRow(row, counts) {
  const buttons = [...row.querySelectorAll("button")];
  const values = buttons.map((button) => counts.get(button.dataset.pick) ?? 0);
  const total = Math.max(values.reduce((a, b) => a + b, 0), 1);
  buttons.forEach((button, i) => {
    button.textContent = values[i] ? values[i].toLocaleString("en") : "";
    button.disabled = !values[i];
    button.parentElement.className = `s${Math.ceil((10 * values[i]) / total)}`;
  });
}

function setThreshold(value) {
  threshold = value;
  if (Number(slider.value) !== value) slider.value = value;
  drawAll();
}

// Which images are in the grid, and in which order

const ORDERS = {
  worst: (image) => [rates(countsOf(image)).f1, -countsOf(image).false - countsOf(image).missed],
  objects: (image) => [-countsOf(image).objects],
  detections: (image) => [-countsOf(image).shown],
  name: () => [],
};
const byName = new Intl.Collator("en", { numeric: true });

function sort() {
  const key = new Map(all.map((card) => [card, ORDERS[byId("sorting").value](imageOf(card))]));
  const compare = (a, b) => {
    const i = key.get(a).findIndex((value, i) => value !== key.get(b)[i]);
    return i < 0 ? byName.compare(imageOf(a).name, imageOf(b).name) : key.get(a)[i] - key.get(b)[i];
  };
  all.sort(compare);
  grid.append(...all);
}

function filter() {
  const counts = all.map((card) => memberships(imageOf(card)).filter(([name]) => name === picked).length);
  all.forEach((card, i) => { card.hidden = Boolean(picked) && !counts[i]; });
  const images = all.filter((card) => !card.hidden).length, boxes = counts.reduce((a, b) => a + b, 0);
  byId("picked").textContent = picked
    ? `${images} of ${all.length} images: ${boxes} ${boxes === 1 ? "box" : "boxes"} (pink) ${meaning()}, from a score of ${threshold.toFixed(3)} on.`
    : `${all.length} images.`;
  byId("unpick").hidden = byId("back").hidden = !picked;
}

/** What was picked, in words. */
function meaning() {
  const [kind, first, second] = picked.split(" ");
  if (kind === "error") return `with the error ${first}`;
  const names = [...document.querySelectorAll(".matrix tbody th")].map((cell) => cell.textContent);
  if (Number(second) === names.length - 1) return `of missed objects, ${names[first]}`;
  if (Number(first) === names.length - 1) return `detected as ${names[second]} where there is no object`;
  return first === second ? `of ${names[first]} with the right class` : `of ${names[first]} detected as ${names[second]}`;
}

function pick(name, by) {
  picked = name;
  pickedBy?.classList.remove("chosen");
  pickedBy = by;
  pickedBy?.classList.add("chosen");
  filter();
  for (const card of inView) drawCard(card);
  byId("all-images").scrollIntoView();
  (picked ? byId("unpick") : byId("sorting")).focus({ preventScroll: true });
}

// One picture, enlarged

function drawEnlarged() {
  const image = imageOf(open), [width, height] = image.size, svg = enlarged.querySelector("svg");
  const around = neighboursOf(open);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.classList.toggle("tiny", Math.max(width, height) <= 96);
  const href = byId(`image-${open.dataset.image}`).getAttribute("href"), picture = svg.querySelector("image");
  for (const [name, value] of Object.entries({ href, width, height })) picture.setAttribute(name, value);
  draw(svg, image, LABELLED_LARGE, LETTERS_LARGE);
  byId("enlarged-name").textContent = image.name;
  enlarged.querySelector(".counts").textContent = inWords(countsOf(image));
  byId("enlarged-place").textContent = `(${around.indexOf(open) + 1} of ${around.length})`;
}

/** The pictures that the arrows go through: those of the same album that are shown. */
const neighboursOf = (card) => [...card.parentElement.children].filter((other) => !other.hidden);

function enlarge(card) {
  open = card;
  enlarged.prepend(controls); // the slider is for the enlarged picture, too
  drawEnlarged();
  if (!enlarged.open) enlarged.showModal();
}

function step(by) {
  if (!by) return enlarged.close();
  const around = neighboursOf(open);
  enlarge(around[(around.indexOf(open) + by + around.length) % around.length]);
}

function whenClosed() {
  byId("place").append(controls);
  open.querySelector(".enlarge").focus();
  open = null;
}

function listen() {
  slider.addEventListener("input", () => setThreshold(Math.round(slider.value * 1000) / 1000));
  slider.addEventListener("change", () => { sort(); filter(); });
  byId("stored").addEventListener("click", () => { setThreshold(data.threshold); sort(); filter(); });
  byId("sorting").addEventListener("change", sort);
  byId("unpick").addEventListener("click", () => pick("", null));
  byId("back").addEventListener("click", () => pickedBy.focus()); // where it was picked
  for (const box of controls.querySelectorAll("[data-layer]")) {
    box.addEventListener("change", () => document.body.classList.toggle(`without-${box.dataset.layer}`, !box.checked));
  }
  document.addEventListener("click", ({ target }) => {
    const by = target.closest("[data-pick]"), card = target.closest(".enlarge")?.parentElement;
    if (by && !by.disabled) pick(by.dataset.pick, by);
    if (card) enlarge(card);
    if (target.closest("[data-step]")) step(Number(target.closest("[data-step]").dataset.step));
    if (target === enlarged) enlarged.close(); // beside the picture
  });
  enlarged.addEventListener("close", whenClosed);
  enlarged.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by && event.target !== slider) step(by);
  });
  addEventListener("beforeprint", () => cards.forEach(drawCard));
}

for (const element of document.querySelectorAll("#controls, .sorting")) element.hidden = false;
for (const card of cards) {
  card.dataset.drawn = `${threshold} `;
  observer.observe(card);
}
listen();
drawAll();
filter();
