// The script of an explained image, third part: boxes that are filtered by sliders, and chosen one by one.
// Without it the page shows the same at the values that the network has. Boxes lie best first.
const REACH = 9; // pixels of the page: so near to a line a pointer chooses its box
const LABELLED = 24, LETTERS = 0.028; // labels of a view; their height, as a fraction of the width
const AROUND = 1.7; // side of what is enlarged around a box, in sides of the box
const LARGE = 0.7; // of the width of a view: what is as large need not be enlarged
const HINT = document.querySelector(".readout")?.textContent; // what stands there while no box is chosen
const SHARES = { iou: 2, score: 3 }; // decimals of a slider that is no number of boxes

const figures = [...document.querySelectorAll("[data-overlay]")];

/** An overlay: its figure, its data, what the sliders say, and the box that is chosen, or -1. */
function opened(figure) {
  const known = data.overlays[figure.dataset.overlay];
  const one = { ...known, figure, values: { ...known.values }, limit: NaN, by: null };
  one.flat = Float32Array.from(known.boxes.flat());
  one.scores = Float32Array.from(known.scores);
  one.drawings = [...figure.querySelectorAll(".view")].map((view, i) => ({ view, svg: view.querySelector("svg"), ...known.views[i] }));
  return one;
}

/** Which box suppresses each, at the slider's IoU: computed when that has moved. */
function suppressors(one) {
  if (one.limit !== one.values.iou) {
    one.limit = one.values.iou;
    one.by = suppressed(one.flat, one.limit);
  }
  return one.by;
}

/** The boxes that a view shows. */
function shownIn(one, drawing) {
  const { filters } = drawing, { top, score } = one.values, all = one.boxes.map((_, i) => i);
  const by = filters.includes("iou") ? suppressors(one) : null;
  return all.filter((i) => (!filters.includes("top") || i < top) && (!filters.includes("score") || one.scores[i] >= score)
    && (!by || by[i] < 0));
}

// Drawing

const short = (box) => box.map((value) => Number(value.toFixed(2)));

/** The paths of some boxes, by what they are. */
function pathsOf(one, drawing, shown) {
  const paths = Object.fromEntries(one.kinds.map((kind) => [kind, ""]));
  shown.forEach((i, place) => {
    const last = drawing.filters.includes("iou") && place >= one.keep ? "beyond" : one.kinds[one.kind ? one.kind[i] : 0];
    paths[last] = (paths[last] ?? "") + outline(short(one.boxes[i]));
    for (const kind in one.more) paths[kind] = (paths[kind] ?? "") + one.more[kind][i];
  });
  return paths;
}

function path(svg, kind) {
  const found = [...svg.querySelectorAll("path:not(.fixed)")].find((one) => one.getAttribute("class") === kind);
  return found ?? svg.insertBefore(svgElement("path", { class: kind }), svg.querySelector("path.arrow") ?? svg.querySelector("g"));
}

function draw(one) {
  for (const drawing of one.drawings) {
    const { svg, view } = drawing, shown = (drawing.shown = shownIn(one, drawing));
    const paths = pathsOf(one, drawing, shown);
    for (const old of svg.querySelectorAll("path:not(.fixed)")) old.setAttribute("d", paths[old.getAttribute("class")] ?? "");
    for (const kind in paths) path(svg, kind).setAttribute("d", paths[kind]);
    const width = svg.viewBox.baseVal.width, height = LETTERS * width;
    const texts = one.labels && shown.length <= LABELLED ? shown.map((i) => label(one.boxes[i], one.labels[i], width, height)) : [];
    svg.querySelector("g").replaceChildren(...apart(texts));
    const counts = view.querySelector(".counts");
    if (counts) counts.textContent = drawing.counts.replace("{n}", shown.length.toLocaleString("en"));
  }
  for (const slider of one.figure.querySelectorAll("[data-slider]")) describe(one, slider);
  mark(one);
}

/** Labels of which none is over one before it: they move down. */
function apart(texts) {
  const placed = [];
  for (const text of texts) {
    let [x, y, height] = ["x", "y", "font-size"].map((name) => Number(text.getAttribute(name)));
    const wide = LETTER * height * text.textContent.length;
    const over = (other) => Math.abs(y - other.y) < height && x < other.x + other.wide && other.x < x + wide;
    while (placed.some(over)) y += height;
    placed.push({ x, y, wide });
    text.setAttribute("y", y);
  }
  return texts;
}

function describe(one, slider) {
  const { slider: name } = slider.dataset, value = one.values[name];
  const text = name in SHARES ? value.toFixed(SHARES[name]) : value.toLocaleString("en");
  one.figure.querySelector(`output[for="${slider.id}"]`).textContent = text;
  slider.setAttribute("aria-valuetext", text);
  if (Number(slider.value) !== value) slider.value = value;
  const button = one.figure.querySelector(`[data-stored="${name}"]`);
  button.disabled = Number(button.value) === value;
}

// The box that is chosen

/** The boxes that the chosen one suppresses, or the one that suppresses it. */
function relatives(one) {
  if (one.chosen < 0 || !("iou" in one.values)) return [];
  const by = suppressors(one), mine = by[one.chosen];
  return mine >= 0 ? [mine] : one.boxes.flatMap((_, i) => (by[i] === one.chosen && i < one.values.top ? [i] : []));
}

