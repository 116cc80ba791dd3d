import { afterAll, beforeAll, expect, test } from "vitest";
import { Reader } from "./harness/docs/reader.ts";
import { BIN } from "./harness/programs.ts";

/** `dw up`, `dw down` and the samples, by somebody who has nothing: an empty home, no settings, and all ports free. */
const STATE = "$HOME/.local/state/datawire/up";

let reader: Reader;

beforeAll(async () => {
  reader = await Reader.arrive();
  await type(`export PATH="${BIN}:$PATH"; cd`);
});
afterAll(() => reader.leave());

/** Types a command; gives what it printed, without the end of the last line. */
const type = async (command: string): Promise<string> => (await reader.type(command)).replace(/\n$/, "");

const PLACES = "Services at //localhost/directory, messages at localhost:5672, pages at https://localhost:3423/";
const pidOf = (name: string): Promise<string> =>
  type(
    `python3 -c "import json; print(json.load(open('${STATE.replace("$HOME", "'+__import__('os').environ['HOME']+'")}/up.json'))['${name}']['pid'])"`,
  );

/** Kills a process, and waits until it is no more. */
const killed = (pid: string): Promise<string> =>
  type(`kill -9 ${pid}; while readlink /proc/${pid}/exe >/dev/null; do sleep 0.05; done`);

test("dw service add of a sample starts what it needs, lays its folder, and keeps it the second time", async () => {
  expect(await type("dw service add microlog")).toBe(
    [
      "note: started a directory and a router in the background; `dw down` ends them",
      "note: ./microlog is new: look into it",
      "//microlog is added",
    ].join("\n"),
  );
  await type("echo '# mine' >>microlog/microlog.py");
  expect(await type("dw service add microlog; echo $?; tail -n 1 microlog/microlog.py")).toBe(
    ["note: ./microlog was there already, and is kept as it is", "//microlog was there already", "0", "# mine"].join(
      "\n",
    ),
  );
  expect(await type("dw service list")).toMatch(/^microlog .* amqp /m);
  expect(await type("stat -c %a .local/state/datawire/up")).toBe("700");
});

test("the sample runs as it is typed, with its page, and so do Proton's own examples", async () => {
  await type("cd microlog; ./microlog.py >$HOME/printed 2>$HOME/said & cd");
  await type("until grep -q listens said; do sleep 0.1; done");
  await type("dw send //microlog 'hello'");
  await type("until grep -q hello printed; do sleep 0.1; done");
  expect(await type("cat printed")).toBe("hello");
  expect(await type("curl -sk https://localhost:3423/ | grep -o '<title>.*</title>'")).toBe("<title>microlog</title>");
  expect(
    await type(
      "curl -s --cacert .local/state/datawire/up/router/ca.pem https://localhost:3423/datawire.js | head -n 1",
    ),
  ).toContain("browser library");
  expect(await type("python3 /usr/share/proton/examples/python/helloworld.py")).toBe("Hello World!");
  expect(await type("dw listen topic/microlog --from first --count 1")).toBe("hello");
  await type("until dw service list | grep -q '^microlog *live'; do sleep 0.2; done");
});

test("dw up does nothing where both run, and starts again what was killed", async () => {
  expect(await type("dw up")).toBe(`The directory and the router run already\n${PLACES}`);
  await killed(await pidOf("router"));
  expect(await type("dw send //orders 'x'; echo $?")).toBe(
    `dw: Cannot reach a router at localhost:5672: connection refused: nothing listens there; that of \`dw up\` has ended, and \`dw up\` starts it again; its log is ${await type(`echo ${STATE}/router.log`)}\n69`,
  );
  await type("dw up >one & dw up >another; wait $!");
  expect(await type("cat one another | sort | uniq -c | sed 's/^ *//'")).toBe(
    `2 ${PLACES}\n1 Started the router\n1 The directory and the router run already`,
  );
  expect(await type("dw up --json")).toContain('"started": []');
});

test("dw down ends these two and nothing else; messages are there after the next dw up", async () => {
  await type("kill %1; dw send //kept 'still here'; sleep 1000 & echo $! >other");
  expect(await type("dw down")).toBe("Ended the router and the directory");
  expect(await type("kill -0 $(cat other) && echo runs; pgrep -fc 'datawire/up/[dr]'")).toBe("runs\n0");
  expect(await type("dw down; echo $?")).toBe("Nothing runs that `dw up` has started\n0");
  expect(await type("dw up")).toContain("Started the directory and the router");
  expect(await type("dw listen //kept --count 1")).toBe("still here");
});

test("a process that has got the number of one that ended is let alone", async () => {
  await killed(await pidOf("router"));
  await killed(await pidOf("directory"));
  await type(`sed -i -E "s/\\"pid\\":[0-9]+/\\"pid\\":$(cat other)/g" ${STATE}/up.json`);
  expect(await type("dw down; kill -0 $(cat other) && echo runs")).toBe("Nothing runs that `dw up` has started\nruns");
});

test("a port that is taken is named, and nothing is left running", async () => {
  await type("python3 -m http.server --bind 127.0.0.1 3423 >/dev/null 2>&1 &");
  await type("until curl -s http://127.0.0.1:3423/ >/dev/null; do sleep 0.1; done");
  expect(await type("dw up; echo $?")).toBe(
    "dw: Cannot start the router: another program listens at 127.0.0.1:3423; end that one first (`ss -ltnp` names it)\n1",
  );
  expect(await type("pgrep -fc 'datawire/up/[dr]'")).toBe("0");
});

test("where something is configured, dw service add starts nothing", async () => {
  expect(await type("DATAWIRE_DIRECTORY=//localhost:9/directory dw service add microchat 2>&1 | tail -n 1")).toMatch(
    /^dw: Cannot reach the directory/,
  );
  expect(await type("ls microchat; pgrep -fc 'datawire/up/[dr]'")).toBe("microchat.yaml\nweb\n0");
});

test("a sample that lacks something says in one line how to get it", async () => {
  expect(await type("mount -t tmpfs none /usr/lib/python3/dist-packages && microlog/microlog.py; echo $?")).toBe(
    "microlog: needs Qpid Proton: apt install python3-qpid-proton, or pip install python-qpid-proton\n1",
  );
});
