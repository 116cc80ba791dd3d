import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { formatProblem } from "./problem.ts";
import { durationSetting, listenOrOffSetting, portSetting } from "./setting-types.ts";
import { parseYamlFile, readTextFile } from "./yaml-file.ts";

const liveness = z.strictObject({
  http: z.string().optional(),
  interval: durationSetting.default(3_000),
  rise: z.int().min(1).default(1),
  expect: z.strictObject({ status: z.array(z.union([z.int(), z.string()])) }).optional(),
});
const service = z.strictObject({
  service: z.string(),
  port: portSetting.optional(),
  protocol: z.enum(["http", "h2", "tcp"]).default("http"),
  admin: listenOrOffSetting.optional(),
  liveness: z.union([liveness, z.array(liveness)]).optional(),
  tags: z.array(z.string()).max(2).optional(),
});
const schema = z.union([service, z.array(service)]);

const env = { PORT: "8080", NAME: "barker", NUMBER: "12" };
const problemsOf = (text: string): readonly string[] => {
  const parsed = parseYamlFile(text, "b.yaml", { schema, env });
  return parsed.ok ? [] : parsed.problems.map(formatProblem);
};

test("parseYamlFile() gives the value, and where each part of it stands", () => {
  const parsed = parseYamlFile("service: barker\nliveness:\n  interval: 500ms\n", "b.yaml", { schema, env });
  if (!parsed.ok) throw new Error("not parsed");
  expect(parsed.value).toEqual({ service: "barker", protocol: "http", liveness: { interval: 500, rise: 1 } });
  expect(parsed.locate(["liveness", "interval"])).toEqual({ file: "b.yaml", line: 3, column: 13 });
  expect(parsed.locate(["liveness", "rise"])).toEqual({ file: "b.yaml", line: 2, column: 1 });
});

test("parseYamlFile() reports everything at once", () => {
  const text = [
    "service: 7",
    "portt: 80",
    "protocol: htp",
    "liveness:",
    "  interval: 3 parsecs",
    "  rise: 0",
    "  inteval: 3s",
  ].join("\n");
  expect(problemsOf(text)).toEqual([
    "b.yaml:1:10: service is 7: wanted text",
    'b.yaml:3:11: protocol is "htp": wanted one of http, h2, tcp (did you mean http?)',
    'b.yaml:5:13: liveness.interval is "3 parsecs": wanted a duration such as 500ms, 3s, 2m, 1h or 1d; a bare number is seconds',
    "b.yaml:6:9: liveness.rise is 0: wanted a number of at least 1",
    "b.yaml:7:3: liveness.inteval is not a known key: did you mean interval?",
    "b.yaml:2:1: portt is not a known key: did you mean port?",
  ]);
});

test.each<[string, string, readonly string[]]>([
  ["a missing key", "port: 80", ["b.yaml:1:1: service is missing: wanted text"]],
  ["a missing key in a list", "- service: a\n- port: 80", ["b.yaml:2:3: [1].service is missing: wanted text"]],
  ["an empty value", "service:\nport: 1", ["b.yaml:1:1: service is empty: wanted text"]],
  ["a mapping for text", "service: { a: 1 }", ["b.yaml:1:10: service is a mapping: wanted text"]],
  [
    "text for the document",
    "hello",
    ['b.yaml:1:1: the document is "hello": wanted a mapping of keys to values, or a list'],
  ],
  ["a list that is too long", "service: a\ntags: [a, b, c]", ["b.yaml:2:7: tags is a list: wanted at most 2 entries"]],
  [
    "an entry of a list",
    "service: a\nliveness: { expect: { status: [200, []] } }",
    ["b.yaml:2:37: liveness.expect.status[1] is an empty list: wanted a number, or text"],
  ],
  ["a port out of range", "service: a\nport: 70000", ["b.yaml:2:7: port is 70000: wanted a port from 1 to 65535"]],
  [
    "an address",
    "service: a\nadmin: here",
    ['b.yaml:2:8: admin: Cannot listen on "here": wanted HOST:PORT such as 127.0.0.1:5431, [::1]:5432 or :5431'],
  ],
  [
    "a key far from every known one",
    "service: a\nliveness: { colour: red }",
    ["b.yaml:2:13: liveness.colour is not a known key: wanted one of http, interval, rise, expect"],
  ],
  ["an empty file", "# nothing\n", ["b.yaml:1:1: the file is empty"]],
  ["an unset variable", "service: ${NOPE}", ["b.yaml:1:10: the variable NOPE is not set in the environment"]],
  [
    "an unset variable beside another problem",
    "service: ${NOPE}\nlivenes: x",
    [
      "b.yaml:1:10: the variable NOPE is not set in the environment",
      "b.yaml:2:1: livenes is not a known key: did you mean liveness?",
    ],
  ],
  ["a repeated key", "service: a\nport: 1\nport: 2", ["b.yaml:3:1: this key appears twice in the same mapping"]],
  ["a tab", "service: a\nliveness:\n\thttp: /x", ["b.yaml:3:1: a tab is used for indentation: wanted spaces"]],
  [
    "two documents",
    "service: a\n---\nservice: b",
    ["b.yaml:2:1: a second document begins here (---): wanted one document a file"],
  ],
])("parseYamlFile() reports %s", (_what, text, expected) => {
  expect(problemsOf(text)).toEqual(expected);
});

test("parseYamlFile() refuses aliases that multiply", () => {
  const levels = Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(",")}]`);
  expect(problemsOf(["l0: &l0 [x]", ...levels].join("\n"))).toEqual([
    expect.stringContaining("aliases (*name) stand for too much"),
  ]);
});

test("parseYamlFile() replaces variables, and keeps quoted ones text", () => {
  const parsed = parseYamlFile('service: "${NUMBER}"\nport: ${PORT}\ntags: ["$${X}", "a-${NAME}"]', "b.yaml", {
    schema,
    env,
  });
  expect(parsed.ok && parsed.value).toMatchObject({ service: "12", port: 8080, tags: ["${X}", "a-barker"] });
});

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dstack-yaml-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("readTextFile() says what keeps it from reading a file", async () => {
  const file = join(folder, "b.yaml");
  expect(await readTextFile(file)).toMatchObject({
    state: "missing",
    problem: { message: "Cannot read the file: no such file or folder" },
  });
  expect(await readTextFile("/dev/null/.config/b.yaml")).toMatchObject({ state: "missing" });
  expect(await readTextFile(folder)).toMatchObject({
    problem: { message: "Cannot read the file: it is a folder, wanted a file" },
  });
  await writeFile(file, Uint8Array.of(0x61, 0xff, 0xfe));
  expect(await readTextFile(file)).toMatchObject({
    problem: { message: "Cannot read the file: it is not text in UTF-8" },
  });
  await writeFile(file, "x".repeat(1024 * 1024 + 1));
  expect(await readTextFile(file)).toMatchObject({ problem: { message: expect.stringContaining("larger than") } });
  await writeFile(file, "a: 1\n");
  expect(await readTextFile(file)).toEqual({ state: "read", text: "a: 1\n" });
});
