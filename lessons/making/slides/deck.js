// Slides: one at a time, as large as the window; without this script they stand below each other.
"use strict";
const WIDTH = 1280, HEIGHT = 720, SWIPE = 50; // pixels
const LARGEST = 30, SMALLEST = 20, IN_PRINT = 10, CODE = 0.7, NARROWEST = 12; // letters: of text, and code as a part of it
const frames = [...document.querySelectorAll(".frame")], deck = document.getElementById("deck"), body = document.body;
let current = 0, touched = null;

const wide = (part) => part.scrollWidth > part.clientWidth, high = (part) => part.scrollHeight > part.clientHeight + 1;

// The largest letters at which a slide has room for what is on it; below the smallest it scrolls. Code whose lines are
// too long has smaller letters than the text.
function fit(smallest) {
  for (const part of document.querySelectorAll(".body")) {
    const codes = [...part.querySelectorAll("pre")], largest = codes.map(() => CODE * LARGEST);
    codes.forEach((code, i) => {
      const shrunk = () => { code.style.fontSize = `${largest[i]}px`; return wide(code) && largest[i] > NARROWEST; };
      while (shrunk()) largest[i]--;
    });
    for (let size = LARGEST; size >= smallest; size--) {
      part.style.fontSize = `${size}px`;
      codes.forEach((code, i) => { code.style.fontSize = `${Math.min(largest[i], CODE * size)}px`; });
      if (!high(part) && !wide(part)) break;
    }
    if (high(part) || wide(part)) part.tabIndex = 0; // it scrolls
    else part.removeAttribute("tabindex");
  }
}

function stacked(action) { // all slides have a size only where all are shown
  const before = body.className;
  body.className = "";
  action();
  body.className = before;
}

function scale() {
  const factor = Math.min(innerWidth / WIDTH, innerHeight / HEIGHT);
  deck.style.transform = body.classList.contains("deck") ? `scale(${factor})` : "";
}

function show(number) {
  frames[current].classList.remove("current");
  current = Math.min(Math.max(number, 0), frames.length - 1);
  frames[current].classList.add("current");
  document.getElementById("place").textContent = `${current + 1} / ${frames.length}`;
  history.replaceState(null, "", `#${current + 1}`);
  if (body.classList.contains("overview")) frames[current].scrollIntoView({block: "nearest"});
}

function overview(open) {
  body.classList.toggle("overview", open);
  body.classList.toggle("deck", !open);
  scale();
  show(current);
}

const actions = {
  next: () => show(current + 1),
  previous: () => show(current - 1),
  first: () => show(0),
  last: () => show(frames.length - 1),
  overview: () => overview(!body.classList.contains("overview")),
  close: () => overview(false),
  down: () => frames[current].querySelector(".body").scrollBy(0, 120),
  up: () => frames[current].querySelector(".body").scrollBy(0, -120),
  notes: () => body.classList.toggle("noted"),
  full: () => document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen(),
};
const keys = {
  ArrowRight: "next", PageDown: "next", " ": "next", ArrowLeft: "previous", PageUp: "previous", Backspace: "previous",
  ArrowDown: "down", ArrowUp: "up", Home: "first", End: "last", o: "overview", n: "notes", f: "full", Escape: "close", Enter: "close",
};

addEventListener("keydown", (event) => {
  const name = keys[event.key.length > 1 ? event.key : event.key.toLowerCase()];
  const button = event.target.closest("button") && (event.key === " " || event.key === "Enter");
  if (!name || button || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  actions[name]();
});
addEventListener("touchstart", (event) => { touched = event.touches.length === 1 ? event.touches[0] : null; });
addEventListener("touchend", (event) => {
  if (!touched || body.classList.contains("overview")) return;
  const x = event.changedTouches[0].clientX - touched.clientX, y = event.changedTouches[0].clientY - touched.clientY;
  if (Math.abs(x) > SWIPE && Math.abs(x) > 2 * Math.abs(y)) show(current + (x < 0 ? 1 : -1));
});
document.getElementById("bar").addEventListener("click", (event) => {
  const name = event.target.closest("button")?.dataset.do;
  if (name) actions[name]();
});
deck.addEventListener("click", (event) => {
  const frame = event.target.closest(".frame");
  if (!frame || !body.classList.contains("overview")) return;
  show(frames.indexOf(frame));
  overview(false);
});
addEventListener("resize", scale);
addEventListener("hashchange", () => show((parseInt(location.hash.slice(1), 10) || 1) - 1));
addEventListener("beforeprint", () => stacked(() => fit(IN_PRINT)));
addEventListener("afterprint", () => stacked(() => fit(SMALLEST)));

stacked(() => fit(SMALLEST));
body.classList.add("deck");
document.getElementById("bar").hidden = false;
scale();
show((parseInt(location.hash.slice(1), 10) || 1) - 1);
