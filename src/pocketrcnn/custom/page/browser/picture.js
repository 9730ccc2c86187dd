// An image with its boxes on a canvas: what custom/draw.py and the pictures of custom/predict.py are.

const SAVED = { side: 512, lines: 400 }; // pixels to which small images are enlarged; widths of a line in a picture
const SHOWN = { side: 1024, lines: innerWidth < 700 ? 200 : 400 }; // on a small screen lines and letters are larger
const FEW = 12; // up to so many objects, all get their label; more labels would hide the objects
const ROOM = 90; // pixels of a picture that is saved: boxes of that width get their label in any case

/** RGBA values as a canvas of their size, which knows by which factor they were made smaller. */
function canvasOf({ values, width, height, factor = 1 }) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height, factor });
  canvas.getContext("2d").putImageData(new ImageData(values, width, height), 0, 0);
  return canvas;
}

/** Draw an image, which is a canvas of its own, and its objects, the best on top; small images are enlarged pixel by
 *  pixel. classes, colours: by label. */
function draw(canvas, image, found, { side, lines }, { classes, colours }) {
  const objects = found.map((one) => ({ ...one, box: one.box.map((corner) => corner / image.factor) }));
  const longest = Math.max(image.width, image.height);
  const scale = Math.max(1, Math.round(side / longest));
  Object.assign(canvas, { width: image.width * scale, height: image.height * scale });
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  const line = Math.max(1, Math.floor((longest * scale) / lines));
  const letters = Math.max(11, Math.floor((longest * scale * 8) / lines));
  const room = (ROOM * side) / SAVED.side;
  const labelled = objects.filter(({ box }) => objects.length <= FEW || (box[2] - box[0]) * scale >= room);
  const colour = ({ label }) => colours[label % colours.length];
  [...objects].reverse().forEach((one) => outline(context, one.box, scale, line, colour(one)));
  [...labelled].reverse().forEach((one) => {
    write(context, one.box, scale, `${classes[one.label]} ${one.score.toFixed(2)}`, letters, colour(one));
  });
}

/** A box, its lines inside of it. */
function outline(context, box, scale, line, colour) {
  const [left, top, right, bottom] = box.map((corner) => Math.round(corner * scale));
  context.strokeStyle = colour;
  context.lineWidth = line;
  const [width, height] = [right - left, bottom - top].map((side) => Math.max(1, side - line));
  context.strokeRect(left + line / 2, top + line / 2, width, height);
}

/** The label of a box: above it, or in its upper part where there is no room above. */
function write(context, box, scale, text, letters, colour) {
  context.font = `${letters}px system-ui, sans-serif`;
  const width = Math.ceil(context.measureText(text).width) + 6;
  const height = letters + 6;
  const left = Math.max(Math.min(Math.round(box[0] * scale), context.canvas.width - width), 0);
  const above = Math.round(box[1] * scale);
  const top = above >= height ? above - height : above;
  context.fillStyle = colour;
  context.fillRect(left, top, width, height);
  context.fillStyle = isLight(colour) ? "black" : "white";
  context.textBaseline = "middle";
  context.fillText(text, left + 3, top + height / 2 + 1);
}

/** Whether black letters can be read on a colour such as #e69f00: luma of ITU-R BT.601. */
function isLight(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return 0.299 * red + 0.587 * green + 0.114 * blue > 110;
}

/** A canvas as the bytes of a PNG. */
async function pngOf(canvas) {
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  if (!blob) throw new Error("the picture is too large for this browser");
  return new Uint8Array(await blob.arrayBuffer());
}
