// Colours of figure.json by number, and colours that let others through.

const GOLDEN_ANGLE = 137.508;

/** Return the colour of the i-th of n things; beyond the colorway, hues far from their neighbours. */
export function colour(figure, index, n = 0) {
  if (n <= figure.colorway.length) return figure.colorway[index % figure.colorway.length];
  return hue(index);
}

/** Return a hue for any number, far from those of its neighbours. */
export const hue = (index) => `hsl(${((index * GOLDEN_ANGLE) % 360).toFixed(1)} 55% 55%)`;

/**
 * Return the colours of groups, each the positions of its members among n things.
 *
 * A group of one has the colour of its member; the others have colours that no such group has.
 */
export function groupColours(figure, groups, n) {
  const alone = groups.map((members) => (members.length === 1 && members[0] >= 0 ? colour(figure, members[0], n) : null));
  const free = figure.colorway.filter((color) => !alone.includes(color));
  return alone.map((color, i) => color ?? (groups.length > figure.colorway.length ? null : free.shift()) ?? hue(i));
}

/** Return a colour as rgba with some opacity. */
export function faded(text, opacity) {
  if (text.startsWith("hsl")) return text.replace(")", ` / ${opacity})`);
  const parts = [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
  return `rgba(${parts.join(", ")}, ${opacity})`;
}
