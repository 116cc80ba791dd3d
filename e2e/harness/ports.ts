import { tryListen } from "@datawire/runtime";

/** Below the range from which the system takes ports for outgoing connections, which under load are everywhere in it. */
const [FROM, TO] = [10_000, 29_999];

const given = new Set<number>();

/** Ports of loopback that are free now, never the same twice in one process. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = FROM + Math.floor(Math.random() * (TO - FROM + 1));
    if (given.has(port)) continue;
    given.add(port);
    if ((await tryListen({ host: "127.0.0.1", port })) === null) ports.push(port);
  }
  return ports;
}
