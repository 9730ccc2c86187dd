// The script of a report, second part: what is right, false and missed from a threshold on.
// The pictures of a page follow a score threshold. The page works without this script: its boxes are then those of the
// stored threshold. All that changes with the threshold is in #page-data, computed by evaluation/outcomes.py: detections
// fall by score, so the shown ones are the first so many, and nothing below the threshold changes what they are.
const RIGHT = data.kinds.indexOf("right"), IGNORED = data.kinds.indexOf("");
let threshold = data.threshold;
let picked = ""; // what the images in the grid have: "cell ROW COLUMN" of the matrix, "error KIND"; empty: all images
const BACKGROUND = data.rows.length - 1; // where classes have their row in the matrix, what is no object has the last one
const imageOf = (card) => data.images[card.dataset.image];

function shownCount(image) {
  const below = image.detections.scores.findIndex((score) => score < threshold);
  return below < 0 ? image.detections.scores.length : below;
}

const isShown = (index, shown) => index >= 0 && index < shown;
const isFalse = (kind) => kind !== RIGHT && kind !== IGNORED;

function countsOf(image) {
  const shown = shownCount(image), kinds = image.detections.kinds.slice(0, shown);
  const right = kinds.filter((kind) => kind === RIGHT).length;
  const objects = image.objects.crowd.filter((crowd) => !crowd).length;
  return { right, false: kinds.filter(isFalse).length, missed: objects - right, objects, shown };
}

function rates({ right, false: wrong, missed }) {
  const all = 2 * right + wrong + missed;
  return { precision: right / Math.max(right + wrong, 1), recall: right / Math.max(right + missed, 1),
    f1: all ? (2 * right) / all : 1 };
}

function totals() {
  const sum = { right: 0, false: 0, missed: 0 };
  for (const image of data.images) {
    const counts = countsOf(image);
    for (const name in sum) sum[name] += counts[name];
  }
  return sum;
}

/** The cells and kinds of errors that an image's boxes are in: a list of [name, box]. */
function memberships(image) {
  const { objects, detections } = image, shown = shownCount(image), found = [];
  const cell = (row, column) => `cell ${row} ${column}`;
  for (let i = 0; i < shown; i++) {
    const kind = detections.kinds[i], box = detections.boxes[i];
    if (kind === IGNORED) continue;
    found.push([cell(data.rows[detections.truths[i]], data.rows[detections.labels[i]]), box]);
    if (isFalse(kind)) found.push([`error ${data.kinds[kind]}`, box], ["error FP", box]);
  }
  objects.boxes.forEach((box, i) => {
    if (objects.crowd[i]) return;
    if (!isShown(objects.met[i], shown)) found.push([cell(data.rows[objects.labels[i]], data.rows[BACKGROUND]), box]);
    if (isShown(objects.found[i], shown)) return;
    found.push(["error FN", box]);
    if (!isShown(objects.blamed[i], shown)) found.push(["error Miss", box]);
  });
  return found;
}
