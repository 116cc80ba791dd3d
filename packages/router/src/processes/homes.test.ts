import { expect, test } from "vitest";
import { baseOf, Homes, temporaryPrefix } from "./homes.ts";

test("Homes spreads addresses over processes, and gives each the same one every time", () => {
  const homes = new Homes(4);
  const counts = [0, 0, 0, 0];
  for (let index = 0; index < 4_000; index++) {
    const home = homes.of(`orders/${index}`) as number;
    expect(new Homes(4).of(`orders/${index}`)).toBe(home);
    counts[home] = (counts[home] as number) + 1;
  }
  for (const count of counts) expect(count).toBeGreaterThan(800);
});

test.each([
  ["orders", "dead/orders"],
  ["@acme/orders", "@acme/dead/orders"],
  ["orders/eu", "dead/orders/eu"],
])("Homes keeps %s and %s together", (name, dead) => {
  for (const count of [1, 2, 3, 7]) expect(new Homes(count).of(dead)).toBe(new Homes(count).of(name));
  expect(baseOf(dead)).toBe(name);
  expect(new Homes(2, [[name, 5]]).of(dead)).toBe(5);
});

test("Homes leaves what is the router's own where it is asked for, and finds what was made for a link", () => {
  const homes = new Homes(3);
  expect(homes.of("$management")).toBe(null);
  expect(homes.of(`$temp/${temporaryPrefix(2)}0a1b`)).toBe(2);
});
