import { writeSync } from "node:fs";
import { readKeys } from "../core/keys.ts";
import type { Screen } from "../context/screen.ts";
import { painter } from "./terminal-output.ts";

// XTerm Control Sequences: https://invisible-island.net/xterm/ctlseqs/ctlseqs.html
const ENTER = "\u001b[?1049h\u001b[?25l\u001b[?7l"; // the other screen, no cursor, and no line that goes on below
const LEAVE = "\u001b[?7h\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const END_OF_LINE = "\u001b[K";
const END_OF_SCREEN = "\u001b[J";
/** A terminal that knows it shows all that is in between at once; others pass over it. */
const [BEGIN_UPDATE, END_UPDATE] = ["\u001b[?2026h", "\u001b[?2026l"];

/** Takes the terminal of this process; null where there is none. However the process ends, it is given back. */
export function openScreen({ colour }: { readonly colour: boolean }): Screen | null {
  const { stdin, stdout } = process;
  if (!stdin.isTTY || !stdout.isTTY) return null;
  const undo: (() => void)[] = [];
  let isOpen = true;
  let shown = "";
  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    for (const end of undo) end();
    stdin.setRawMode(false);
    stdin.pause();
    // In one piece and at once: the process may be about to end.
    writeSync(stdout.fd, LEAVE);
  };
  const enter = (): void => {
    stdin.setRawMode(true);
    stdin.resume();
    stdout.write(ENTER);
    shown = "";
  };
  const listen = (emitter: NodeJS.EventEmitter, event: string, listener: (data: Buffer) => void): void => {
    emitter.on(event, listener);
    undo.push(() => emitter.off(event, listener));
  };
  const resized = new Set<() => void>();
  const redraw = (): void => {
    shown = "";
    for (const listener of resized) listener();
  };
  enter();
  // The monitor is called before Node prints the error, which then stands on the usual screen.
  listen(process, "uncaughtExceptionMonitor", close);
  listen(process, "exit", close);
  listen(process, "SIGCONT", () => {
    enter();
    redraw();
  });
  listen(stdout, "resize", redraw);

  return {
    get width() {
      return stdout.columns || 80;
    },
    get height() {
      return stdout.rows || 24;
    },
    paint: painter(colour),
    draw(lines) {
      const text = lines.map((line) => `${line}${END_OF_LINE}`).join("\r\n");
      // Lines are written over, never cleared first, so that nothing flickers.
      if (text !== shown && isOpen) stdout.write(`${BEGIN_UPDATE}${HOME}${text}${END_OF_SCREEN}${END_UPDATE}`);
      shown = text;
    },
    onKey(listener) {
      listen(stdin, "data", (data) => readKeys(data.toString()).forEach((key) => listener(key)));
    },
    onResize: (listener) => void resized.add(listener),
    close,
  };
}
