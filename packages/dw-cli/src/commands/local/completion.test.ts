import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { callerOf } from "../../testing/answers.ts";
import { refusal, run } from "../../testing/run.ts";
import { answersOf, world } from "../../testing/world.ts";

const answers = { ...answersOf(world()), "GET /v1/callers": { callers: [callerOf("monolith")] } };

test.each([
  [
    "''",
    "status explain doctor top console watch service instance route caller rollout log trace guard send listen why link queue topic token up down config completion agent directory watson sherlock router",
  ],
  ["ro", "route rollout router"],
  ["route ''", "list add remove set history undo"],
  ["-d //x route l", "list"],
  ["-d ''", ""],
  ["config s", "set"],
  ["completion ''", "bash zsh fish"],
  ["route add --s", "--service --sticky"],
  ["service set //barker --failover ''", "any none"],
  ["service set //barker --balance co", "cookie: consistent:header: consistent:cookie: consistent:path consistent:ip"],
  ["service show ''", "//barker //emitter"],
  ["service show //barker ''", ""],
  ["service promote //b", "//barker //barker:1 //barker:2"],
  ["instance drain //barker@", "//barker@vm1 //barker@vm2 //barker@vm3"],
  ["explain ''", "//* //monolith"],
  ["explain //* //e", "//emitter"],
  ["explain //* //emitter ''", ""],
  ["route add --when path:/x ''", "//* //barker //emitter //monolith"],
  [
    "route add //monolith //barker",
    "//barker //barker:1 //barker:1.0 //barker:1.1 //barker:2 //barker:2.0 //barker@vm1 //barker@vm2 //barker@vm3",
  ],
  ["route set //monolith //barker:2=10% //em", "//emitter //emitter@vm1"],
  ["nonsense ''", ""],
])("__complete %s gives %j", async (words, expected) => {
  const { code, stdout } = await run(`__complete -- ${words}`, { answers });
  expect({ code, words: stdout.trimEnd().split("\n").join(" ") }).toEqual({ code: 0, words: expected });
});

test("__complete is silent when the directory does not answer", async () => {
  const refused = { "GET /v1/services": refusal("internal", "no") };
  expect(await run("__complete -- service show ''", { answers: refused })).toMatchObject({ stdout: "", stderr: "" });
});

test("completion prints a script that bash can read", async () => {
  const { stdout } = await run("completion bash");
  const { status, stderr } = spawnSync("bash", ["-n"], { input: stdout });
  expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: "" });
});

test("completion in bash offers what follows the last place where bash breaks words", async () => {
  const { stdout } = await run("completion bash");
  const ask = (line: string, words: string[]): string => {
    const script = `
      dw() { printf '%s\\n' //barker:1 //barker:2 //barker@vm1; }
      ${stdout}
      COMP_LINE='${line}' COMP_POINT=${line.length} COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}) COMP_CWORD=${words.length - 1}
      _dw
      printf '%s ' "\${COMPREPLY[@]}"`;
    return spawnSync("bash", ["-c", script]).stdout.toString().trim();
  };
  expect(ask("dw route add //a //b", ["dw", "route", "add", "//a", "//b"])).toBe("//barker:1 //barker:2 //barker@vm1");
  expect(ask("dw route add //a //barker:", ["dw", "route", "add", "//a", "//barker", ":"])).toBe("1 2 //barker@vm1");
  expect(ask("dw route add //a //barker:2", ["dw", "route", "add", "//a", "//barker", ":", "2"])).toBe(
    "1 2 //barker@vm1",
  );
  expect(ask("dw route add //a ", ["dw", "route", "add", "//a", ""])).toBe("//barker:1 //barker:2 //barker@vm1");
});
