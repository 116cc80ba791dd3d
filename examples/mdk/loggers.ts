// Loggers that an application has already, into the session of the request: node examples/mdk/loggers.ts
import { Writable } from "node:stream";
import { currentSession, type Level, type LogEvent, start, withSession } from "@datawire/mdk";
import { pino } from "pino";
import winston from "winston";
import Transport from "winston-transport";

/** What the numbers of pino mean here, the highest first. */
const LEVELS: readonly (readonly [from: number, Level])[] = [
  [60, "CRITICAL"],
  [50, "ERROR"],
  [40, "WARN"],
  [30, "INFO"],
  [0, "DEBUG"],
];

function log(level: Level, category: string, text: string): void {
  const session = currentSession();
  if (level === "CRITICAL") session?.critical(category, text);
  else if (level === "ERROR") session?.error(category, text);
  else if (level === "WARN") session?.warn(category, text);
  else if (level === "INFO") session?.info(category, text);
  else session?.debug(category, text);
}

const intoSession = new Writable({
  write(line: Buffer, _encoding, done) {
    const { level, msg, name } = JSON.parse(line.toString()) as { level: number; msg: string; name?: string };
    log(LEVELS.find(([from]) => level >= from)?.[1] ?? "DEBUG", name ?? "pino", msg);
    done();
  },
});

class SessionTransport extends Transport {
  override log({ level, message }: { level: string; message: string }, done: () => void): void {
    log(
      level === "error" ? "ERROR" : level === "warn" ? "WARN" : level === "info" ? "INFO" : "DEBUG",
      "winston",
      message,
    );
    done();
  }
}

const mdk = start({ name: "loggers" });
const fromPino = pino({ name: "till" }, intoSession);
const fromWinston = winston.createLogger({ transports: [new SessionTransport()] });

const session = mdk.session();

/** What is logged in the session, as all who may can read it. */
const seen: LogEvent[] = [];
const reading = (async () => {
  const signal = AbortSignal.timeout(10_000);
  for await (const event of mdk.logs({ trace: session.traceId, signal })) if (seen.push(event) === 2) break;
})();
await mdk.ready();

withSession(session, () => {
  fromPino.warn("the drawer is open");
  fromWinston.error("the drawer is empty");
});

await reading;
for (const { level, category, text } of seen) console.log(`${level} ${category}: ${text}`);
await mdk.stop();
