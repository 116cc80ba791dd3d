import { own } from "@datawire/protocol";
import { globalRegistry, type z } from "zod";
import type { Path } from "./problem.ts";
import { Written } from "./written.ts";

/**
 * Turns what a YAML file holds into plain data. Where the schema wants text, a scalar becomes the text that was written
 * (`2.0` stays 2.0, and a commit id keeps its digits); elsewhere it is what YAML makes of it. `null` where text is
 * wanted stays null and is refused, as the word may or may not have been meant.
 */
export function fitTo(schema: z.core.$ZodType, input: unknown): unknown {
  return fit([schema], input);
}

/** Whether the value at `path` is secret: marked so in the metadata of its schema, or of a value that contains it. */
export function isSecret(schema: z.core.$ZodType, path: Path): boolean {
  let schemas: readonly z.core.$ZodType[] = [schema];
  for (const key of [undefined, ...path]) {
    if (key !== undefined) {
      const kinds = schemas.flatMap(kindsOf);
      schemas = kinds.flatMap((kind) =>
        kind.type === "array" && typeof key === "number" ? [kind.element] : valueSchemas(kind, String(key)),
      );
    }
    if (schemas.flatMap(layersOf).some((one) => globalRegistry.get(one)?.secret === true)) return true;
  }
  return false;
}

type Def = z.core.$ZodTypes["_zod"]["def"];

function fit(schemas: readonly z.core.$ZodType[], input: unknown): unknown {
  const kinds = schemas.flatMap(kindsOf);
  if (input instanceof Written) return fitScalar(kinds, input);
  if (Array.isArray(input)) {
    const elements = kinds.flatMap((kind) => (kind.type === "array" ? [kind.element] : []));
    return input.map((one) => fit(elements, one));
  }
  if (typeof input !== "object" || input === null) return input;
  return Object.fromEntries(
    Object.entries(input).map(([key, value]) => [
      key,
      fit(
        kinds.flatMap((kind) => valueSchemas(kind, key)),
        value,
      ),
    ]),
  );
}

function fitScalar(kinds: readonly Def[], scalar: Written): unknown {
  const { text, value } = scalar;
  if (value === null) return kinds.some(takesNull) || !kinds.some(takesText) ? null : scalar;
  if (typeof value === "boolean" && kinds.some((kind) => takesBoolean(kind, value))) return value;
  return kinds.some(takesText) ? text : value;
}

const takesNull = (kind: Def): boolean => kind.type === "nullable" || kind.type === "null";
const takesBoolean = (kind: Def, value: boolean): boolean =>
  kind.type === "boolean" || (kind.type === "literal" && kind.values.includes(value));
const takesText = (kind: Def): boolean =>
  kind.type === "string" ||
  kind.type === "enum" ||
  (kind.type === "literal" && kind.values.some((value) => typeof value === "string"));

/** What may stand below a key. */
function valueSchemas(kind: Def, key: string): readonly z.core.$ZodType[] {
  if (kind.type === "record") return [kind.valueType];
  const schema = kind.type === "object" ? own<z.core.$ZodType>(kind.shape, key) : undefined;
  return schema === undefined ? [] : [schema];
}

/** The kinds of input that a schema takes, whatever is wrapped around them. */
function kindsOf(schema: z.core.$ZodType): readonly Def[] {
  return layersOf(schema).flatMap((layer) => {
    const { def } = (layer as z.core.$ZodTypes)._zod;
    return def.type === "nullable" || innerOf(def).length === 0 ? [def] : [];
  });
}

/** A schema, and the schemas that it wraps for the same input. */
function layersOf(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  return [schema, ...innerOf((schema as z.core.$ZodTypes)._zod.def).flatMap(layersOf)];
}

function innerOf(def: Def): readonly z.core.$ZodType[] {
  switch (def.type) {
    case "union":
      return def.options;
    case "lazy":
      return [def.getter()];
    case "pipe":
      // The input of `preprocess` may be anything; its output schema says more.
      return [(def.in as z.core.$ZodTypes)._zod.def.type === "transform" ? def.out : def.in];
    case "nullable":
    case "optional":
    case "default":
    case "prefault":
    case "readonly":
    case "nonoptional":
    case "catch":
      return [def.innerType];
    default:
      return [];
  }
}
