import { type Chance, fuzz, mutateValue } from "@datawire/protocol/testing/fuzz";
import { expect, test } from "vitest";
import { type Answers, ago, run } from "../testing/run.ts";
import { answersOf, world } from "../testing/world.ts";

const ANSWERS: Answers = {
  ...answersOf(world()),
  "GET /v1/status": {
    directory: {
      address: "//localhost/directory",
      version: "0.1.0",
      epoch: "e",
      revision: 7,
      startedAt: ago(60_000),
      now: ago(0),
      state: "ready",
      store: "embedded",
      guard: null,
    },
    replicas: [],
    watsons: [
      { name: "vm1", id: "id-of-vm1", version: "1", state: "connected", since: ago(1_000), instances: 3, problems: [] },
    ],
    sherlocks: [{ name: "monolith", version: "1", revision: 6, lag: 1, since: ago(1_000), problems: [] }],
    problems: [{ severity: "error", subject: "//barker", message: "down: why", remedy: "do" }],
    counts: { services: 2, instances: 4, routes: 2 },
  },
  "GET /v1/callers": {
    callers: [{ name: "monolith", kind: "sherlock", version: "1", zone: null, revision: 7, since: ago(1_000) }],
  },
  "GET /v1/routes/history?limit=20": {
    history: [{ id: 1, at: ago(5_000), who: "ann", verified: false, action: "route add", undone: false }],
  },
  "GET /v1/tokens": { tokens: [] },
};
const COMMANDS = [
  "status",
  "service list",
  "service show //barker",
  "instance list",
  "route list",
  "route history",
  "explain //monolith //barker",
  "caller list",
  "token list",
] as const;

test("whatever a directory answers, dw prints it, or ends with one message", async () => {
  const make = (chance: Chance) => {
    const answers = Object.fromEntries(
      Object.entries(ANSWERS).map(([path, answer]) => [path, chance.once(4) ? answer : mutateValue(answer, chance)]),
    );
    return { line: `${chance.pick(COMMANDS)}${chance.once(3) ? " --json" : ""}`, answers };
  };
  await fuzz({ test: 300, soak: 50_000 }, make, async ({ line, answers }) => {
    const { code, stdout, stderr } = await run(line, { answers });
    expect([0, 1, 64, 69, 77, undefined]).toContain(code);
    if (code === 0 || code === undefined) return;
    expect(stderr).toMatch(/^dw: .+\n$/);
    expect(stderr + stdout).not.toMatch(/^\s+at .*:\d+:\d+|is not a function|Cannot read propert/m);
  });
});
