import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";

/** What can be seen of the containers without a container engine; docs/install.md says what was tried with one. */
const ROOT = join(import.meta.dirname, "..");

interface Compose {
  readonly services: Readonly<
    Record<string, { command: string[]; user: string; volumes: string[]; healthcheck: { test: string[] } }>
  >;
}

const { services } = parse(readFileSync(join(ROOT, "compose.yaml"), "utf8"), { merge: true }) as Compose;

test.each([
  ["directory", 5430],
  ["watson", 5431],
  ["sherlock", 5433],
])("compose.yaml runs %s as the user of its package, with its state kept and its health asked", (name, port) => {
  const { command = [], user, volumes = [], healthcheck } = services[name] ?? {};
  expect([command[0], user]).toEqual([name, `datawire-${name}`]);
  expect(volumes).toContain(`${name}:/var/lib/datawire/${name}`);
  expect(healthcheck?.test.join(" ")).toContain(`http://127.0.0.1:${port}/readyz`);
});

test("the Dockerfile builds by a script that is there, and keeps state where the programs look for it", () => {
  const text = readFileSync(join(ROOT, "packaging/Dockerfile"), "utf8");
  const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: object };
  expect(Object.keys(scripts)).toContain(/npm run (\w+)/.exec(text)?.[1]);
  for (const name of ["directory", "watson", "sherlock"]) {
    const unit = readFileSync(join(ROOT, `packaging/systemd/datawire-${name}.service`), "utf8");
    for (const [, variable] of unit.matchAll(/\b(XDG_\w+=\S+)/g)) expect(text).toContain(variable);
  }
});
