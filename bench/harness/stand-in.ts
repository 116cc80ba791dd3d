import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * Takes what is sent, and keeps nothing of it; each request costs it so much of a core. What a link bears beside it is what
 * two cores make of a sender and of somebody else's work:
 *   node bench/harness/stand-in.ts [CPU_MS]      default: nothing
 * It says the port that it listens on.
 */
const cpuMs = Number(process.argv[2] ?? 0);
const server = createServer((req, res) => {
  req.resume();
  req.on("end", () => {
    const before = process.cpuUsage();
    while (spentMs(before) < cpuMs);
    res.end();
  });
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));

function spentMs(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
