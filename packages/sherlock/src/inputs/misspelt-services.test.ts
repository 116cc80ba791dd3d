import { ProblemBoard } from "@datawire/runtime";
import { expect, test } from "vitest";
import { MisspeltServices } from "./misspelt-services.ts";

const listen = { host: "127.0.0.1", port: 6_001 };

function told(names: readonly string[]): string[] {
  const board = new ProblemBoard();
  const settings = {
    overrides: new Map([
      ["barkr", {}],
      ["emitter", {}],
      ["payments", {}],
    ]),
    tcp: { listen: new Map([["postgres-mian", listen]]), range: null },
  };
  const services = {
    size: { services: names.length },
    service: (name: string) => (names.includes(name) ? {} : null),
    serviceNames: () => names,
  };
  new MisspeltServices(settings, board).look(services);
  return board.list().map(({ subject, message }) => `${subject}: ${message}`);
}

test("MisspeltServices tells of names that are nearly those of a service", () => {
  expect(told(["barker", "emitter", "postgres-main"])).toEqual([
    "services.barkr of sherlock.yaml: no service of that name is registered: did you mean barker?",
    "tcp.postgres-mian of sherlock.yaml: no service of that name is registered: did you mean postgres-main?",
  ]);
});

test("MisspeltServices minds none that may be registered yet, nor one beside its right name", () => {
  expect(told([])).toEqual([]);
  expect(told(["emitter", "billing"])).toEqual([]);
});
