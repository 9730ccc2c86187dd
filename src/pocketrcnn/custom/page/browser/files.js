// The files that somebody drops or chooses: { name, file }, folders walked through, in the order of their names.

/** The files of a drop; of a folder all that look like images. endings: of those that are tried, and of others that
 *  people take for images, which are named. */
async function droppedFiles(transfer, endings) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files].map((file) => ({ name: file.name, file }));
  const found = await Promise.all(entries.map((entry) => filesOf(entry, endings)));
  return found.flat();
}

/** The files of an entry: the file itself, or those of a folder. */
async function filesOf(entry, endings, inFolder = false) {
  if (entry.isFile) {
    if (inFolder && !isWanted(entry.name, endings)) return [];
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{ name: entry.fullPath.replace(/^\//, ""), file }];
  }
  const reader = entry.createReader();
  const inside = [];
  for (;;) { // a reader gives at most 100 entries at a time
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) break;
    inside.push(...some);
  }
  inside.sort((a, b) => (a.name < b.name ? -1 : 1));
  const found = await Promise.all(inside.map((one) => filesOf(one, endings, true)));
  return found.flat();
}

/** The files that were chosen in a dialog; of a folder, those that look like images. */
function chosenFiles(list, endings) {
  const files = [...list].map((file) => ({ name: file.webkitRelativePath || file.name, file }));
  const wanted = files.filter(({ name, file }) => !file.webkitRelativePath || isWanted(name, endings));
  return wanted.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Whether a file of a folder is tried: hidden ones and others than images are left alone. */
function isWanted(path, endings) {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return !name.startsWith(".") && endings.includes(name.slice(name.lastIndexOf(".")).toLowerCase());
}

/** Offer a file to whoever uses the page. */
function offer(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // by then the browser has it
}
