/**
 * What a selector compares: a property of a message, a literal, or what is made of them; null is unknown. Exact numbers
 * are bigints and approximate ones numbers, as JMS has long and double: 7 / 2 is 3, and 7.0 / 2 is 3.5.
 */
export type Value = string | number | bigint | boolean | null;

/** How a selector gets at a message: by the name of a property, or of a JMS header; null where it has none. */
export type Lookup = (name: string) => Value;

/** A part of a selector. */
export type Expression = (lookup: Lookup) => Value;

/** A literal. */
export const literal =
  (value: Value): Expression =>
  () =>
    value;

/** AND of three-valued logic: false wins over unknown. */
export const and =
  (left: Expression, right: Expression): Expression =>
  (lookup) => {
    const a = truth(left(lookup));
    if (a === false) return false;
    const b = truth(right(lookup));
    return b === false ? false : a === null || b === null ? null : true;
  };

/** OR of three-valued logic: true wins over unknown. */
export const or =
  (left: Expression, right: Expression): Expression =>
  (lookup) => {
    const a = truth(left(lookup));
    if (a === true) return true;
    const b = truth(right(lookup));
    return b === true ? true : a === null || b === null ? null : false;
  };

/** NOT: unknown stays unknown. */
export const not =
  (inner: Expression): Expression =>
  (lookup) => {
    const value = truth(inner(lookup));
    return value === null ? null : !value;
  };

/** `=`, `<>` and the four orders. Values of different types are not comparable, which is false; strings and booleans have no order. */
export function compare(sign: string, left: Expression, right: Expression): Expression {
  return (lookup) => {
    const [a, b] = [left(lookup), right(lookup)];
    if (a === null || b === null) return null;
    const isNumeric = isNumber(a) && isNumber(b);
    if (!isNumeric && typeof a !== typeof b) return false;
    const [x, y] = isNumeric && typeof a !== typeof b ? [Number(a), Number(b)] : [a, b];
    if (sign === "=" || sign === "<>") return (x === y) === (sign === "=");
    if (!isNumeric) return false;
    if (sign === "<") return x < y;
    if (sign === "<=") return x <= y;
    return sign === ">" ? x > y : x >= y;
  };
}

/**
 * `+`, `-`, `*` and `/` of numbers, with the numeric promotion of Java: of two exact ones exact, in 64 bits; else approximate.
 * Of anything else, and of an exact number by 0, unknown.
 */
export function arithmetic(sign: string, left: Expression, right: Expression): Expression {
  return (lookup) => {
    const [a, b] = [left(lookup), right(lookup)];
    if (!isNumber(a) || !isNumber(b)) return null;
    if (typeof a === "bigint" && typeof b === "bigint") return exact(sign, a, b);
    const [x, y] = [Number(a), Number(b)];
    if (sign === "+") return x + y;
    if (sign === "-") return x - y;
    return sign === "*" ? x * y : x / y;
  };
}

/** Goes round beyond 64 bits, as in Java, so that no selector makes numbers without bound. */
function exact(sign: string, a: bigint, b: bigint): bigint | null {
  if (sign === "/") return b === 0n ? null : BigInt.asIntN(64, a / b);
  return BigInt.asIntN(64, sign === "+" ? a + b : sign === "-" ? a - b : a * b);
}

/** Unary plus and minus. */
export function signed(sign: "+" | "-", inner: Expression): Expression {
  return (lookup) => {
    const value = inner(lookup);
    return isNumber(value) ? (sign === "-" ? -value : value) : null;
  };
}

/** `IS NULL`. */
export const isNull =
  (inner: Expression): Expression =>
  (lookup) =>
    inner(lookup) === null;

/** `IN (…)`. */
export function isIn(inner: Expression, list: ReadonlySet<string>): Expression {
  return (lookup) => {
    const value = inner(lookup);
    return value === null ? null : typeof value === "string" && list.has(value);
  };
}

/** `LIKE`, with `%` for any characters and `_` for one. It takes time proportional to pattern times text, and no more. */
export function like(inner: Expression, pattern: readonly LikePart[]): Expression {
  return (lookup) => {
    const value = inner(lookup);
    return value === null ? null : typeof value === "string" && matchesLike(Array.from(value), pattern);
  };
}

/** A part of a LIKE pattern: a character as it is, any one, or any number of them. */
export type LikePart = { readonly is: string } | "one" | "any";

/** Reads the pattern of a LIKE. */
export function parseLike(text: string, escape: string | null): readonly LikePart[] {
  const parts: LikePart[] = [];
  const characters = Array.from(text);
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i] as string;
    if (character === escape && i + 1 < characters.length) parts.push({ is: characters[++i] as string });
    else parts.push(character === "%" ? "any" : character === "_" ? "one" : { is: character });
  }
  return parts;
}

function matchesLike(text: readonly string[], pattern: readonly LikePart[]): boolean {
  let [t, p, star, mark] = [0, 0, -1, 0];
  while (t < text.length) {
    const part = pattern[p];
    if (part === "any") {
      star = p++;
      mark = t;
    } else if (part === "one" || (part !== undefined && part.is === text[t])) {
      p++;
      t++;
    } else if (star === -1) {
      return false;
    } else {
      // The last % takes one character more.
      p = star + 1;
      t = ++mark;
    }
  }
  return pattern.slice(p).every((part) => part === "any");
}

const truth = (value: Value): boolean | null => (typeof value === "boolean" ? value : null);
const isNumber = (value: Value): value is number | bigint => typeof value === "number" || typeof value === "bigint";
