import type { TopKey } from "./top-state.ts";

/** What terminals send: the arrows in both of their modes, and those that vi users would try. */
const KEYS: ReadonlyMap<string, TopKey> = new Map<string, TopKey>(
  Object.entries({
    "\u001b[A": "up",
    "\u001bOA": "up",
    k: "up",
    "\u001b[B": "down",
    "\u001bOB": "down",
    j: "down",
    "\u001b[5~": "page-up",
    "\u001b[6~": "page-down",
    " ": "page-down",
    "\u001b[H": "home",
    "\u001bOH": "home",
    "\u001b[1~": "home",
    g: "home",
    "\u001b[F": "end",
    "\u001bOF": "end",
    "\u001b[4~": "end",
    G: "end",
    "\r": "enter",
    "\n": "enter",
    "\u001b[C": "enter",
    "\u001bOC": "enter",
    l: "enter",
    "\u007f": "back",
    "\b": "back",
    "\u001b": "back",
    "\u001b[D": "back",
    "\u001bOD": "back",
    h: "back",
    c: "callers",
    s: "order",
    q: "quit",
    "\u0003": "quit",
    "\u0004": "quit",
  }),
);

// oxlint-disable-next-line no-control-regex -- terminals send controls
const SEQUENCE = /\u001b(?:\[[0-9;]*[A-Za-z~]|O[A-Za-z])|[^]/gu;

/** Reads what a terminal sent, which may be several keys at once; what is no key of ours is left out. */
export function readKeys(text: string): TopKey[] {
  return (text.match(SEQUENCE) ?? []).flatMap((sequence) => KEYS.get(sequence) ?? []);
}
