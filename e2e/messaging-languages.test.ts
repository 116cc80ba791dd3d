import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { connect } from "@datawire/microserver";
import { expect, onTestFinished, test } from "vitest";
import { digestOfSources, readOrEmpty } from "../scripts/build-sources.ts";
import { RouterProcess } from "./harness/router/router-process.ts";
import { SOAKING } from "./harness/scale.ts";
import { Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

/** The senders and receivers of examples/messaging in other languages, each with the library that is usual there. */

const EXAMPLES = join(import.meta.dirname, "../examples/messaging");
const CACHE = join(import.meta.dirname, "../.cache/messaging");
const run = promisify(execFile);

const has = (...programs: readonly string[]): boolean =>
  programs.every((program) =>
    (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, program))),
  );

/** Compiles an example where its sources are not those that it was compiled of last: Maven alone takes eight seconds of CPU. */
async function ofSources(name: string, compile: () => Promise<unknown>): Promise<void> {
  const made = join(CACHE, `${name}.sources`);
  const digest = digestOfSources([`examples/messaging/${name}/**/*`]);
  if (readOrEmpty(made) === digest) return;
  await compile();
  writeFileSync(made, digest);
}

/** A command line without the address of the router and what follows. */
type Command = readonly [program: string, ...args: string[]];

interface Language {
  readonly isHere: boolean;
  /** Compiles what has to be. */
  build(): Promise<{ readonly send: Command; readonly receive: Command }>;
}

const languages: readonly (readonly [string, Language])[] = [
  [
    "Python and Qpid Proton",
    {
      isHere: true,
      async build() {
        const of = (file: string): Command => ["/usr/bin/python3", join(EXAMPLES, "python", file)];
        return { send: of("send.py"), receive: of("receive.py") };
      },
    },
  ],
  [
    "Go and go-amqp",
    {
      isHere: true,
      async build() {
        const program = join(CACHE, "go-client");
        await run("go", ["build", "-o", program, "."], { cwd: join(EXAMPLES, "go") });
        return { send: [program, "send"], receive: [program, "receive"] };
      },
    },
  ],
  [
    "C++ and Qpid Proton",
    {
      isHere: has("g++") && existsSync("/usr/include/proton/container.hpp"),
      async build() {
        const program = (name: string): string => join(CACHE, `cpp-${name}`);
        await ofSources("cpp", async () => {
          for (const name of ["send", "receive"])
            await run("g++", ["-o", program(name), join(EXAMPLES, "cpp", `${name}.cpp`), "-lqpid-proton-cpp"]);
        });
        return { send: [program("send")], receive: [program("receive")] };
      },
    },
  ],
  [
    "Java and Qpid JMS",
    {
      isHere: has("mvn", "javac"),
      async build() {
        const folder = join(CACHE, "java");
        await ofSources("java", async () => {
          cpSync(join(EXAMPLES, "java"), folder, { recursive: true });
          await run("mvn", ["-q", "compile", "dependency:copy-dependencies"], { cwd: folder });
        });
        const classes = `${join(folder, "target/classes")}:${join(folder, "target/dependency/*")}`;
        const of = (name: string): Command => ["java", "-cp", classes, name];
        return { send: of("Send"), receive: of("Receive") };
      },
    },
  ],
  [
    "Rust and fe2o3-amqp",
    {
      // Its hundred crates take a minute of CPU: `npm run soak` has that.
      isHere: has("cargo") && SOAKING,
      async build() {
        const [folder, target] = [join(EXAMPLES, "rust"), join(CACHE, "rust")];
        await run("cargo", ["build", "--quiet", "--locked", "--target-dir", target], { cwd: folder });
        const program = join(target, "debug/client");
        return { send: [program, "send"], receive: [program, "receive"] };
      },
    },
  ],
];

for (const [name, language] of languages)
  test.runIf(language.isHere)(`${name} send to our library, and receive from it`, async () => {
    mkdirSync(CACHE, { recursive: true });
    const { send, receive } = await language.build();
    const stack = new Stack();
    onTestFinished(() => stack.dispose());
    const router = await RouterProcess.start(stack);
    const host = `127.0.0.1:${router.port}`;
    const call = async ([program, ...args]: Command, ...rest: readonly string[]): Promise<string[]> => {
      const { stdout } = await run(program, [...args, host, ...rest], { timeout: 240_000 });
      return stdout.trim().split("\n");
    };
    const texts = ["hello", "grüezi", "x".repeat(100_000)];
    const microserver = await connect({ url: host });
    onTestFinished(() => microserver.close());

    expect(await call(send, "orders/eu", ...texts)).toEqual(["accepted 3"]);
    const got: unknown[] = [];
    for await (const { body } of microserver.subscribe("//orders/eu")) {
      got.push(body);
      if (got.length === texts.length) break;
    }
    expect(got).toEqual(texts);

    for (const text of texts) await microserver.send("//invoices", text);
    expect(await call(receive, "invoices", "3")).toEqual(texts);
    // The loop was left before it asked for another: the last of its messages is back.
    await eventually(async () => {
      const { queues } = await router.status();
      const left = queues.map(({ address, messages }) => `${address} ${messages}`).toSorted();
      expect(left).toEqual(["invoices 0", "orders/eu 1"]);
    });
  });
