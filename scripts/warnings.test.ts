import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

/**
 * Whatever makes a program log a warning or an error that asks for an operator stands in `dw status` too. This walks
 * over the code and asks of each `log.warn` and `log.error` where: a new one fails here until that is said.
 */
const ROOT = join(import.meta.dirname, "..");

/** `shown`: text of the code that brings it into `/v1/status`. `elsewhere`: who sees it there, or why nobody need. */
type Place = { readonly shown: string } | { readonly elsewhere: string };

const shown = (code: string): Place => ({ shown: code });
const elsewhere = (why: string): Place => ({ elsewhere: why });

const OUTAGE = shown("read-only since");
const HELD_BY_WHO_ASKED = elsewhere("it is the answer of a command, to who gave it");
const PROCESS_ENDS = elsewhere("the process ends with it: its Watson is lost, its Sherlock or directory is not listed");
const TABLE_PROBLEM = shown('board.set("table"');
const NO_LINK = elsewhere(
  "there is no link to tell it over; a Watson tells its other directories, `dw doctor` says more",
);
const MENDED = elsewhere("it mends itself with the next table; `datawire_sherlock_table_divergences` counts it");

const PLACES: Readonly<Record<string, Place>> = {
  // directory
  "Tokens are not asked for on loopback alone": HELD_BY_WHO_ASKED,
  "Damaged store put aside": HELD_BY_WHO_ASKED,
  "Left out of the backup, as it cannot be read": HELD_BY_WHO_ASKED,
  "Left out of a backup, as it cannot be read": shown("new LeftOut("),
  "Left out what the store has and cannot be read": shown("new LeftOut("),
  "Backup restored": elsewhere("`dw route history` has it; somebody asked for it"),
  "Certificate not replaced, the old one stays": shown('board.set("certificate"'),
  "Cannot open a tenant": shown("failures.note(failedAt(name, error))"),
  "Original MDK clients failed": shown("recent.failures.note(failedAt(subject, error))"),
  "Original refused": elsewhere("it speaks a protocol that none of the original clients does; its own log says so"),
  "Node left out": shown("left out: ${address} in the environment"),
  "What happens cannot be told to those who follow it": shown('failed("streams", error)'),
  "Request failed": shown("failures.note(failedAt"),
  "Link failed": shown("failures.note(failedAt"),
  "Connection failed, cutting it": shown('failedAt("connection"'),
  "Connections refused": shown('failures.note({\n          subject: "connections"'),
  "Change not recorded in the history": shown("failed(`history of"),
  "No key for the cookies of sessions can be made, the next start tries again": shown('failed("key for the cookies'),
  Exposed: shown("warnings: [...protection.warnings"),
  "Listening on loopback only": shown("[choice.warning]"),
  "Settings that need a restart": shown('board.set("restart"'),
  "Store cannot be written, taking no changes": OUTAGE,
  "Registrations not saved, trying again": OUTAGE,
  "Etcd is out of reach, serving the last table and taking no changes": OUTAGE,
  "Registrations not read again yet": OUTAGE,
  "Caller not remembered": OUTAGE,
  "Etcd is out of reach, waiting for it": elsewhere("the directory has not started: /readyz and `dw` say so"),
  "What is due could not be done": shown('subject: "housekeeping"'),
  "What is due could not be stored": shown('failedAt("housekeeping"'),
  "Leases held by the guard": shown('subject: "guard"'),
  "Old callers not forgotten": elsewhere("it costs a few bytes, and is tried again in an hour"),
  "Link failed, closing it": shown("subject: `link of ${name}`"),
  "Link refused": shown("faults.note({ ...fault, subject, message: `refused at"),
  "Client failed at what it was sent": shown("faults.note({ subject: subjectOf(client), message: ABANDONED"),
  "Registrations not shared": shown('board.set("sharing"'),
  "Registrations not shared yet": shown('board.set("sharing"'),
  "News of another directory could not be taken": shown("board.set(this.#newsSource"),
  "A change cannot be told to subscribers": shown('failed("subscribers"'),
  "Registrations not shared, trying again": OUTAGE,
  "Challenge not answered": elsewhere("the other directory takes silence for no, and its Watson states its set"),
  "Traces cannot be kept": shown('board.set("traces"'),
  "Files of traces were taken away": shown('board.set("gone traces"'),
  "Files of traces are of a newer version, and stay as they are": shown('board.set("newer traces"'),
  "File of traces is damaged, set aside": shown('board.set("damaged traces"'),
  "Traces wait to be forwarded": shown('board.set("forwarding"'),
  "The collector refuses traces for good": shown('board.set("forwarding"'),
  "Store of traces failed, starting it again": shown('board.set("store of traces"'),
  "No port for browsers": shown('board.set("web"'),
  // every program
  "Stopping took too long, leaving": PROCESS_ENDS,
  "Unexpected error, leaving": PROCESS_ENDS,
  "Settings not reloaded": shown('board.set("settings"'),
  "Admin request failed": elsewhere("it is the answer, with status 500, to who scrapes that port"),
  "Admin connection failed, cutting it": elsewhere("it costs the connection of who scrapes that port"),
  // link
  "Directory lost, reconnecting": NO_LINK,
  "Directory unreachable, trying on": shown("board.set(`directory ${registrar.name}`"),
  "Directory refuses this program, asking again from time to time": shown("faults.note({ ...fault, subject"),
  "Link failed, opening it again": shown("faults.note({ subject: subjectOf(client), message: ABANDONED"),
  "End of a link not handled": elsewhere("the link had ended; the next one begins anew"),
  "Message too large for the link, not sent": shown("board?.set(`message ${type}`"),
  "Last known table ignored": shown("board?.set(SAVED_TABLE"),
  "Parts of the last known table left out": shown("board?.set(SAVED_TABLE"),
  "Last known table is not kept": shown('board?.set("last table"'),
  "Table cannot be continued, asking for all of it": MENDED,
  "Table differs from the directory's, asking for all of it": MENDED,
  // sherlock
  "A replaced worker of HAProxy has not heard of it": elsewhere(
    "the next reload tells it again; it has no more than the connections that were open, and ends with them",
  ),
  "The access log is not written": shown('const subject = "access log"'),
  "Service left out, HAProxy refuses its part": TABLE_PROBLEM,
  "TCP service without its port": TABLE_PROBLEM,
  "Not all of the table can be served": TABLE_PROBLEM,
  "HAProxy refuses the configuration, the old one stays": TABLE_PROBLEM,
  "HAProxy could not be brought to the plan, trying again": shown('board.set("driver"'),
  "HAProxy does not say what it holds": shown('board.set("driver"'),
  "HAProxy cannot use what is announced as live": shown('board.set("instances"'),
  "The run folder was removed, starting anew with another one": shown("recent.note({ subject: path"),
  "HAProxy ended, starting it again": shown('recent.note({ subject: "HAProxy"'),
  "What HAProxy writes cannot be cut": shown('board.set("output"'),
  "Addresses of names are not kept": shown('board?.set("addresses"'),
  "Name does not resolve": shown('"names",'),
  "The kept keys of sessions cannot be used": shown('board?.set("session keys"'),
  "The keys of sessions are not kept": shown('board?.set("session keys"'),
  "Without a table, every service gets 503": HELD_BY_WHO_ASKED,
  "No table has come, using the one that is kept, if any": HELD_BY_WHO_ASKED,
  "Percentiles are off until HAProxy starts anew, and Sherlock with it: this HAProxy has no pipe for them":
    shown('board.set("percentiles"'),
  "Percentiles are off": shown('board.set("percentiles"'),
  "There are no spans of requests": shown('board.set("spans"'),
  "Spans of requests are lost or late": shown('board.set("spans"'),
  "Your template has no {{> spans}}: there are no spans of requests": shown('board.set("weaknesses"'),
  "Your template has no {{> explain}}: no request is explained": shown('board.set("weaknesses"'),
  "News of the directory cannot be followed": shown('board.set("news"'),
  "The new settings cannot be used, going on with the first ones": shown('board.set("new settings"'),
  "This HAProxy cannot do everything that 2.6 and 2.8 can": shown('board.set("weaknesses"'),
  "Your template has no {{> runtime}}: every change is a reload": shown('board.set("weaknesses"'),
  "Your template has no `log {{percentiles.log}}`: there are no percentiles": shown('board.set("weaknesses"'),
  "The list of services cannot be made": elsewhere("it is the answer, with status 500, to who asks for the list"),
  "The kept addresses of names cannot be used": shown('board?.set("kept addresses"'),
  // router
  "The log cannot be written, accepting nothing": shown('board.set("log"'),
  "The log cannot be used as it should": shown("recent.note({ subject, message })"),
  "Damaged part of the log put aside": shown('board.set(\n    "damage"'),
  "The rights cannot be kept": shown("board.set(BOARD, [problem])"),
  "Everybody who reaches this router may do everything: `auth: { mode: none }`": shown('board.set("auth"'),
  // agent
  "Part ended, starting it again": shown("board.set(part.name"),
  "Upstream is away": shown("board.set(`upstream ${name}`, ["),
  "Process ended, starting it again": shown("board.set(`process ${member.index}`, ["),
  // watson
  "Outcome of a check cannot be taken": shown('board.set("checks"'),
  "The directory cannot be told": shown('board.set("telling"'),
  "New URL of an instance is down, the old one stays": shown('board.set("urls"'),
  "Instance is down": elsewhere("the table has it, with the reason; a service that it takes out is a problem"),
  "Service file problem": shown('"service files",'),
  "State file not usable, beginning with a new identity": shown("recent.note({ subject: path"),
  "State file not written: a restart will look like another Watson": shown('board.set("state file"'),
  "Cannot look at the service files, trying again": shown('board.set("service folders"'),
  "The directory refuses a message": shown('this.#board.set("message"'),
  "The directory refuses an instance": shown('this.#board.set("refused"'),
};

