import { expect, test } from "vitest";
import { mergeFiles, type ServiceFile } from "./definition-set.ts";
import { testDefinition } from "../testing/instances.ts";

function file(name: string, ...instances: readonly { name: string; url?: string }[]): ServiceFile {
  const source = { file: name, line: 1, column: 10 };
  return {
    file: name,
    instances: instances.map((one) => testDefinition({ url: `http://h:1/${one.name}`, ...one, source })),
    problems: [],
  };
}

test("mergeFiles() makes one set of all files", () => {
  const { instances, problems } = mergeFiles([file("b.yaml", { name: "b" }), file("a.yaml", { name: "a" })]);
  expect([...instances.keys()]).toEqual(["barker@a", "barker@b"]);
  expect(problems).toEqual([]);
});

test("mergeFiles() reports two files that claim one instance, naming both", () => {
  const { instances, problems } = mergeFiles([file("b.yaml", { name: "a" }), file("a.yaml", { name: "a" })]);
  expect(instances.get("barker@a")?.source.file).toBe("a.yaml");
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatchObject({ file: "b.yaml", line: 1, column: 10 });
  expect(problems[0]?.message).toContain("a.yaml:1:10 claims the same instance");
});

test("mergeFiles() leaves an instance with the file that had it", () => {
  const before = mergeFiles([file("b.yaml", { name: "a" })]).instances;
  const { instances } = mergeFiles(
    [file("a.yaml", { name: "a", url: "http://x:2" }), file("b.yaml", { name: "a" })],
    before,
  );
  expect(instances.get("barker@a")?.source.file).toBe("b.yaml");
});

test("mergeFiles() keeps the last good version of a broken file, with its problems in order", () => {
  const broken: ServiceFile = {
    ...file("c.yaml", { name: "c" }),
    problems: [
      { file: "c.yaml", line: 3, column: 1, message: "second" },
      { file: "c.yaml", line: 2, column: 7, message: "first" },
    ],
  };
  const { instances, problems } = mergeFiles([broken, file("a.yaml", { name: "a" })]);
  expect([...instances.keys()]).toEqual(["barker@a", "barker@c"]);
  expect(problems.map(({ message }) => message)).toEqual(["first", "second"]);
});

test("mergeFiles() reports a service of two protocols, and two instances at one URL, naming both places", () => {
  const at = (name: string) => ({ file: name, line: 1, column: 10 });
  const [a, b, c] = [
    testDefinition({ name: "a", url: "http://h:1", source: at("a.yaml") }),
    testDefinition({ name: "b", url: "http://h:1", source: at("b.yaml") }),
    testDefinition({ name: "c", url: "tcp://h:2", protocol: "tcp", source: at("c.yaml") }),
  ];
  const files = [a, b, c].map((one) => ({ file: one.source.file, instances: [one], problems: [] }));
  const { instances, problems } = mergeFiles(files);
  expect(instances.size).toBe(3);
  expect(problems.map(({ file, message }) => `${file}: ${message}`)).toEqual([
    "b.yaml: Cannot tell //barker@b apart: a.yaml:1:10 gives its URL http://h:1 to //barker@a too; wanted one of them, or another URL",
    "c.yaml: Cannot register //barker@c as tcp: a.yaml:1:10 says http, and one service speaks HTTP, TCP or AMQP",
  ]);
});
