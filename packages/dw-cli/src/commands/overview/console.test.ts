import { Unreachable } from "@datawire/link/client";
import { expect, test } from "vitest";
import { commandFor } from "../../io/open-page.ts";
import { run } from "../../testing/run.ts";

const made = { code: "c0de", expires: "2026-11-20T12:01:00.000Z", url: null, tls: true };
const answers = { "POST /v1/session/codes": made };

test.each([
  ["at a directory with TLS", made, "https://localhost:5430/console/#code=c0de\n"],
  ["without TLS", { ...made, tls: false }, "http://localhost:5430/console/#code=c0de\n"],
  [
    "behind a proxy",
    { ...made, url: "https://ops.example.com/dstack/" },
    "https://ops.example.com/dstack/console/#code=c0de\n",
  ],
  [
    "where nobody has to sign in",
    { ...made, code: null, expires: null, tls: false },
    "http://localhost:5430/console/\n",
  ],
])("dw console --print prints the address alone, %s", async (_, answer, stdout) => {
  const printed = await run("console --print", { answers: { "POST /v1/session/codes": answer } });
  expect(printed).toMatchObject({ code: 0, stdout, opened: [], asked: ["POST /v1/session/codes {}"] });
});

test("dw console opens the browser, and says nothing of the code", async () => {
  const { stdout, stderr, opened } = await run("console", { answers, browser: true });
  expect(opened).toEqual(["https://localhost:5430/console/#code=c0de"]);
  expect(stdout + stderr).toContain("opened https://localhost:5430/console/ in your browser");
  expect(stdout + stderr).not.toContain("c0de");
});

test("dw console prints the address where there is no browser", async () => {
  const { stdout, stderr } = await run("console", { answers });
  expect(stdout).toBe("https://localhost:5430/console/#code=c0de\n");
  expect(stderr).toContain("within a minute");
});

test("dw console opens the page at the address that answers", async () => {
  const gone = { "POST /v1/session/codes": new Unreachable([{ address: "//a/directory", reason: "refused" }]) };
  const { stdout } = await run("console --print -d //a/directory -d //b/directory", {
    byHost: { a: gone, b: answers },
  });
  expect(stdout).toBe("https://b:5430/console/#code=c0de\n");
});

test("commandFor() knows no browser where there is no screen", () => {
  expect(commandFor("linux", {})).toBeNull();
  expect(commandFor("linux", { DISPLAY: ":0" })).toBe("xdg-open");
  expect(commandFor("linux", { WAYLAND_DISPLAY: "wayland-0" })).toBe("xdg-open");
  expect(commandFor("darwin", {})).toBe("open");
});
