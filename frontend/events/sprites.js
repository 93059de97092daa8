// The sprite sheets of a run, by step; decoded when they are looked at, the least used let go again.

const MOST_DECODED = 256;

/** The sheets of a run; `onDecoded` is called when a picture that was asked for has become ready. */
export class Sprites {
  constructor(onDecoded = () => {}) {
    Object.assign(this, {onDecoded, sheets: new Map(), decoded: new Map()});
  }

  add(frame) {
    this.sheets.set(frame.header.step, frame);
    this.decoded.delete(frame.header.step);
  }

  /** Return the steps that have a sheet, in order. */
  steps() {
    return [...this.sheets.keys()].sort((a, b) => a - b);
  }

  header(step) {
    return this.sheets.get(step)?.header ?? null;
  }

  /** Return the picture of a step, or null until it is decoded. */
  bitmap(step) {
    const sheet = this.sheets.get(step);
    if (sheet && !this.decoded.has(step)) this.#decode(step, sheet);
    return this.decoded.get(step) ?? null;
  }

  async #decode(step, {header, body}) {
    this.decoded.set(step, null);
    try {
      const bitmap = await createImageBitmap(new Blob([body], {type: header.media_type}));
      if (this.sheets.get(step)?.body === body) this.decoded.set(step, bitmap);
    } catch {
      this.sheets.delete(step); // a damaged picture is left out
    }
    if (this.decoded.size > MOST_DECODED) this.decoded.delete(this.decoded.keys().next().value);
    this.onDecoded();
  }
}
