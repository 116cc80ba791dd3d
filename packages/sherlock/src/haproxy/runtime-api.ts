import { connect } from "node:net";
import { StringDecoder } from "node:string_decoder";
import { afterReading, explainSystemError } from "@datawire/runtime";

/** Talks to the socket of an HAProxy worker or master: one connection a question. */
export interface RuntimeApi {
  /** Sends one line, which may hold several commands, and returns all that is answered. @throws RuntimeApiError */
  ask(line: string): Promise<string>;
  /** The same for answers of megabytes: `take` gets whole lines as they come, some at a time. @throws RuntimeApiError */
  read(line: string, take: (lines: string) => void): Promise<void>;
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
/**
 * Where all connections read, one after the other, as what came is made text at once: as buffers of its own, an answer about
 * 5,000 servers was three megabytes that stayed until a collection of the whole heap.
 */
const RECEIVED = Buffer.allocUnsafeSlow(64 * 1024);

/** Makes a client of a socket. A connection takes 0.3 ms, and one that is kept would stay with a worker that a reload has replaced. */
export function createRuntimeApi(socketPath: string): RuntimeApi {
  const ask = async (line: string): Promise<string> => {
    const parts: string[] = [];
    await exchange(socketPath, line, (part) => parts.push(part));
    return parts.join("");
  };
  return {
    ask,
    async read(line, take) {
      let rest = "";
      await exchange(socketPath, line, (part) => {
        const end = part.lastIndexOf("\n") + 1;
        if (end > 0) take(rest + part.slice(0, end));
        rest = end > 0 ? part.slice(end) : rest + part;
      });
      if (rest !== "") take(rest);
    },
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
    read: (command, take) => master.read(`@1 ${command}`, take),
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

/** Asks on a connection of its own. @param take gets the answer as it comes, which may be no part at all. */
function exchange(socketPath: string, line: string, take: (part: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const decoder = new StringDecoder("utf8");
    let bytes = 0;
    const receive = (size: number): boolean => {
      bytes += size;
      if (bytes > ANSWER_BYTES_MAX) fail(`its answer is larger than ${ANSWER_BYTES_MAX} bytes`);
      else pass(decoder.write(RECEIVED.subarray(0, size)));
      return true;
    };
    // Of what is called by a socket, nothing may be thrown.
    const pass = (part: string): void => {
      try {
        take(part);
      } catch (error) {
        socket.destroy();
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    };
    const socket = connect({ path: socketPath, onread: { buffer: RECEIVED, callback: receive } });
    const fail = (why: string, cause?: Error): void => {
      socket.destroy();
      reject(new RuntimeApiError("unreachable", `Cannot ask HAProxy at ${socketPath}: ${why}`, { cause }));
    };
    socket.setTimeout(ANSWER_MS_MAX, () => {
      const before = bytes;
      afterReading(() => bytes === before && fail(`no answer within ${ANSWER_MS_MAX} ms`));
    });
    socket.on("error", (error) => fail(explainSystemError(error), error));
    socket.on("close", () => {
      // The least that it answers is an empty line; a master that starts anew ends its connections without a word.
      if (bytes === 0) return fail("it ended the connection without an answer");
      pass(decoder.end());
      resolve();
    });
    // Half-closed, as the socket of a master answers until its client has ended.
    socket.end(`${line}\n`);
  });
}
