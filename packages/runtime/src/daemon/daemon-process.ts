import type { Env } from "../config/substitute.ts";

/** The signals that daemons know. */
export type SignalName = "SIGTERM" | "SIGINT" | "SIGHUP" | "SIGUSR1";

/** What a daemon uses of its process; a fake one lets tests send signals and read what was printed. */
export interface ProcessLike {
  readonly argv: readonly string[];
  readonly env: Env;
  readonly pid: number;
  stdout(text: string): void;
  stderr(text: string): void;
  /** Calls `listener` for every signal of that name; the function returned ends that. */
  onSignal(name: SignalName, listener: () => void): () => void;
  /** Calls `listener` for an error that nobody caught; the function returned ends that. */
  onCrash(listener: (error: unknown) => void): () => void;
  /** Leaves at once. */
  exit(code: number): void;
}

/** The process itself. */
export const systemProcess: ProcessLike = {
  argv: process.argv,
  env: process.env,
  pid: process.pid,
  stdout: (text) => write(process.stdout, text),
  stderr: (text) => write(process.stderr, text),
  onSignal(name, listener) {
    process.on(name, listener);
    return () => process.off(name, listener);
  },
  onCrash(listener) {
    process.on("uncaughtException", listener);
    process.on("unhandledRejection", listener);
    return () => {
      process.off("uncaughtException", listener);
      process.off("unhandledRejection", listener);
    };
  },
  exit: (code) => process.exit(code),
};

/** Writes, and does not mind when the reader has gone (`sherlock render | head`): the error would count as a crash. */
function write(stream: NodeJS.WriteStream, text: string): void {
  if (stream.listenerCount("error") === 0) stream.on("error", () => {});
  stream.write(text);
}
