import { expect, test } from "vitest";
import { RateBook } from "./rates.ts";

test("RateBook tells what came in and went out in the last ten seconds, however long nothing did before", () => {
  const book = new RateBook();
  let atS = 0;
  const note = (counted: { readonly in: number; readonly out: number }): void =>
    book.note(atS++ * 1_000, [{ name: "orders", counters: counted }]);
  for (let second = 0; second < 100; second++) note({ in: 5, out: 5 });
  expect(book.of("orders")).toEqual({ inPerS: 0, outPerS: 0 });
  const rates: unknown[] = [];
  for (let second = 0; second < 12; second++) {
    note({ in: 15, out: second < 4 ? 5 : 25 });
    rates.push(Object.values(book.of("orders")));
  }
  const both = [1, 2] as const;
  expect(rates).toEqual([
    ...Array.from({ length: 4 }, () => [1, 0]),
    ...Array.from({ length: 6 }, () => both),
    ...Array.from({ length: 2 }, () => [0, 2]),
  ]);
});

test("RateBook forgets an address that is not counted any more", () => {
  const book = new RateBook();
  book.note(0, [{ name: "orders", counters: { in: 0, out: 0 } }]);
  book.note(1_000, [{ name: "orders", counters: { in: 10, out: 0 } }]);
  expect(book.of("orders")).toEqual({ inPerS: 10, outPerS: 0 });
  book.note(2_000, []);
  expect(book.of("orders")).toEqual({ inPerS: 0, outPerS: 0 });
});
