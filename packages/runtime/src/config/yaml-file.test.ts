import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { firstProblems, formatProblem } from "./problem.ts";
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
    "service: [7]",
    "portt: 80",
    "protocol: htp",
    "liveness:",
    "  interval: 3 parsecs",
    "  rise: 0",
    "  inteval: 3s",
  ].join("\n");
  expect(problemsOf(text)).toEqual([
    "b.yaml:1:10: service is a list: wanted text",
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
  ["an empty file", "\n", ["b.yaml:1:1: the file is empty"]],
  [
    "a file that is all comment",
    "# nothing\n",
    ["b.yaml:1:1: the document is empty: wanted a mapping of keys to values, or a list"],
  ],
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
  [
    "a list that is open three times once",
    "[[[",
    ["b.yaml:1:4: invalid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]"],
  ],
  [
    "a variable that is twice in a text once",
    "service: ${NOPE}-${NOPE}",
    ["b.yaml:1:10: the variable NOPE is not set in the environment"],
  ],
])("parseYamlFile() reports %s", (_what, text, expected) => {
  expect(problemsOf(text)).toEqual(expected);
});

const deep = (levels: number): string => `${"[".repeat(levels)}${"]".repeat(levels)}`;
const many = Array.from({ length: 1_000 }, (_, i) => `k${i}: 1`).join(", ");
const merges = [`- &m { ${many} }`, ...Array<string>(600).fill("- { <<: *m }")].join("\n");

test.each<[string, string, string]>([
  [
    "an alias of nothing",
    "service: *x",
    "1:10: *x is an alias, and nothing before it has the anchor &x: wanted quotes",
  ],
  ["an alias within what it names", "tags: &x [*x]", "it is nested more than 100 deep, or an alias"],
  ["a mapping that merges itself", "liveness: &x { <<: *x }", "a mapping cannot merge (<<) what it stands within"],
  ["a merge of no mapping", "liveness: { <<: [1] }", "1:18: << merges mappings: wanted *NAME of a mapping, or a list"],
  ["a key without a name", ": x", "a key is missing before the colon"],
  ["a key that objects have", "__proto__: x", '1:1: "__proto__" cannot be a key'],
  ["a variable in a key", "${PORT}: 1", '1:1: "${PORT}" is a key: ${NAME} is replaced in values alone'],
  ["keys that are the same text", '"1": a\n1: b', "2:1: this key appears twice"],
  ["deep nesting", `tags: ${deep(200)}`, "it is nested more than 100 deep"],
  ["nesting without end", `tags: ${deep(5_000)}`, "the document is nested too deep"],
  ["a merge of merges without end", merges, "aliases (*name) stand for too much"],
  [
    "a text that begins with @",
    "service: @x",
    "1:10: invalid YAML: Plain value cannot start with reserved character @; wanted quotes",
  ],
  [
    "a backslash in double quotes",
    'service: "\\d"',
    "1:11: invalid YAML: Invalid escape sequence \\d; wanted single quotes",
  ],
  [
    "a colon in a text",
    "service: a: b",
    "1:10: invalid YAML: Nested mappings are not allowed in compact mappings; wanted quotes",
  ],
  ["a tag", "service: !x a", "1:10: invalid YAML: Unresolved tag: !x; wanted quotes"],
  [
    "a number in quotes",
    "service: a\nport: '80'",
    '2:7: port is "80": in quotes it is text; wanted a port from 1 to 65535',
  ],
  ["a number that is none", "service: a\nport: .inf", "2:7: port is Infinity: wanted a port"],
])("parseYamlFile() says of %s where and what", (_what, text, expected) => {
  expect(problemsOf(text).join("\n")).toContain(expected);
});

test("parseYamlFile() tells keys apart by their text", () => {
  const parsed = parseYamlFile("1.10: a\n1.1: b\n0x10: c\n16: d\nnull: e\n<<: { ~: f }", "b.yaml", {
    schema: z.record(z.string(), z.string()),
    env,
  });
  expect(parsed.ok && parsed.value).toEqual({ "1.10": "a", 1.1: "b", "0x10": "c", 16: "d", null: "e", "~": "f" });
});