function mark(one) {
  const there = one.drawings.some(({ shown }) => shown.includes(one.chosen));
  if (!there) one.chosen = -1;
  const others = relatives(one), near = one.figure.querySelector(".near");
  for (const { svg } of one.drawings) {
    path(svg, "related").setAttribute("d", others.map((i) => outline(short(one.boxes[i]))).join(""));
    path(svg, "picked").setAttribute("d", one.chosen < 0 ? "" : outline(short(one.boxes[one.chosen])));
  }
  if (near) enlarge(one, near);
  if (near) one.figure.querySelector(".readout").textContent = one.chosen < 0 ? HINT : inWords(one, others);
}

/** The chosen box and what is around it, as the last view shows it. */
function enlarge(one, near) {
  const { svg } = one.drawings.at(-1), [x1, y1, x2, y2] = one.boxes[one.chosen] ?? [0, 0, Infinity, Infinity];
  const side = Math.max(x2 - x1, y2 - y1, 8) * AROUND, large = side > LARGE * svg.viewBox.baseVal.width;
  near.toggleAttribute("hidden", large); // an SVG has no `hidden` of its own
  if (large) return;
  near.setAttribute("viewBox", [(x1 + x2 - side) / 2, (y1 + y2 - side) / 2, side, side].join(" "));
  near.classList.toggle("tiny", side <= 96);
  const copies = [...svg.children].filter((part) => part.tagName === "path").map((part) => part.cloneNode());
  near.replaceChildren(svgElement("use", { href: `#${one.image}` }), ...copies);
}

function inWords(one, others) {
  const i = one.chosen, [x1, y1, x2, y2] = one.boxes[i].map((value) => value.toFixed(1));
  const known = one.notes ? one.notes[i] : `${one.measure} ${one.scores[i].toFixed(3)}`;
  const more = "iou" in one.values ? `; ${fate(one, others)}` : "";
  return `${one.name} ${(i + 1).toLocaleString("en")}: ${known}${more} (x ${x1} to ${x2}, y ${y1} to ${y2} px)`;
}

/** What suppression makes of the chosen box. */
function fate(one, others) {
  const by = suppressors(one)[one.chosen], many = others.length.toLocaleString("en");
  if (by < 0) return others.length ? `stays, and suppresses ${many}` : "stays, and suppresses none";
  const areas = Float32Array.from(one.boxes, (_, i) => areaOf(one.flat, i));
  return `goes: IoU ${iou(one.flat, areas, by, one.chosen).toFixed(3)} with ${one.name} ${(by + 1).toLocaleString("en")}`;
}

function choose(one, i) {
  one.chosen = i;
  mark(one);
}

/** Through the boxes of the view that shows most. */
function step(one, by) {
  const shown = one.drawings.map((drawing) => drawing.shown).sort((a, b) => b.length - a.length)[0];
  const at = shown.indexOf(one.chosen);
  if (shown.length) choose(one, shown[at < 0 ? (by > 0 ? 0 : shown.length - 1) : (at + by + shown.length) % shown.length]);
}

/** The box at a point: the nearest line within reach, else the smallest box around it; -1 where there is none. */
function boxAt(one, { svg, shown }, event) {
  const place = svg.getScreenCTM(), x = (event.clientX - place.e) / place.a, y = (event.clientY - place.f) / place.d;
  let best = -1, nearest = REACH / place.a, inside = -1, smallest = Infinity;
  for (const i of shown) {
    const [x1, y1, x2, y2] = one.boxes[i], dx = Math.max(x1 - x, x - x2), dy = Math.max(y1 - y, y - y2);
    const away = Math.max(dx, dy) > 0 ? Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) : -Math.max(dx, dy);
    if (away < nearest) [best, nearest] = [i, away];
    const area = (x2 - x1) * (y2 - y1);
    if (dx <= 0 && dy <= 0 && area < smallest) [inside, smallest] = [i, area];
  }
  return best < 0 ? inside : best;
}

function listen(one) {
  const set = (name, value) => { one.values[name] = value; draw(one); };
  for (const slider of one.figure.querySelectorAll("[data-slider]")) {
    slider.addEventListener("input", () => set(slider.dataset.slider, Math.round(slider.value * 1000) / 1000));
  }
  for (const button of one.figure.querySelectorAll("[data-stored]")) {
    button.addEventListener("click", () => set(button.dataset.stored, Number(button.value)));
  }
  for (const button of one.figure.querySelectorAll("[data-step]")) {
    button.addEventListener("click", () => step(one, Number(button.dataset.step)));
  }
  for (const drawing of one.drawings) {
    const under = (event) => choose(one, boxAt(one, drawing, event));
    drawing.svg.addEventListener("pointermove", (event) => { if (event.pointerType === "mouse") under(event); });
    drawing.svg.addEventListener("click", under);
    drawing.svg.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
      if (event.key === "Escape") choose(one, -1);
      if (!by) return;
      event.preventDefault(); // else the page scrolls
      step(one, by);
    });
  }
}

const overlays = Object.fromEntries(figures.map((figure) => [figure.dataset.overlay, opened(figure)]));
for (const element of document.querySelectorAll(".sliders, .choose")) element.hidden = false;
for (const one of Object.values(overlays)) {
  listen(one);
  draw(one);
}
