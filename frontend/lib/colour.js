// Colours of figure.json by number, and colours that let others through.

const GOLDEN_ANGLE = 137.508;

/** Return the colour of the i-th of n things; beyond the colorway, hues far from their neighbours. */
export function colour(figure, index, n = 0) {
  if (n <= figure.colorway.length) return figure.colorway[index % figure.colorway.length];
  return `hsl(${((index * GOLDEN_ANGLE) % 360).toFixed(1)} 55% 55%)`;
}

/** Return a colour as rgba with some opacity. */
export function faded(text, opacity) {
  if (text.startsWith("hsl")) return text.replace(")", ` / ${opacity})`);
  const parts = [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
  return `rgba(${parts.join(", ")}, ${opacity})`;
}
