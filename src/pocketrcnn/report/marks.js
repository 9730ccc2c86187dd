"use strict";
// The script of any page, first part: its data, and boxes and labels over images as marks.py draws them.
const LETTER = 0.68; // width of a letter, as a fraction of its height
const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("page-data").textContent);

const outline = ([x1, y1, x2, y2]) => `M${x1} ${y1}H${x2}V${y2}H${x1}Z`;
const outlines = (boxes) => boxes.map(outline).join("");

function svgElement(name, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const key in attributes) element.setAttribute(key, attributes[key]);
  return element;
}

function label([x1, y1], text, width, height) {
  const y = y1 > 1.3 * height ? y1 - 0.25 * height : y1 + height;
  const x = Math.min(x1, Math.max(0, width - LETTER * height * text.length)); // to end inside the image
  const element = svgElement("text", { x, y, "font-size": height });
  element.textContent = text;
  return element;
}
