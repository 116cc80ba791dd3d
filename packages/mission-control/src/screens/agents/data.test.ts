import type { Answer } from "@datawire/api";
import { expect, test } from "vitest";
import { agentRows } from "./data.ts";

test("agentRows() name each process by what it is, and this directory once", () => {
  const status = {
    directory: { address: "//a", version: "1", revision: 9, state: "ready" },
    replicas: [
      { id: "1", address: "//a", version: "1", startedAt: "", self: true },
      { id: "2", address: "//b", version: "1", startedAt: "", self: false },
    ],
    watsons: [{ name: "vm1", state: "lost", version: "1", problems: [{ message: "no file" }] }],
    sherlocks: [{ name: "monolith", version: "1", revision: 8, lag: 1, problems: [] }],
  } as unknown as Answer<"status">;
  const rows = agentRows(status);
  expect(rows.map(({ key }) => key)).toEqual(["directory://a", "directory://b", "watson:vm1", "sherlock:monolith"]);
  expect(rows[2]).toMatchObject({ state: "lost", problems: ["no file"], lag: null });
});
