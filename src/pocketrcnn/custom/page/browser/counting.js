// What is shown of the detections, counted and measured as `predict` does: custom/counts.py, custom/result_files.py.

const OBJECT = "image,class,score,x1,y1,x2,y2,centre_x,centre_y,box_width,box_height".split(",");
const FORMULA = /^'*[=+\-@\t\r\n]/; // data/cells.py

/** The detections of a result that are shown, best first. choice: { threshold, classes: whether each is shown }. */
function chosen(result, choice) {
  return result.found.filter(({ score, label }) => score >= choice.threshold && choice.classes[label]);
}

/** The counts of an image of so many pixels, from its objects; mean and median side are null without any. */
function counted(objects, pixels, classes) {
  const sides = objects.map(({ box: [x1, y1, x2, y2] }) => Math.sqrt((x2 - x1) * (y2 - y1))).sort((a, b) => a - b);
  const middle = sides.length >> 1;
  const median = sides.length % 2 ? sides[middle] : (sides[middle - 1] + sides[middle]) / 2;
  return {
    objects: objects.length,
    byClass: classes.map((_, label) => objects.filter((one) => one.label === label).length),
    mean: sides.length ? sides.reduce((sum, side) => sum + side, 0) / sides.length : null,
    median: sides.length ? median : null,
    covered: covered(objects.map(({ box }) => box)) / pixels,
  };
}

/** The area of the union of boxes: a line moves over them from left to right, and knows what it crosses. */
function covered(boxes) {
  const edges = [...new Set(boxes.flatMap((box) => [box[1], box[3]]))].sort((a, b) => a - b);
  const depth = new Int32Array(edges.length); // boxes on the stretch from each edge to the next
  const events = boxes.flatMap((box) => [[box[0], 1, box], [box[2], -1, box]]).sort((a, b) => a[0] - b[0]);
  const place = new Map(edges.map((edge, i) => [edge, i]));
  let area = 0, crossed = 0, reached = 0;
  for (const [x, change, box] of events) {
    area += (x - reached) * crossed;
    for (let i = place.get(box[1]); i < place.get(box[3]); i++) {
      if (!depth[i]) crossed += edges[i + 1] - edges[i];
      depth[i] += change;
      if (!depth[i]) crossed -= edges[i + 1] - edges[i];
    }
    reached = x;
  }
  return area;
}

/** A number with so many digits behind the point, halves to the even one, as Python writes it; empty for null. */
function fixed(value, digits) {
  if (value === null) return "";
  const isHalf = (value * 2 ** (digits + 1)) % 2 === 1;
  const number = Math.floor(value * 10 ** digits);
  return isHalf && number % 2 === 0 ? (number / 10 ** digits).toFixed(digits) : value.toFixed(digits);
}

/** The rows of counts.csv: results are those of the images that were read. */
function rowsOfImages(results, choice, classes) {
  const head = ["image", "width", "height", "objects", ...classes.map((name) => `objects ${name}`)];
  const rows = results.map((result) => {
    const { name, width, height } = result;
    const { objects, byClass, mean, median, covered: part } = counted(chosen(result, choice), width * height, classes);
    return [safe(name), width, height, objects, ...byClass, fixed(mean, 2), fixed(median, 2), fixed(part, 4)];
  });
  return [[...head, "mean_side", "median_side", "covered"], ...rows];
}

/** The rows of predictions.csv. */
function rowsOfObjects(results, choice, classes) {
  const rows = results.flatMap((result) =>
    chosen(result, choice).map(({ box, score, label }) => {
      const [x1, y1, x2, y2] = box;
      const places = [...box, (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1];
      return [safe(result.name), safe(classes[label]), fixed(score, 4), ...places.map((value) => fixed(value, 2))];
    }),
  );
  return [OBJECT, ...rows];
}

/** A name as a cell that no spreadsheet computes. */
function safe(name) {
  return FORMULA.test(name) ? `'${name}` : name;
}

/** Rows as the text of a CSV file. */
function csv(rows) {
  const cell = (value) => (/[",\r\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value);
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}
