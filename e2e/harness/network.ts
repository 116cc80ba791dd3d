import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Machine } from "./machine.ts";

/**
 * Connects machines with each other and with nothing else: a bridge in the first, and a cable from each of the others to
 * it. They get the addresses SUBNET.1, SUBNET.2, … in order.
 */
export async function connect(machines: readonly [Machine, ...Machine[]], subnet: string): Promise<void> {
  const [first, ...others] = machines;
  await first.shell(`ip link add lan type bridge && ip addr add ${subnet}.1/24 dev lan && ip link set lan up`);
  for (const [i, machine] of others.entries()) {
    const port = `port${i + 2}`;
    // In the first machine's network, with the process of the other as this machine knows it.
    await onNetworkOf(first, [
      "ip",
      "link",
      "add",
      port,
      "type",
      "veth",
      "peer",
      "name",
      "lan",
      "netns",
      String(machine.pid),
    ]);
    await first.shell(`ip link set ${port} master lan up`);
    await machine.shell(`ip addr add ${subnet}.${i + 2}/24 dev lan && ip link set lan up`);
  }
}

async function onNetworkOf(machine: Machine, command: readonly string[]): Promise<void> {
  const [program, ...args] = machine.onNetwork(command);
  await promisify(execFile)(program, args);
}
