import { settingsSchema as directorySettings } from "@datawire/directory";
import { settingsSchema as dwSettings } from "@datawire/dw-cli";
import { describeSettings, formatProblem, parseYamlFile } from "@datawire/runtime";
import { settingsSchema as routerSettings } from "@datawire/router";
import { settingsSchema as sherlockSettings } from "@datawire/sherlock";
import { createServiceSchema, settingsSchema as watsonSettings } from "@datawire/watson";
import { expect, test } from "vitest";

/** Every key of every file is given what it cannot be, and the sentence is read. */

const SCHEMAS = {
  "directory.yaml": directorySettings,
  "watson.yaml": watsonSettings,
  "sherlock.yaml": sherlockSettings,
  "router.yaml": routerSettings,
  "dw.yaml": dwSettings,
  "datawire.d": createServiceSchema({ directories: [], noExec: null }),
};

/** A value of each kind, as it is typed; some keys take some of them. */
const WRONG: readonly string[] = [
  "[[x]]",
  "{ a: x }",
  '"http://u:hunter2@h:1/"',
  '"redis://u:hunter2@h:6379"',
  "dw1_hunter2hunter2",
  '"Bearer hunter2hunter2"',
  '"two\\nlines"',
  '""',
  '" x "',
  "-1",
  "0",
  "1.5",
  "1e99",
  ".inf",
  "true",
  "null",
  "~",
  "'8080'",
  "99999",
  "200%",
  "3 parsecs",
  "${SECRET}",
  "-${SECRET}-",
  "",
];
const env = { SECRET: "hunter2 3 parsecs" };

const keys = Object.entries(SCHEMAS).flatMap(([file, schema]) =>
  describeSettings(schema).map(({ key }) => [file, key, schema] as const),
);

test.each(keys)("%s says of %s what was wrong, in words of its own, and no secret", (file, key, schema) => {
  const names = key.split(".").map((part) => (part === "NAME" ? "barker" : part));
  for (const value of WRONG) {
    const lines = names.map((name, depth) => `${"  ".repeat(depth)}${name}:`);
    const text = `${lines.join("\n")} ${value}\n`;
    const parsed = parseYamlFile(text, file, { schema, env });
    const told = parsed.ok ? [] : parsed.problems.map(formatProblem);
    // The reason stands before what was wanted, or is what was wanted.
    const vague = told.filter(
      (problem) => !/^\S+:\d+:\d+: \S.*(?: wanted \S| is not a known key|: Cannot \S.*: \S)/.test(problem),
    );
    // What zod, Node.js and JavaScript would say.
    const foreign = told.filter((problem) => /Invalid|expected|undefined|\[object|NaN|Zod|\n/.test(problem));
    const secret = told.filter((problem) => problem.includes("hunter2"));
    expect({ text, vague, foreign, secret }).toEqual({ text, vague: [], foreign: [], secret: [] });
  }
});

test("the values are wrong for nearly every key", () => {
  const refusing = keys.filter(([file, key, schema]) => {
    const names = key.split(".").map((part) => (part === "NAME" ? "barker" : part));
    const text = `${names.map((name, depth) => `${"  ".repeat(depth)}${name}:`).join("\n")} [[x]]\n`;
    const parsed = parseYamlFile(text, file, { schema, env });
    return !parsed.ok && parsed.problems.some(({ message }) => message.includes(names.at(-1) ?? ""));
  });
  expect(refusing).toHaveLength(keys.length);
});
