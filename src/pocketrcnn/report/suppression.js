// The script of an explained image, second part: greedy non-maximum suppression as `nms` in model/boxes.py computes it.
// Every step is rounded to float32, as torch rounds it (a double holds the exact result of one step on two float32
// numbers, or one that rounds to the same): so that a box whose IoU is the threshold but for rounding goes here, too.
const round = Math.fround;
const SMALLEST_UNION = round(1e-9);

const areaOf = (boxes, i) => round(
  Math.max(round(boxes[4 * i + 2] - boxes[4 * i]), 0) * Math.max(round(boxes[4 * i + 3] - boxes[4 * i + 1]), 0));

/** Boxes and areas: Float32Array of xyxy and of one number each. */
function iou(boxes, areas, i, j) {
  const a = 4 * i, b = 4 * j;
  const width = round(Math.min(boxes[a + 2], boxes[b + 2]) - Math.max(boxes[a], boxes[b]));
  const height = round(Math.min(boxes[a + 3], boxes[b + 3]) - Math.max(boxes[a + 1], boxes[b + 1]));
  const shared = round(Math.max(width, 0) * Math.max(height, 0));
  return round(shared / Math.max(round(round(areas[i] + areas[j]) - shared), SMALLEST_UNION));
}

/** For each of the boxes, which lie best first: the best one that stays and overlaps it too much, or -1: it stays. */
function suppressed(boxes, threshold) {
  const count = boxes.length / 4, limit = round(threshold), kept = [];
  const areas = Float32Array.from({ length: count }, (_, i) => areaOf(boxes, i));
  const by = new Int32Array(count).fill(-1);
  for (let i = 0; i < count; i++) {
    const better = kept.find((j) => iou(boxes, areas, j, i) > limit);
    if (better === undefined) kept.push(i);
    else by[i] = better;
  }
  return by;
}
