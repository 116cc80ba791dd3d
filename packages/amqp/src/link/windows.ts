import { CONDITION, WireFailure } from "../types/conditions.ts";
import { ABSENT } from "../types/reader.ts";
import { serialAdd, serialDistance } from "../types/serial.ts";
import type { Flow } from "../frames/flow.ts";

/** More than we ever have on the way: what holds us back is the window of the peer. */
const OUTGOING_WINDOW = 0x7fff_ffff;

/** The session's windows of transfer frames in both directions (specification, part 2.5.6). */
export class SessionWindows {
  nextOutgoingId = 0;
  readonly outgoingWindow = OUTGOING_WINDOW;
  /** Frames that the peer takes at present. */
  remoteIncomingWindow = 0;
  readonly #initialOutgoingId = 0;

  nextIncomingId = 0;
  /** Frames that we take until the next flow. */
  incomingWindow: number;
  readonly #incomingWindowMax: number;

  /** `incomingWindowMax` is what we take at most before we say that we take more. */
  constructor(incomingWindowMax: number) {
    this.incomingWindow = incomingWindowMax;
    this.#incomingWindowMax = incomingWindowMax;
  }

  /** Takes in the begin of the peer. */
  begun(nextOutgoingId: number, incomingWindow: number): void {
    this.nextIncomingId = nextOutgoingId;
    this.remoteIncomingWindow = incomingWindow;
  }

  /** Counts a transfer frame that was written. */
  sent(): void {
    this.nextOutgoingId = serialAdd(this.nextOutgoingId, 1);
    this.remoteIncomingWindow--;
  }

  /** Counts a transfer frame that came; throws `WireFailure` where there was no window for it. */
  came(): void {
    if (this.incomingWindow === 0) {
      throw new WireFailure(CONDITION.windowViolation, "Cannot take a transfer: the session's incoming window is 0");
    }
    this.incomingWindow--;
    this.nextIncomingId = serialAdd(this.nextIncomingId, 1);
  }

  /** Whether so much of the window is used that the peer has to be told of a new one. */
  get low(): boolean {
    return this.incomingWindow <= this.#incomingWindowMax / 2;
  }

  /** Takes in a flow of the peer. */
  heard(flow: Flow): void {
    const from = flow.nextIncomingId === ABSENT ? this.#initialOutgoingId : flow.nextIncomingId;
    const onTheWay = serialDistance(this.nextOutgoingId, from);
    if (onTheWay < 0) {
      throw new WireFailure(CONDITION.invalidField, `Cannot use a flow: transfer ${from} was never sent`);
    }
    this.remoteIncomingWindow = Math.max(0, flow.incomingWindow - onTheWay);
  }

  /** Puts the session's state into a flow of ours, with a whole window again. */
  tell(flow: Flow): void {
    this.incomingWindow = this.#incomingWindowMax;
    flow.nextIncomingId = this.nextIncomingId;
    flow.incomingWindow = this.incomingWindow;
    flow.nextOutgoingId = this.nextOutgoingId;
    flow.outgoingWindow = this.outgoingWindow;
  }
}
