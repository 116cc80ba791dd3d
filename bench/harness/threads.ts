import { readdirSync, readFileSync } from "node:fs";

/** What a thread has had so far, in milliseconds. */
export interface ThreadTime {
  readonly name: string;
  /** On a core. */
  readonly ranMs: number;
  /** Ready to run, while other threads had the cores. */
  readonly waitedMs: number;
}

/** The threads of a process, by their ids (proc(5), `schedstat`). */
export function threadTimes(pid: number): Map<number, ThreadTime> {
  return new Map(
    readdirSync(`/proc/${pid}/task`).map((task) => {
      const folder = `/proc/${pid}/task/${task}`;
      const [ran = 0, waited = 0] = readFileSync(`${folder}/schedstat`, "utf8").split(" ").map(Number);
      const name = readFileSync(`${folder}/comm`, "utf8").trim();
      return [Number(task), { name, ranMs: ran / 1e6, waitedMs: waited / 1e6 }];
    }),
  );
}

/** What came between two looks, summed by what a thread is: the main one by the process's id, the others by name. */
export function between(
  pid: number,
  before: ReadonlyMap<number, ThreadTime>,
  after: ReadonlyMap<number, ThreadTime>,
): Map<string, ThreadTime> {
  const sums = new Map<string, ThreadTime>();
  for (const [id, now] of after) {
    const then = before.get(id);
    const name = id === pid ? "main" : now.name;
    const sum = sums.get(name);
    sums.set(name, {
      name,
      ranMs: (sum?.ranMs ?? 0) + now.ranMs - (then?.ranMs ?? 0),
      waitedMs: (sum?.waitedMs ?? 0) + now.waitedMs - (then?.waitedMs ?? 0),
    });
  }
  return sums;
}
