import { connect } from "node:net";
import { afterReading, explainSystemError } from "@datawire/runtime";

/** Talks to the socket of an HAProxy worker or master: one connection a question. */
export interface RuntimeApi {
  /** Sends one line, which may hold several commands, and returns all that is answered. @throws RuntimeApiError */
  ask(line: string): Promise<string>;
  /** Sends many commands that answer nothing when they succeed. @throws RuntimeApiError with the first refusal. */
  run(commands: readonly string[]): Promise<void>;
}

/** HAProxy cannot be asked, or refuses a command. */
export class RuntimeApiError extends Error {
  override readonly name = "RuntimeApiError";
  readonly code: "unreachable" | "refused";

  constructor(code: RuntimeApiError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const ANSWER_MS_MAX = 5_000;
/** One line has to fit HAProxy's buffer of 16 kB, with room to spare. */
const LINE_BYTES_MAX = 12_000;
const ANSWER_BYTES_MAX = 256 * 1024 * 1024;

/** Makes a client of a socket. A connection takes 0.3 ms, and one that is kept would stay with a worker that a reload has replaced. */
export function createRuntimeApi(socketPath: string): RuntimeApi {
  const ask = (line: string): Promise<string> => exchange(socketPath, line);
  return {
    ask,
    async run(commands) {
      for (const line of joinCommands(commands)) {
        const answer = await ask(line);
        const refusal = answer.split("\n").find((part) => /^\[[0-3]\]: /.test(part));
        if (refusal !== undefined) {
          throw new RuntimeApiError("refused", `HAProxy refused a command: ${refusal.replace(/^\[\d\]: */, "")}`);
        }
      }
    },
  };
}

/** The same through the socket of the master, for a configuration without a socket of its own; one command at a time. */
export function createMasterApi(masterSocketPath: string): RuntimeApi {
  const master = createRuntimeApi(masterSocketPath);
  return {
    ask: (command) => master.ask(`@1 ${command}`),
    async run(commands) {
      for (const command of commands) await master.ask(`@1 ${command}`);
    },
  };
}

/** Puts commands together into lines, each preceded by the request to mark refusals. */
function joinCommands(commands: readonly string[]): string[] {
  const prefix = "set severity-output number";
  const lines: string[] = [];
  let line = prefix;
  for (const command of commands) {
    if (line.length + command.length + 1 > LINE_BYTES_MAX) {
      lines.push(line);
      line = prefix;
    }
    line += `;${command}`;
  }
  if (line !== prefix) lines.push(line);
  return lines;
}

function exchange(socketPath: string, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    const chunks: Buffer[] = [];
    let bytes = 0;
    const fail = (why: string, cause?: Error): void => {
      socket.destroy();
      reject(new RuntimeApiError("unreachable", `Cannot ask HAProxy at ${socketPath}: ${why}`, { cause }));
    };
    socket.setTimeout(ANSWER_MS_MAX, () => {
      const before = bytes;
      afterReading(() => bytes === before && fail(`no answer within ${ANSWER_MS_MAX} ms`));
    });
    socket.on("error", (error) => fail(explainSystemError(error), error));
    socket.on("data", (chunk) => {
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX) fail(`its answer is larger than ${ANSWER_BYTES_MAX} bytes`);
      else chunks.push(chunk);
    });
    socket.on("close", () => {
      // The least that it answers is an empty line; a master that starts anew ends its connections without a word.
      if (bytes === 0) fail("it ended the connection without an answer");
      else resolve(Buffer.concat(chunks).toString("utf8"));
    });
    // Half-closed, as the socket of a master answers until its client has ended.
    socket.end(`${line}\n`);
  });
}
