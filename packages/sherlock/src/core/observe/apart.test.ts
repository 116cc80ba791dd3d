import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { parseMap, parseServersState } from "./answers.ts";
import { parseStat } from "./statistics.ts";

/** What an answer has beside the one line that is read of it. */
const REST_BYTES = 8_000_000;
const rest = (line: string): string => `${line}\n`.repeat(REST_BYTES / (line.length + 1));

const NAME = "a-service-of-some-length:v1";
const SERVER = "10.20.30.40:12345";

test.each<[what: string, read: () => Iterable<unknown>]>([
  [
    "the servers of show servers state",
    () =>
      parseServersState(
        `1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_port\n4 ${NAME} 1 ${SERVER} 10.20.30.40 2 0 100 12345\n${rest("5 pages 1 sherlock - 2 0 1 0")}`,
      ),
  ],
  ["the entries of show map", () => parseMap(`0x55d0c8a0 ${NAME} ${SERVER},and-more\n${rest("no entry")}`)],
  [
    "the counts of show stat",
    () => parseStat(`# pxname,svname,stot,type,\n${NAME},${SERVER},1,2,\n${rest("p,q,0,0,")}`),
  ],
])("what is kept of an answer does not keep the answer: %s", (_, read) => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  read(); // what is made once
  collect();
  const before = process.memoryUsage().heapUsed;
  const kept = read();
  collect();
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(REST_BYTES / 4);
  expect([...kept]).toHaveLength(1);
});
