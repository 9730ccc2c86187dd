// Large images as overlapping tiles: data/images/tiles.py, whose docstring has the rule by which detections of
// neighbouring tiles become those of the image.

const EDGE = 4; // pixels from a side of a tile within which a detection is cut
const SAME = 0.5; // part that detections of one object have in common

/** The first pixel of each tile along an axis of so many pixels; of an image that is no longer than a tile, 0. */
function startsOf(length, side, overlap) {
  if (length <= side) return [0];
  const steps = Math.ceil((length - side) / (side - overlap));
  return Array.from({ length: steps + 1 }, (_, step) => Math.floor((step * (length - side)) / steps));
}

/** The first columns and rows of the tiles of an image, row by row. overlap 0: the image is one, whatever its size. */
function originsOf([width, height], side, overlap) {
  if (!overlap) return [[0, 0]];
  const columns = startsOf(width, side, overlap);
  return startsOf(height, side, overlap).flatMap((top) => columns.map((left) => [left, top]));
}

/** A tile of an image; at its right and lower border it may be smaller. */
function tileOf({ pixels, ...image }, [left, top], side) {
  const [width, height] = [Math.min(side, image.width - left), Math.min(side, image.height - top)];
  const part = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const from = ((top + row) * image.width + left) * 3;
    part.set(pixels.subarray(from, from + width * 3), row * width * 3);
  }
  return { pixels: part, width, height };
}

/** The detections in an image, best first, from those of its tiles, which are in pixels of the image, too. */
function putTogether(found, origins, side, size) {
  if (found.length === 1) return found[0];
  const regions = origins.map((origin) => [...origin, ...origin.map((start, i) => Math.min(start + side, size[i]))]);
  const placed = (tile) => (one) => ({ ...one, tile, cut: isCut(one.box, regions[tile], size) });
  const all = found.flatMap((some, tile) => some.map(placed(tile)));
  all.sort((a, b) => a.cut - b.cut || b.score - a.score);
  const groups = grouped(all, matchesOf(all, regions)).map((group) => group.map((i) => all[i]));
  groups.sort((a, b) => b[0].score - a[0].score);
  return groups.map((group) => {
    const sides = [0, 1, 2, 3].map((j) => (j < 2 ? Math.min : Math.max)(...group.map(({ box }) => box[j])));
    return { box: sides, score: group[0].score, label: group[0].label };
  });
}

/** Whether a detection comes near a side of its tile that is inside the image. */
function isCut(box, region, size) {
  const inside = [region[0] > 0, region[1] > 0, region[2] < size[0], region[3] < size[1]];
  return inside.some((is, i) => is && Math.abs(box[i] - region[i]) <= EDGE);
}

/** For each detection those before it, in order, that are of the same object. */
function matchesOf(all, regions) {
  const before = all.map(() => []);
  const members = regions.map(() => []);
  all.forEach(({ tile }, i) => members[tile].push(i));
  for (let one = 0; one < regions.length; one++) {
    for (let other = one + 1; other < regions.length; other++) {
      const common = shared(regions[one], regions[other]);
      if (!areaOf(common)) continue;
      const some = members[one].filter((i) => areaOf(shared(all[i].box, common)));
      const others = members[other].filter((i) => areaOf(shared(all[i].box, common)));
      for (const i of some) {
        for (const j of others) if (isSame(all[i], all[j], common)) before[Math.max(i, j)].push(Math.min(i, j));
      }
    }
  }
  return before;
}

/** Whether detections of two tiles are of one object, by what lies in the part that the tiles have in common. */
function isSame(one, other, common) {
  if (one.label !== other.label) return false;
  const [a, b] = [shared(one.box, common), shared(other.box, common)];
  const both = areaOf(shared(a, b));
  const whole = one.cut === other.cut ? areaOf(a) + areaOf(b) - both : areaOf(one.cut ? a : b);
  return both >= SAME * whole;
}

/** The detections that stay, each with those that are joined to it, as numbers, from all in order. */
function grouped(all, before) {
  const groupOf = new Map(); // of the detections that stay
  const meet = (group, others) => group.some((i) => others.some((j) => all[i].tile === all[j].tile));
  for (let i = 0; i < all.length; i++) {
    const hits = new Set(before[i].filter((j) => groupOf.has(j)).map((j) => groupOf.get(j)[0]));
    const [first, ...others] = [...hits].sort((a, b) => a - b).map((j) => groupOf.get(j));
    if (!first) groupOf.set(i, [i]);
    if (!first || !all[first[0]].cut || meet(first, [i])) continue;
    for (const group of [[i], ...others]) {
      if (meet(first, group)) continue;
      first.push(...group);
      for (const piece of group) groupOf.set(piece, first);
    }
  }
  return [...groupOf].filter(([first, group]) => group[0] === first).map(([, group]) => group);
}

/** What two boxes have in common; its sides may be negative. */
function shared(a, b) {
  return [Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])];
}

/** The area of a box; 0 for one without. */
function areaOf([left, top, right, bottom]) {
  return Math.max(0, right - left) * Math.max(0, bottom - top);
}