test("parseYamlFile() takes the line ends and the byte order mark of other systems", () => {
  const text = "\uFEFFservice: a\r\nport: 80\r\nprotocol: x\r\n";
  expect(problemsOf(text)).toEqual([expect.stringMatching(/^b\.yaml:3:11: protocol is "x"/)]);
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

test("parseYamlFile() replaces variables whose dollar sign is escaped as YAML does", () => {
  const parsed = parseYamlFile('service: "\\x24{NAME}"\n', "b.yaml", { schema, env });
  expect(parsed).toMatchObject({ ok: true, value: { service: "barker" } });
});

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
    problem: { line: 1, column: 2, message: "Cannot read the file: it is not text in UTF-8 (the byte 0xff here)" },
  });
  await writeFile(file, Buffer.from("a: \u00e9\nb: 1\nc: \u00e9\u00e9 \u00e9", "utf8").subarray(0, -1));
  expect(await readTextFile(file)).toMatchObject({ problem: { line: 3, column: 7 } });
  await writeFile(file, Buffer.from("a: 1\nb: 2\n", "utf16le"));
  expect(await readTextFile(file)).toMatchObject({ problem: { line: 1, column: 2 } });
  await writeFile(file, "x".repeat(1024 * 1024 + 1));
  expect(await readTextFile(file)).toMatchObject({ problem: { message: expect.stringContaining("larger than") } });
  await writeFile(file, "a: 1\n");
  expect(await readTextFile(file)).toEqual({ state: "read", text: "a: 1\n" });
});

test("parseYamlFile() replaces ${NAME} within braces and brackets too, and keeps the places of what follows", () => {
  const text = '{ service: ${NAME}, port: ${PORT}, tags: [${NAME}, "a ${NAME}", ${NAME}-x] }';
  const parsed = parseYamlFile(text, "b.yaml", { schema, env });
  expect(parsed).toMatchObject({ ok: false, problems: [{ message: expect.stringContaining("tags") as string }] });
  const fewer = parseYamlFile("{ service: ${NAME}, tags: [${NAME}, a-${NAME}] }", "b.yaml", { schema, env });
  expect(fewer).toMatchObject({ ok: true, value: { service: "barker", tags: ["barker", "a-barker"] } });
  expect(problemsOf("{ service: ${NAME}, port: x }")).toEqual([expect.stringMatching(/^b\.yaml:1:27: /)]);
  expect(problemsOf("{ service: ${MISSING} }")).toEqual([expect.stringMatching(/^b\.yaml:1:12: .*MISSING/)]);
});

test.each([
  ["errors of syntax", "? [a]\n"],
  ["values that cannot be used", "- { service: s, port: none }\n"],
  ["variables that are not set", "- { service: s, zone: '${NOPE}' }\n"],
])("parseYamlFile() tells the first hundred of many %s, and how many there are", (_what, line) => {
  const parsed = parseYamlFile(line.repeat(5_000), "file.yaml", { schema, env: {} });
  const problems = parsed.ok ? [] : parsed.problems;
  expect(problems).toHaveLength(101);
  expect(problems[0]).toMatchObject({ line: 1 });
  expect(problems[100]).toMatchObject({ file: "file.yaml", line: 101 });
  expect(problems[100]?.message).toMatch(/^and (4900|9900|9800) more problems in this file, from here on$/);
});

test("firstProblems() has all of a hundred", () => {
  const hundred = Array.from({ length: 100 }, (_, i) => ({ file: "f", line: i + 1, message: "no" }));
  expect(firstProblems(hundred)).toEqual(hundred);
  expect(firstProblems([...hundred, { file: "f", line: 101, message: "no" }]).at(-1)).toEqual({
    file: "f",
    line: 101,
    message: "and 1 more problem in this file, from here on",
  });
});
