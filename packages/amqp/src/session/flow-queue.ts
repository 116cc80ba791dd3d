import type { Fields } from "../frames/fields.ts";
import { Flow } from "../frames/flow.ts";
import type { Link } from "../link/link.ts";
import type { SessionWindows } from "../link/windows.ts";
import { ABSENT } from "../types/reader.ts";
import type { SessionFrames } from "./session-frames.ts";

/** Written, and then used for the next. */
const flow = new Flow();

/** The flows that a session has to write: one for each link with news, or one of its own, however often it was asked for. */
export class FlowQueue {
  readonly #frames: SessionFrames;
  readonly #windows: SessionWindows;
  readonly #describe: (link: Link) => Fields | null;
  #links: Link[] = [];
  #wanted = false;

  /** @param describe what a peer is told that asks how a link stands; null for nothing but numbers. */
  constructor(frames: SessionFrames, windows: SessionWindows, describe: (link: Link) => Fields | null) {
    this.#describe = describe;
    this.#frames = frames;
    this.#windows = windows;
  }

  /** Has the flow of a link written. */
  add(link: Link): void {
    if (link.flowQueued) return;
    link.flowQueued = true;
    this.#links.push(link);
  }

  /** Has the state of the session told, with a flow of a link or without. */
  want(): void {
    this.#wanted = true;
  }

  /** Writes what is wanted, with the last state of each link. */
  flush(): void {
    const links = this.#links;
    if (links.length > 0) this.#links = [];
    for (const link of links) {
      link.flowQueued = false;
      if (!link.attached) continue;
      link.tell(flow);
      link.sayMore(flow, this.#describe);
      this.#write();
    }
    if (!this.#wanted) return;
    flow.handle = ABSENT;
    flow.properties = null;
    this.#write();
  }

  #write(): void {
    this.#wanted = false;
    this.#windows.tell(flow);
    this.#frames.flow(flow);
  }
}
