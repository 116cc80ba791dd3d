import { expect, test } from "vitest";
import { ConnectionCount } from "./connection-count.ts";

test("ConnectionCount refuses more than its bound from one address, and none from others", () => {
  const count = new ConnectionCount(4);
  const enter = (address: string, times: number) => Array.from({ length: times }, () => count.enter(address));
  expect(enter("10.0.0.1", 6)).toEqual(["taken", "taken", "taken", "taken", "crowded", "refused"]);
  expect(enter("10.0.0.2", 1)).toEqual(["taken"]);
  count.leave("10.0.0.1");
  expect(enter("10.0.0.1", 2)).toEqual(["taken", "refused"]);
  count.leave("10.0.0.1");
  count.leave("10.0.0.1");
  expect(enter("10.0.0.1", 3)).toEqual(["taken", "taken", "crowded"]);
});

test("ConnectionCount takes the addresses of one network of IPv6 for one, and those of IPv4 within it apart", () => {
  const count = new ConnectionCount(1);
  expect(count.enter("2001:db8:1:2::1")).toBe("taken");
  expect(count.enter("2001:db8:1:2::2")).toBe("crowded");
  expect(count.enter("2001:db8:1:3::1")).toBe("taken");
  expect(count.enter("::ffff:10.0.0.1")).toBe("taken");
  expect(count.enter("::ffff:10.0.0.2")).toBe("taken");
});
