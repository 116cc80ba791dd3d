import { catalogOf, instance } from "@datawire/catalog/testing";
import { expect, test } from "vitest";
import { explainAsFound } from "./as-found.ts";

test("explainAsFound() goes through who is connected once for each caller, however many services it is asked about", () => {
  const names = Array.from({ length: 100 }, (_, i) => `service-${i}`);
  const table = catalogOf(
    names.map((name) => instance(`${name}@a(1)`)),
    { services: names.map((name) => ({ name, primary: "1" })) },
  );
  let read = 0;
  const client = {
    kind: "sherlock" as const,
    name: "monolith",
    zone: null,
    get problems() {
      read += 1;
      const finding = { kind: "unreachable", count: 1, sinceMs: 0 };
      return [{ subject: "//service-7@a", message: "certificate has expired", finding }];
    },
  };
  const explain = explainAsFound(table, [client]);
  const before = read;
  const found = names.map((name) => explain(name, "monolith"));
  expect(found[7]).toMatchObject({ shares: [], findings: [{ name: "a", caller: "monolith", kind: "unreachable" }] });
  expect(found[8]).toMatchObject({ shares: [{ percent: 100 }] });
  expect(found[8]).not.toHaveProperty("findings");
  expect(read - before).toBeLessThan(10);
  expect(explain("nothing", "monolith")).toBeNull();
});
