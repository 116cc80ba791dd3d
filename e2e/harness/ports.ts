import { tryListen } from "@datawire/runtime";

/** Where ports are taken from, both ends included. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
  /** Ports that are not taken. */
  readonly except?: (port: number) => boolean;
}

/** Below the range from which the system takes ports for outgoing connections, which under load are everywhere in it. */
const USUAL: PortRange = { from: 10_000, to: 29_999 };

const given = new Set<number>();

/** Ports of loopback that are free now, never the same twice in one process. */
export async function freePorts(
  count: number,
  { from, to, except = () => false }: PortRange = USUAL,
): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = from + Math.floor(Math.random() * (to - from + 1));
    if (given.has(port) || except(port)) continue;
    given.add(port);
    if ((await tryListen({ host: "127.0.0.1", port })) === null) ports.push(port);
  }
  return ports;
}
