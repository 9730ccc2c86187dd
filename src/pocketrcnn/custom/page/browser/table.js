// The table of counts: a row an image, which is made once and follows the threshold and the classes.

const DIGITS = new Intl.NumberFormat("en");

/** An element with text, attributes and children. */
function element(tag, { text, ...attributes } = {}, ...children) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** The head of the table: with one class its column would repeat that of all objects. */
function headOf(classes) {
  const ofClasses = classes.length > 1 ? classes : [];
  const names = ["Objects", ...ofClasses, "Mean side", "Median side", "Covered", "Width", "Height"];
  const cells = names.map((text) => element("th", { text, scope: "col", class: "n" }));
  return element("tr", {}, element("th", { text: "Image", scope: "col" }), ...cells);
}

/** The row of a result, with a button that shows the image. */
function rowOf(result, onShow) {
  const name = element("span", { text: result.name });
  const button = element("button", { type: "button", class: "name" }, result.thumbnail, name);
  button.addEventListener("click", onShow);
  const head = element("th", { scope: "row" }, button);
  head.append(...result.notes.map((text) => element("span", { text, class: "note" })));
  return element("tr", {}, head);
}

/** Write the counts of a result into its row. */
function fill(row, result, counts, classes) {
  const ofClasses = classes.length > 1 ? counts.byClass : [];
  const numbers = [counts.objects, ...ofClasses].map((number) => DIGITS.format(number));
  const sides = [counts.mean, counts.median].map((side) => (side === null ? "" : `${side.toFixed(1)} px`));
  const cells = [...numbers, ...sides, `${(100 * counts.covered).toFixed(1)} %`, result.width, result.height];
  row.replaceChildren(row.firstChild, ...cells.map((text) => element("td", { text, class: "n" })));
}

/** `1 object`, `2 objects`. */
function plural(count, word) {
  return `${DIGITS.format(count)} ${word}${count === 1 ? "" : "s"}`;
}
