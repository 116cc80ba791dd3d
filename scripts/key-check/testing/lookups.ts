// Every way in which a key from outside finds what an object only inherits, and the ways in which it does not. Lines that
// end in "found" are those that the check has to find.
const table = { a: 1, b: 2 };
const texts: Readonly<Record<string, string>> = { a: "x" };
const list = ["x"];
declare const outside: string;
declare const known: "a" | "b";
declare const either: "a" | (string & {});
declare const index: number;
declare const some: { readonly [key: string]: unknown };

export const results: unknown[] = [
  outside in table, // found
  "a" in table,
  texts[outside], // found
  texts["a"],
  table[outside as keyof typeof table], // found
  table[(outside ?? "a") as "a"], // found
  table[known],
  texts[known],
  texts[either], // found
  texts[`${outside}x`], // found
  list[index],
  some[outside], // found
  new Map(Object.entries(table)).get(outside),
  Object.hasOwn(table, outside),
];
