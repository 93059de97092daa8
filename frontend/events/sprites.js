// The sprite sheets of a run, by step; decoded when they are looked at, the least used let go again.

const MOST_DECODED = 256;

/** Hold sheets; `onDecoded` is called when a picture that was asked for has become ready. */
export function createSprites(onDecoded) {
  const sheets = new Map();
  const decoded = new Map();

  function decode(step, {header, body}) {
    decoded.set(step, null);
    createImageBitmap(new Blob([body], {type: header.media_type})).then(
      (bitmap) => {
        if (sheets.get(step)?.body === body) decoded.set(step, bitmap);
        if (decoded.size > MOST_DECODED) decoded.delete(decoded.keys().next().value);
        onDecoded();
      },
      () => sheets.delete(step) // a damaged picture is as good as none
    );
  }

  return {
    clear: () => [sheets, decoded].forEach((map) => map.clear()),
    add(frame) {
      sheets.set(frame.header.step, frame);
      decoded.delete(frame.header.step);
    },
    steps: () => [...sheets.keys()].sort((a, b) => a - b),
    header: (step) => sheets.get(step)?.header ?? null,
    bitmap(step) {
      const sheet = sheets.get(step);
      if (sheet && !decoded.has(step)) decode(step, sheet);
      return decoded.get(step) ?? null;
    }
  };
}

/** Return the step nearest to another among those that have a sheet, or null. */
export function nearest(steps, step) {
  if (!steps.length) return null;
  return steps.reduce((best, own) => (Math.abs(own - step) < Math.abs(best - step) ? own : best));
}

/** Return where sample `index` lies in a sheet of the given size: [x, y, width, height]. */
export function tile({columns, rows}, index, width, height) {
  const [w, h] = [width / columns, height / rows];
  return [(index % columns) * w, Math.floor(index / columns) * h, w, h];
}
