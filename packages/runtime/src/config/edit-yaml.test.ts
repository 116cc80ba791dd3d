import { expect, test } from "vitest";
import { setInYaml } from "./edit-yaml.ts";

const set = (text: string): string => {
  const edited = setInYaml(text, "f", { path: ["tls", "ca"], value: "/c.pem" });
  return edited.ok ? edited.text : edited.problems.map(({ line, message }) => `${line}: ${message}`).join("\n");
};

test.each([
  ["nothing", "", "tls:\n  ca: /c.pem\n"],
  ["a comment alone", "# mine\n", "# mine\n\ntls:\n  ca: /c.pem\n"],
  ["an empty mapping", "{}", "{ tls: { ca: /c.pem } }\n"],
  ["a key without a value", "tls:\nx: 1.10\n", "tls:\n  ca: /c.pem\nx: 1.10\n"],
  ["a key with a text in its place", "tls: text\n", "tls:\n  ca: /c.pem\n"],
  ["other keys beside it", "tls: { key: ${K}, ca: a } # c\n", "tls: { key: ${K}, ca: /c.pem } # c\n"],
  ["the line ends of other systems", "x: 2e3\r\ntls:\r\n  ca: y\r\n", "x: 2e3\ntls:\n  ca: /c.pem\n"],
  ["texts of several lines", "x: |\n  a\n  b\n", "x: |\n  a\n  b\ntls:\n  ca: /c.pem\n"],
  ["a list", "- a\n", "1: the file is not a mapping: wanted KEY: VALUE lines"],
  ["a key twice", "x: 1\nx: 2\n", "2: this key appears twice in the same mapping"],
])("setInYaml() takes %s", (_what, text, expected) => {
  expect(set(text)).toBe(expected);
});
