// What the JSON Schema of the spec says of a setting: its choices, and its help. Pure.

/** Return the values that a spec's schema accepts at a path ("guidance.method"), the default first. */
export function choicesOf(schema, path) {
  const property = propertyAt(schema, path);
  const choices = property?.enum ?? (property?.const === undefined ? [] : [property.const]);
  const first = property?.default;
  return choices.includes(first) ? [first, ...choices.filter((choice) => choice !== first)] : choices;
}

/** Return the largest value that the schema accepts at a path, without a limit Infinity. */
export const maximumAt = (schema, path) => resolved(propertyAt(schema, path), schema).maximum ?? Infinity;

/** Return whether the schema has a setting at a path. */
export const knows = (schema, path) => propertyAt(schema, path) !== undefined;

/**
 * Return which settings make sense: what the spec accepts, the model can do and the decision asks for;
 * `rests` says whether a class is measured against the rest.
 */
export function offered(schema, model, rests) {
  const complements = choicesOf(schema, "complement").filter((choice) => choice === "classes" || model?.unconditional);
  return {
    methods: model?.unconditional ? choicesOf(schema, "guidance.method") : [],
    decoders: choicesOf(schema, "guidance.decoder"),
    complements: rests && complements.length > 1 ? complements : []
  };
}

/** Return what a schema describes of the setting at a path: one sentence after another, "" where it describes nothing. */
export const helpAt = (schema, path) => helpOf(propertyAt(schema, path), schema);

/**
 * Return the help of a property: its description, unit, default and range.
 *
 * A description that only the referenced type has is that type's own, not the setting's, and is left out.
 */
export function helpOf(property, schema) {
  const description = property?.description ?? "";
  if (!description) return "";
  const variant = resolved(property, schema);
  const unit = property.unit ?? variant.unit;
  const parts = [
    description.replace(/\s+/g, " ").trim().replace(/\.?$/, "."),
    unit && `Unit: ${unit}.`,
    defaultText(property.default ?? variant.default),
    rangeText(variant)
  ];
  return parts.filter(Boolean).join(" ");
}

function defaultText(value) {
  if (value === undefined || value === null) return "";
  return `Default: ${typeof value === "object" ? JSON.stringify(value) : value}.`;
}

function rangeText({minimum, exclusiveMinimum: above, maximum, exclusiveMaximum: below}) {
  const low = minimum !== undefined && (above === undefined || minimum > above) ? `at least ${minimum}` : above !== undefined ? `above ${above}` : "";
  const high = maximum !== undefined ? `at most ${maximum}` : below !== undefined ? `below ${below}` : "";
  const ends = [low, high].filter(Boolean).join(", ");
  return ends && `Range: ${ends}.`;
}

/** Return the property at a path, through references and alternatives; nothing where there is none. */
function propertyAt(schema, path) {
  return path.split(".").reduce((node, name) => childOf(resolved(node, schema), name), schema);
}

/** An index leads into the items of a list, any other name into the properties. */
const childOf = (node, name) => node?.properties?.[name] ?? (/^\d+$/.test(name) ? node?.items : undefined);

/** Return what a node refers to: the one alternative that is not null, the target of a reference. */
function resolved(node, schema) {
  const alternatives = node?.anyOf ?? node?.oneOf ?? node?.allOf;
  const variant = alternatives?.find(({type}) => type !== "null");
  const target = variant ?? node;
  if (target?.$ref) return resolved(target.$ref.replace("#/", "").split("/").reduce((at, key) => at[key], schema), schema);
  return variant ? resolved(variant, schema) : node ?? {};
}
