import { expect, test } from "vitest";
import { readListening } from "./listening.ts";

const HEADING = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
const row = (local: string, state: string): string =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  1000        0 1 1 0`;

test("readListening() finds listening sockets, and where each row ends", () => {
  const lines = [HEADING, row("0100007F:1F90", "0A"), row("00000000:1F90", "0A"), row("0100007F:0050", "0A")];
  const { rows, more } = readListening(lines, 10);
  expect(rows.map(({ port }) => port)).toEqual([8080, 8080, 80]);
  const text = `${"x".repeat(10)}${lines.join("\n")}\n`;
  expect(rows.map(({ end }) => text.slice(0, end).split("\n").length)).toEqual([3, 4, 5]);
  expect(rows.at(-1)?.end).toBe(text.length);
  expect(more).toBe(true);
});

test("readListening() stops at the first socket of another state", () => {
  const lines = [row("0100007F:1F90", "0A"), row("0100007F:1F91", "01"), row("0100007F:1F92", "0A")];
  expect(readListening(lines, 0)).toEqual({ rows: [{ port: 8080, end: `${lines[0]}\n`.length }], more: false });
});

test("readListening() reads the rows of tcp6", () => {
  const line = "   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 0:0";
  expect(readListening([line], 0).rows).toMatchObject([{ port: 8080 }]);
});
