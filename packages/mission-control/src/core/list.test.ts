import { expect, test } from "vitest";
import { readList } from "./list.ts";

test("readList() leaves out what is empty", () => {
  expect(readList("1%:5m, ,10%:10m", ",")).toEqual(["1%:5m", "10%:10m"]);
});
