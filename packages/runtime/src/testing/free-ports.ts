import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { tryListen } from "../net/try-listen.ts";

/** Below the range from which the system takes ports for outgoing connections, which under load are everywhere in it. */
const [LOWEST, HIGHEST] = [10_000, 29_999];

/** A file for each port that some test has been given: whoever it is for may bind it a minute later, and again after that. */
const FOLDER = join(tmpdir(), `dstack-test-ports-${userInfo().uid}`);

const taken: string[] = [];

/**
 * Ports of loopback that nobody listens on, each given to nobody else while this process lives, in whatever process or
 * clone tests run beside it.
 */
export async function freePorts(count: number): Promise<number[]> {
  mkdirSync(FOLDER, { recursive: true });
  const ports: number[] = [];
  while (ports.length < count) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST + 1));
    if (take(port) && (await tryListen({ host: "127.0.0.1", port })) === null) ports.push(port);
  }
  return ports;
}

function take(port: number): boolean {
  const path = join(FOLDER, String(port));
  try {
    writeFileSync(path, String(process.pid), { flag: "wx" });
  } catch {
    // The next draw finds free what a process left that is gone.
    if (!isAlive(path)) rmSync(path, { force: true });
    return false;
  }
  if (taken.push(path) === 1) process.once("exit", () => taken.forEach((one) => rmSync(one, { force: true })));
  return true;
}

function isAlive(path: string): boolean {
  try {
    return process.kill(Number(readFileSync(path, "utf8")), 0);
  } catch {
    return false;
  }
}
