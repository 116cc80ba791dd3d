import { expect, test } from "vitest";
import { countListening } from "./listening.ts";

const HEADING = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
const row = (local: string, state: string): string =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  1000        0 1 1 0`;

test("countListening() counts listening sockets by port", () => {
  const lines = [HEADING, row("0100007F:1F90", "0A"), row("00000000:1F90", "0A"), row("0100007F:0050", "0A")];
  expect(countListening(lines, new Map())).toEqual({
    counts: new Map([
      [8080, 2],
      [80, 1],
    ]),
    more: true,
  });
});

test("countListening() stops at the first socket of another state", () => {
  const lines = [row("0100007F:1F90", "0A"), row("0100007F:1F91", "01"), row("0100007F:1F92", "0A")];
  expect(countListening(lines, new Map())).toEqual({ counts: new Map([[8080, 1]]), more: false });
});

test("countListening() reads the rows of tcp6", () => {
  const line = "   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 0:0";
  expect(countListening([line], new Map()).counts.get(8080)).toBe(1);
});
