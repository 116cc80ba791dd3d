import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { expect, test } from "vitest";
import { ListeningPorts, type OpenTable } from "./listening-ports.ts";

const HEADING = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
const row = (port: number, state = "0A", queue = "00000000"): string =>
  `   0: 0100007F:${port.toString(16).toUpperCase().padStart(4, "0")} 00000000:0000 ${state} 00000000:${queue} 00:00000000 0 0 1`;

/** A kernel with one table, which says how far it was read. */
function kernel(rows: readonly string[]) {
  const state = { rows, read: 0, opened: 0, closed: 0, isBroken: false };
  const open: OpenTable = (path) => {
    if (path !== "/proc/net/tcp") return null;
    state.opened++;
    let text = "";
    return {
      read(lengthMax, at) {
        if (state.isBroken) throw new Error("it cannot be read");
        if (at === 0) text = `${[HEADING, ...state.rows].join("\n")}\n`;
        // A page at a time, and never more than is asked for.
        const part = text.slice(at, at + Math.min(lengthMax, 200));
        state.read = at + part.length;
        return part;
      },
      close: () => void state.closed++,
    };
  };
  return { state, ports: new ListeningPorts(open) };
}

const counts = (...ports: readonly number[]): Map<number, number> => {
  const found = new Map<number, number>();
  for (const port of ports) found.set(port, (found.get(port) ?? 0) + 1);
  return found;
};

test("ListeningPorts.read() reads as far as the sockets of these ports were, and sees each that has gone", () => {
  const others = [row(82), row(9_000, "06"), row(9_001, "01")];
  const { state, ports } = kernel([row(80), row(81), row(81), ...others]);
  const until = new Set([80, 81]);
  expect(ports.read(until)).toEqual(counts(80, 81, 81, 82));
  expect(ports.read(until)).toEqual(counts(80, 81, 81, 82));
  expect(state.read).toBe([HEADING, row(80), row(81), row(81), ""].join("\n").length);
  state.rows = [row(80), row(81), ...others];
  expect(ports.read(until)).toEqual(counts(80, 81, 82));
  state.rows = [row(80), row(81)];
  expect(ports.read(until)).toEqual(counts(80, 81, 82));
  state.rows = [row(81)];
  expect(ports.read(until)).toEqual(counts(81));
  state.rows = [];
  expect(ports.read(until)).toEqual(counts());
  expect(ports.read(until)).toEqual(counts());
});

test("ListeningPorts.read() sees another one in the place of one that has gone, and one that came where all are asked for", () => {
  const { state, ports } = kernel([row(80), row(81)]);
  ports.read(null);
  state.rows = [row(80), row(82)];
  expect(ports.read(new Set([81]))).toEqual(counts(80, 82));
  state.rows = [row(80), row(82), row(83)];
  expect(ports.read(null)).toEqual(counts(80, 82, 83));
});

test("ListeningPorts.read() does not take a socket with more in its queue for another", () => {
  const { state, ports } = kernel([row(80), row(81)]);
  ports.read(null);
  state.rows = [row(80, "0A", "000000000000AB"), row(81)];
  expect(ports.read(new Set([80, 81]))).toEqual(counts(80, 81));
});

test("ListeningPorts.read() keeps its file open, and opens another one once it cannot be read", () => {
  const { state, ports } = kernel([row(80)]);
  for (let i = 0; i < 3; i++) expect(ports.read(new Set([80]))).toEqual(counts(80));
  expect([state.opened, state.closed]).toEqual([1, 0]);
  state.isBroken = true;
  expect(ports.read(null)).toBeNull();
  state.isBroken = false;
  expect(ports.read(null)).toEqual(counts(80));
  expect([state.opened, state.closed]).toEqual([2, 1]);
});

test("ListeningPorts.read() tells nothing where the system does not", () => {
  expect(new ListeningPorts(() => null).read(null)).toBeNull();
});

test("ListeningPorts.read() sees this machine's sockets come and go", async () => {
  const ports = new ListeningPorts();
  const servers: Server[] = [];
  const listen = async (host: string): Promise<number> => {
    const server = createServer().listen(0, host);
    servers.push(server);
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  };
  const stays = await listen("127.0.0.1");
  const goes = await listen("127.0.0.1");
  expect(ports.read(null)?.get(goes)).toBe(1);
  const last = servers.pop();
  last?.close();
  await once(last as Server, "close");
  const seen = ports.read(new Set([stays, goes]));
  expect([seen?.get(stays), seen?.get(goes)]).toEqual([1, undefined]);
  for (const server of servers) server.close();
});