/**
 * Receivers of `warn` and `error` that are no log of a program: the log's own making, commander's, and the sessions of the
 * library, which log for the application.
 */
const NO_LOGS = new Set(["logger", "parent", "session", "this"]);
/** `log.warn(`, `this.#deps.log.error(`, `log[level](`, with what follows. */
const CALL = /([\w.#]*)(?:\.(?:warn|error)|\[[^\]\n]*\])\(\s*(?:"((?:[^"\\\n]|\\.)*)"|([A-Z_]+)\b)?/g;

const sources = globSync("packages/*/src/**/*.ts", { cwd: ROOT })
  .filter((file) => !file.includes(".test.") && !file.includes("/testing/"))
  .map((file) => ({ file, text: readFileSync(join(ROOT, file), "utf8") }));

/** The messages of all warnings and errors, with the file of each. */
function* warnings(): Generator<{ readonly file: string; readonly message: string }> {
  for (const { file, text } of sources) {
    for (const [call, receiver = "", literal, constant] of text.matchAll(CALL)) {
      if (!receiver.endsWith("log")) {
        if (/\.(?:warn|error)\(/.test(call)) expect(NO_LOGS, `${file}: ${call}`).toContain(receiver);
        continue;
      }
      const named = constant && new RegExp(`const ${constant} = "(.*)";`).exec(text)?.[1];
      const message = literal ?? named;
      expect(message, `the message of ${file}: ${call} is constant`).toBeTypeOf("string");
      yield { file, message: message as string };
    }
  }
}

/** Without what the formatter decides. */
const plain = (text: string): string => text.replaceAll(/[\s,]+/g, " ");
const code = plain(sources.map(({ text }) => text).join("\n"));

test("every warning and error of the code says where an operator sees it", () => {
  const unknown = [...warnings()].filter(({ message }) => !Object.hasOwn(PLACES, message));
  expect(unknown, "add it to a ProblemBoard, and to PLACES").toEqual([]);
});

test("nothing is said of a warning that there is not", () => {
  const messages = new Set([...warnings()].map(({ message }) => message));
  expect(Object.keys(PLACES).filter((message) => !messages.has(message))).toEqual([]);
});

test.each(Object.entries(PLACES).flatMap(([message, place]) => ("shown" in place ? [[message, place.shown]] : [])))(
  "%s is shown by %s",
  (_, text) => {
    expect(code.includes(plain(text))).toBe(true);
  },
);
