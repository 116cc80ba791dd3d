import "./harness/no-remains.ts";
import { copyFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { request } from "undici";
import { Stack } from "../e2e/harness/stack.ts";
import { megabytes, printLoad } from "./harness/print.ts";
import { askTraces } from "./harness/trace-questions.ts";
import { SpanMaker, SPANS_A_REQUEST } from "./harness/span-maker.ts";
import { residentMb } from "./memory.ts";

/**
 * How long a directory looks for traces among many:
 *   node bench/traces-found.ts [SPANS] [OF_WHICH_SENT]      default: 10000000 156250
 * A part of them is sent to a directory. What it kept of that becomes, file by file, that of the hours before too: the
 * same traces under other ids, an hour earlier each. So the index and the files are those that the directory wrote, and
 * ten million spans in the files of 64 hours take minutes and 6 GB of the disk, which are given back.
 */
const total = Number(process.argv[2] ?? 10_000_000);
const sent = Number(process.argv[3] ?? 156_250);
const SETTINGS = { traces: { rate: "1000000/s", size: "16GiB" } };
const HOUR_MS = 3_600_000;

const stack = new Stack();
try {
  const first = await stack.startDirectory([], SETTINGS);
  const { directory: port } = await stack.ports();
  const base = `http://127.0.0.1:${port}`;
  const startedMs = performance.now();
  await send(base);
  first.kill("SIGTERM");
  await first.exited;
  print(`${sent} spans sent in ${Math.round((performance.now() - startedMs) / 1_000)} s`);

  const folder = join(stack.folder, "directory/traces");
  const written = readdirSync(folder).filter((name) => name.endsWith(".db"));
  for (let before = 1; before < total / sent; before++) for (const name of written) copyTo(folder, name, before);
  const files = readdirSync(folder).filter((name) => name.endsWith(".db"));
  const bytes = files.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  const tookMs = performance.now() - startedMs;
  print(`${total} spans in ${files.length} files of ${megabytes(bytes)}, after ${Math.round(tookMs / 1_000)} s`);

  const directory = await stack.startDirectory([], SETTINGS);
  await askTraces(base, directory.pid, print);
  print(`memory of the directory: ${residentMb(directory.pid)} MB`);
  printLoad();
} finally {
  await stack.dispose();
}

async function send(base: string): Promise<void> {
  const spans = new SpanMaker();
  const headers = { "content-type": "application/x-protobuf" };
  const sender = async (): Promise<void> => {
    while (spans.made + SPANS_A_REQUEST <= sent) {
      const answer = await request(`${base}/v1/traces`, { method: "POST", headers, body: spans.request() });
      if (answer.statusCode !== 200) throw new Error(`${answer.statusCode}: ${await answer.body.text()}`);
      await answer.body.dump();
    }
  };
  await Promise.all([sender(), sender()]);
}

/** A file as it would be of so many hours before, with ids of its own. */
function copyTo(folder: string, name: string, hours: number): void {
  const hour = new Date(Date.parse(`${name.slice(0, 13)}:00:00Z`) - hours * HOUR_MS).toISOString().slice(0, 13);
  const path = join(folder, `${hour}${name.slice(13)}`);
  copyFileSync(join(folder, name), path);
  const database = new DatabaseSync(path);
  const prefix = hours.toString(16).padStart(2, "0");
  const movedMs = hours * HOUR_MS;
  database.exec(`
    PRAGMA synchronous = OFF;
    UPDATE traces SET key = '${prefix}' || substr(key, 3), last = last - ${movedMs}, data = json_set(data,
      '$.traceId', '${prefix}' || substr(key, 3),
      '$.firstMs', data ->> '$.firstMs' - ${movedMs}, '$.lastMs', data ->> '$.lastMs' - ${movedMs});
    PRAGMA wal_checkpoint(TRUNCATE);
  `);
  database.close();
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
