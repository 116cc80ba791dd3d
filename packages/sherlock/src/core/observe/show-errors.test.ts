import { expect, test } from "vitest";
import { parseRefusedAnswer } from "./show-errors.ts";

/** As HAProxy 2.6.12 writes it, a long line in two. */
const ANSWER = String.raw`Total events captured on [30/Nov/2026:00:40:24.500] : 1

[30/Nov/2026:00:40:24.475] backend s:v1 (#7): invalid response
  frontend http_in (#2), server 127.0.0.1:44103 (#2), event #13, src 127.0.0.1:55470
  buffer starts at 0 (including 0 out), 16297 free,
  len 87, wraps at 16336, error at position 64
  H1 connection flags 0x80002200, H1 stream flags 0x00006810
  H1 msg state MSG_HDR_L2_LWS(24), H1 msg flags 0x00011614
  H1 chunk len 0 bytes, H1 body len 0 bytes :
  
  00000  HTTP/1.1 200 OK\r\n
  00017  X\xE9: a\\b\t\e\r\n
  00045  Y: long
  00073+ er\r\n
  00075  \r\n
`;

test("parseRefusedAnswer() reads the server, and the bytes as they came", () => {
  const read = parseRefusedAnswer(ANSWER);
  expect(read).toMatchObject({ server: "127.0.0.1:44103", event: "30/Nov/2026:00:40:24.475 13" });
  expect(Buffer.from(read?.bytes ?? []).toString("latin1")).toBe(
    "HTTP/1.1 200 OK\r\nX\xe9: a\\b\t\u001b\r\nY: longer\r\n\r\n",
  );
});

test.each(["", "Total events captured on [30/Nov/2026:00:40:24.500] : 0\n", "Permission denied"])(
  "parseRefusedAnswer() finds none in %j",
  (answer) => {
    expect(parseRefusedAnswer(answer)).toBeNull();
  },
);
