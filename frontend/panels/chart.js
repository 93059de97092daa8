// One chart on the page: what a plot makes of a scene, drawn by Plotly at the size of its element.

const STATIC = {staticPlot: true, displayModeBar: false};
const POINTED = {displayModeBar: false};

export const sizeOf = (node) => ({width: node.clientWidth, height: node.clientHeight});

/** Draw a plot, a module with traces(scene) and layout(scene), into an element; nothing in it answers the pointer. */
export const drawChart = (node, plot, scene, config = STATIC) => {
  const sized = {...scene, size: sizeOf(node)};
  return Plotly.react(node, plot.traces(sized), plot.layout(sized), config);
};

/** Draw a plot whose traces show their values under the pointer. */
export const drawPointedChart = (node, plot, scene) => drawChart(node, plot, scene, POINTED);
