import { chmodSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

/** What people write into service files, and what they are told of it: by `--check`, by the log and by `dw status`. */

let stack: Stack;
beforeEach(() => {
  stack = new Stack();
});
afterEach(() => stack.dispose());

const write = (name: string, text: string): void => writeFileSync(join(stack.serviceFolder, name), text);

async function check(): Promise<{ readonly code: number | null; readonly output: string }> {
  const settings = join(stack.folder, "check.yaml");
  writeFileSync(settings, `services: [${stack.serviceFolder}]\nhost: 127.0.0.1\n`);
  const child = stack.start("watson", ["-c", settings, "--check"]);
  const { code } = await child.exited;
  return { code, output: child.lines.join("\n") };
}

interface Listed {
  readonly service: string;
  readonly instances: readonly { readonly name: string; readonly version: string | null; readonly url: string }[];
}
const services = (): Promise<readonly Listed[]> => stack.dwJson<readonly Listed[]>("service", "list");
const status = async (): Promise<string> => (await stack.dw("status")).stdout;

test("text is what was typed, from the file to the table and to a route", async () => {
  write("web.yaml", "service: //foo\nversion: 2.0\nurl: http://127.0.0.1:9\ninstance: 010\n");
  write("more.json", '[{ "service": "//foo", "version": 1.10, "url": "http://127.0.0.1:10", "instance": "one" }]');
  await stack.startDirectory();
  await stack.startWatson();
  await eventually(async () => {
    const [foo] = await services();
    const found = foo?.instances.map(({ name, version }) => `${name} ${version}`).toSorted();
    expect(found).toEqual(["010 2.0", "one 1.10"]);
  });
  expect(await stack.dw("route", "add", "//monolith", "//foo:2.0", "10%")).toMatchObject({ code: 0 });
});

test("what is no service file is told by --check and dw status, and is gone when it is mended", async () => {
  write("WEB.YAML", "service: //foo\nurl: http://127.0.0.1:9\n");
  write("web.conf", "service: //bar\nurl: http://127.0.0.1:10\n");
  const told = `${join(stack.serviceFolder, "web.conf")}:1:1: Cannot use the file: its name ends with`;
  expect(await check()).toMatchObject({ code: 78, output: expect.stringContaining(told) as string });
  await stack.startDirectory();
  await stack.startWatson();
  await eventually(async () => {
    expect((await services()).map(({ service }) => service)).toEqual(["foo"]);
    expect(await status()).toContain(told);
  });
  renameSync(join(stack.serviceFolder, "web.conf"), join(stack.serviceFolder, "web.yaml"));
  await eventually(async () => {
    expect((await services()).map(({ service }) => service)).toEqual(["bar", "foo"]);
    expect(await status()).not.toContain("Cannot use the file");
  });
});

test("a list that becomes empty, or a file that becomes all comment, withdraws its services at once", async () => {
  write("one.yaml", "- { service: //one, url: http://127.0.0.1:9, drain: 0 }\n");
  write("two.yaml", "service: //two\nurl: http://127.0.0.1:10\ndrain: 0\n");
  await stack.startDirectory();
  await stack.startWatson();
  await eventually(async () => expect(await services()).toHaveLength(2));
  write("one.yaml", "[]\n");
  write("two.yaml", "# service: //two\n");
  await eventually(async () => expect(await services()).toEqual([]));
  expect(await status()).toContain("No problems");
  expect(await check()).toMatchObject({ code: 0, output: "" });
});

test("a password in a check, and Watson's token in a tag, reach nobody", async () => {
  write(
    "check.yaml",
    'service: //foo\nurl: http://127.0.0.1:9\nliveness: { http: "http://probe:hunter2@127.0.0.1:9/health" }\n',
  );
  write("tag.yaml", 'service: //bar\nurl: http://127.0.0.1:9\ntags: ["${DATAWIRE_TOKEN}"]\n');
  write("theirs.yaml", "service: //baz\nurl: http://127.0.0.1:9\nzone: ${HOME}\n");
  chmodSync(join(stack.serviceFolder, "theirs.yaml"), 0o666);
  await stack.startDirectory();
  const watson = await stack.startWatson();
  const told = await eventually(async () => {
    const text = await status();
    expect(text).toContain("it holds a user name or a password");
    expect(text).toContain("the variable DATAWIRE_TOKEN cannot be used here: it is Watson's own");
    expect(text).toContain("the variable HOME cannot be used here: others than its owner can write it");
    return text;
  });
  expect(told + watson.lines.join("\n") + (await check()).output).not.toContain("hunter2");
  expect(await services()).toEqual([]);
});
