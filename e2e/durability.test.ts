import { afterEach, beforeEach, expect, test } from "vitest";
import { Replicas } from "./harness/replicas.ts";
import { scaled } from "./harness/scale.ts";
import { Stack } from "./harness/stack.ts";
import { sleep } from "./harness/wait.ts";
import { startWriters, type Ask, type Writers } from "./harness/writers.ts";

/** Real directories that are killed while changes are made at them as fast as they answer. */
const ROUNDS = scaled(200, 2);
const WRITERS = 8;

let stack: Stack;
beforeEach(() => {
  stack = new Stack();
});
afterEach(() => stack.dispose());

/** For how long a directory works before it is killed: long enough for some changes, and never at the same moment. */
const workMs = (): number => 50 + Math.random() * 200;

test(`a directory has all that it acknowledged after each of ${ROUNDS} rounds of kill -9 under load`, async () => {
  const { directory: port } = await stack.ports();
  const writers = startWriters(WRITERS, askOf(`http://127.0.0.1:${port}`));
  let directory = await stack.startDirectory();
  await writers.begin();
  for (let round = 0; round < ROUNDS; round++) {
    const writing = await begun(writers);
    await sleep(workMs());
    directory.kill("SIGKILL");
    await directory.exited;
    await writing.ended;
    directory = await stack.startDirectory();
    expect(await writers.lost()).toEqual([]);
  }
  report("embedded", writers.acknowledged);
});

test(`on etcd too, in ${ROUNDS} rounds in which the directory is killed, and etcd before it in every other one`, async () => {
  const replicas = await Replicas.start(stack, 1);
  try {
    const writers = startWriters(WRITERS, askOf(replicas.url(0)));
    await writers.begin();
    for (let round = 0; round < ROUNDS; round++) {
      const writing = await begun(writers);
      await sleep(workMs());
      if (round % 2 === 1) await replicas.etcd.signal("SIGKILL");
      await replicas.end(0, "SIGKILL");
      await writing.ended;
      if (round % 2 === 1) await replicas.etcd.start();
      await replicas.start(0);
      expect(await writers.lost()).toEqual([]);
    }
    report("etcd", writers.acknowledged);
  } finally {
    await replicas.dispose();
  }
});

/** Lets them write, once something of it is acknowledged: whoever is refused each time loses nothing either. */
async function begun(writers: Writers): Promise<{ readonly ended: Promise<void> }> {
  const before = writers.acknowledged;
  const ended = writers.write();
  await expect.poll(() => writers.acknowledged).toBeGreaterThan(before);
  return { ended };
}

function askOf(url: string): Ask {
  return async (method, path, body) => {
    const response = await fetch(url + path, {
      method,
      headers: { "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  };
}

function report(store: string, acknowledged: number): void {
  process.stdout.write(`${store}: ${ROUNDS} rounds, ${acknowledged} changes acknowledged\n`);
}
