import { constants, gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { gzipBody, plainBody } from "./body.ts";
import { eventOf, SharedBytes } from "./event.ts";

const ROWS = JSON.stringify(Array.from({ length: 1_000 }, (_, i) => ({ service: `payments-ledger-${i}`, live: 2 })));
const whole = eventOf("services none", "e.1", ROWS);
const change = eventOf("services none", "e.2", `{"changed":[],"gone":["barker"]}`);
const beat = new SharedBytes(": \n\n");

test("gzipBody() makes of what many share a body that unpacks to it, in any order and however often", () => {
  const order = [beat, whole, change, whole, beat];
  const body = gzipBody();
  const bytes = Buffer.concat([...order.map((part) => body.next(part)), body.end()]);
  // Which checks the sums at the end as well.
  expect(gunzipSync(bytes).equals(Buffer.concat(order.map(({ plain }) => plain)))).toBe(true);
  expect(bytes.length).toBeLessThan(whole.plain.length / 4);
});

test("gzipBody() can be unpacked up to each of its parts, before the next one is there", () => {
  const body = gzipBody();
  let bytes = Buffer.alloc(0);
  let expected = "";
  for (const part of [whole, change, beat]) {
    bytes = Buffer.concat([bytes, body.next(part)]);
    expected += part.plain.toString();
    expect(gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }).toString() === expected).toBe(true);
  }
});

test("gzipBody() of nothing is a whole body too", () => {
  expect(gunzipSync(gzipBody().end())).toEqual(Buffer.alloc(0));
});

test("SharedBytes are packed once for all who take them so", () => {
  expect(whole.packed).toBe(whole.packed);
});

test("plainBody() is what it is made of", () => {
  const body = plainBody();
  expect(Buffer.concat([body.next(change), body.end()])).toEqual(change.plain);
});
