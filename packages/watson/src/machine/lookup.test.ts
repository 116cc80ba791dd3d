import type { LookupAddress } from "node:dns";
import type { LookupFunction } from "node:net";
import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import { createLookup } from "./lookup.ts";

const address = (text: string): LookupAddress => ({ address: text, family: 4 });
type Done = (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void;

function fixture() {
  const asked: { readonly host: string; readonly done: Done }[] = [];
  const clock = createFakeClock();
  const lookup = createLookup({ clock, resolve: (host, done) => void asked.push({ host, done }) });
  return { asked, clock, lookup };
}

function find(lookup: LookupFunction, host: string): Promise<string> {
  return new Promise((resolve) => {
    lookup(host, { all: false }, (error, found) =>
      resolve(error === null && typeof found === "string" ? found : String(error?.code)),
    );
  });
}

test("createLookup() asks once for all that want the same name at once", async () => {
  const { asked, lookup } = fixture();
  const both = [find(lookup, "vm101"), find(lookup, "vm101")];
  expect(asked).toHaveLength(1);
  asked[0]!.done(null, [address("10.0.0.1")]);
  expect(await Promise.all(both)).toEqual(["10.0.0.1", "10.0.0.1"]);
});

test("createLookup() answers from memory, and asks again behind it once that is old", async () => {
  const { asked, clock, lookup } = fixture();
  const first = find(lookup, "vm101");
  asked[0]!.done(null, [address("10.0.0.1")]);
  await first;
  expect(await find(lookup, "vm101")).toBe("10.0.0.1");
  expect(asked).toHaveLength(1);
  await clock.advance(10_000);
  expect(await find(lookup, "vm101")).toBe("10.0.0.1");
  asked[1]!.done(null, [address("10.0.0.2")]);
  expect(await find(lookup, "vm101")).toBe("10.0.0.2");
});

test("createLookup() keeps the last address of a name that stops resolving", async () => {
  const { asked, clock, lookup } = fixture();
  const first = find(lookup, "vm101");
  asked[0]!.done(null, [address("10.0.0.1")]);
  await first;
  await clock.advance(10_000);
  await find(lookup, "vm101");
  asked[1]!.done(Object.assign(new Error("gone"), { code: "ENOTFOUND" }), []);
  expect(await find(lookup, "vm101")).toBe("10.0.0.1");
});

test("createLookup() tells of a name that never resolved", async () => {
  const { asked, lookup } = fixture();
  const found = find(lookup, "nobody");
  asked[0]!.done(Object.assign(new Error("gone"), { code: "ENOTFOUND" }), []);
  expect(await found).toBe("ENOTFOUND");
});

test("createLookup() leaves threads for others when names hang", () => {
  const { asked, lookup } = fixture();
  for (const host of ["a", "b", "c", "d"]) void find(lookup, host);
  expect(asked.map(({ host }) => host)).toEqual(["a", "b"]);
  asked[0]!.done(null, [address("10.0.0.1")]);
  expect(asked.map(({ host }) => host)).toEqual(["a", "b", "c"]);
});

test("createLookup() needs no resolver for localhost and addresses", async () => {
  const { asked, lookup } = fixture();
  expect(await find(lookup, "localhost")).toBe("127.0.0.1");
  expect(await find(lookup, "10.1.2.3")).toBe("10.1.2.3");
  expect(asked).toEqual([]);
});
