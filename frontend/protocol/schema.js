// What the JSON Schema of the spec says of a setting. Pure.

/** Return the values that a spec's schema accepts at a place ("guidance.method"), the default first. */
export function choicesOf(schema, place) {
  const property = place.split(".").reduce((node, name) => resolved(node, schema)?.properties?.[name], schema);
  const found = property?.enum ?? (property?.const === undefined ? [] : [property.const]);
  const first = property?.default;
  return found.includes(first) ? [first, ...found.filter((choice) => choice !== first)] : found;
}

const resolved = (node, schema) => {
  const own = node?.anyOf?.find(({type}) => type !== "null") ?? node;
  return own?.$ref ? own.$ref.replace("#/", "").split("/").reduce((at, key) => at[key], schema) : own;
};

/**
 * Return which settings make sense: what the spec accepts, the model can do and the decision asks for;
 * `rests` says whether a class is measured against the rest.
 */
export function offered(schema, model, rests) {
  const complements = choicesOf(schema, "complement").filter((own) => own === "classes" || model?.unconditional);
  return {
    methods: model?.unconditional ? choicesOf(schema, "guidance.method") : [],
    decoders: choicesOf(schema, "guidance.decoder"),
    complements: rests && complements.length > 1 ? complements : []
  };
}
