import type { DeliveryState } from "../frames/delivery-state.ts";
import {
  type DeliveryTag,
  setMore,
  TRANSFER_BYTES_MAX,
  type TransferFields,
  writeAbort,
  writeTransfer,
} from "../frames/transfer.ts";
import { ABSENT } from "../types/reader.ts";
import type { Output } from "./output.ts";
import type { SessionWindows } from "./windows.ts";

const NOTHING = new Uint8Array(0);
const NO_OPTIONS: SendOptions = {};
const FRAME_HEADER_BYTES = 8;
/** More than a delivery state takes in a transfer, where it has no annotations. */
const STATE_BYTES_MAX = 256;

/** How a message is sent. */
export interface SendOptions {
  /** Whether nothing more is wanted to be heard of it; default false. A link that settles always or never decides itself. */
  readonly settled?: boolean;
  /** Bytes to go before those of the message, such as a header that was rewritten; copied at once. */
  readonly head?: Uint8Array;
  /** At most 32 bytes, unlike all others that are unsettled; default a number that counts up. */
  readonly tag?: Uint8Array;
  /** Default 0, AMQP's own. */
  readonly messageFormat?: number;
  /** With `resume`: the delivery was sent before, on a link that was lost, and this is its state. */
  readonly resume?: boolean;
  readonly state?: DeliveryState;
}

/** What a transfer says of its delivery. */
export interface Sent {
  readonly id: number;
  readonly shortTag: DeliveryTag;
  readonly settled: boolean;
}

/** Where transfers are written to. */
export interface TransferTarget {
  readonly output: Output;
  readonly channel: number;
  readonly windows: SessionWindows;
}

/** A message of more than one frame. */
interface Large {
  readonly delivery: Sent;
  readonly options: SendOptions;
  readonly parts: Uint8Array[];
  part: number;
  offset: number;
  begun: boolean;
  /** Whether it is given up: what is left to write is to say so. */
  aborted: boolean;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What of a message cannot be written at once is copied, up to this size. */
export const COPIED_BYTES_MAX = 2 ** 20;

/** Writes messages as transfer frames of one link: small ones at once, large ones as far as the session's window goes. */
export class TransferWriter {
  readonly #target: TransferTarget;
  readonly #frame: Mutable<TransferFields>;
  #large: Large | null = null;

  constructor(target: TransferTarget, handle: number) {
    this.#target = target;
    this.#frame = { ...LATER, handle, settled: false };
  }

  /** Whether a message is not complete: no other may be begun on its link. */
  get busy(): boolean {
    return this.#large !== null;
  }

  /** Whether a frame may be written now. */
  get open(): boolean {
    return this.#target.output.open && this.#target.windows.remoteIncomingWindow > 0;
  }

  /** Writes a message, or as much of it as may be; `resume` goes on where `busy` says that some is left. */
  write(delivery: Sent, message: Uint8Array, options: SendOptions): void {
    const { output, channel, windows } = this.#target;
    const head = options.head ?? NOTHING;
    if (head.length + message.length > this.#roomOf(options)) {
      this.#large = {
        delivery,
        options,
        parts: [new Uint8Array(head), message],
        part: 0,
        offset: 0,
        begun: false,
        aborted: false,
      };
      this.resume();
      if (this.#large !== null && message.length <= COPIED_BYTES_MAX) this.#large.parts[1] = message.slice();
      return;
    }
    const { frames } = output;
    const start = output.begin(channel);
    this.#writeFirst(delivery, options);
    if (head.length > 0) frames.raw(head);
    frames.raw(message);
    frames.end(start);
    windows.sent();
  }

  /** Writes more of a message that is not complete. */
  resume(): void {
    while (this.#large !== null && this.open) {
      this.#writeNext(this.#large);
      this.#target.windows.sent();
    }
  }

  /** Gives up the message that is not complete, and tells the peer as soon as may be; null where there is none. */
  abort(): Sent | null {
    if (this.#large === null || this.#large.aborted) return null;
    const { delivery } = this.#large;
    this.#large.aborted = true;
    this.resume();
    return delivery;
  }

  /** Forgets the message that is not complete: its link has gone. */
  clear(): void {
    this.#large = null;
  }

  #roomOf({ tag, state }: SendOptions): number {
    const other = (state === undefined ? 0 : STATE_BYTES_MAX) + (tag?.length ?? 0);
    return this.#target.output.frameBytesMax - FRAME_HEADER_BYTES - TRANSFER_BYTES_MAX - other;
  }

  #writeFirst(delivery: Sent, options: SendOptions): number {
    const frame = this.#frame;
    frame.deliveryId = delivery.id;
    frame.tag = delivery.shortTag;
    frame.messageFormat = options.messageFormat ?? 0;
    frame.settled = delivery.settled;
    frame.state = options.state ?? null;
    frame.resume = options.resume ?? false;
    return writeTransfer(this.#target.output.frames, frame);
  }

  #writeLater(delivery: Sent): number {
    Object.assign(this.#frame, LATER);
    this.#frame.settled = delivery.settled;
    return writeTransfer(this.#target.output.frames, this.#frame);
  }

  #writeNext(large: Large): void {
    const { output, channel } = this.#target;
    const start = output.begin(channel);
    const { begun, delivery, options } = large;
    if (large.aborted) {
      writeAbort(output.frames, this.#frame.handle, delivery.id, delivery.shortTag);
      output.frames.end(start);
      this.#large = null;
      return;
    }
    const more = begun ? this.#writeLater(delivery) : this.#writeFirst(delivery, options);
    let room = this.#roomOf(begun ? NO_OPTIONS : options);
    large.begun = true;
    while (room > 0 && large.part < large.parts.length) {
      const part = large.parts[large.part] ?? NOTHING;
      const bytes = part.subarray(large.offset, large.offset + room);
      output.frames.raw(bytes);
      room -= bytes.length;
      large.offset += bytes.length;
      if (large.offset < part.length) break;
      large.part++;
      large.offset = 0;
    }
    if (large.part < large.parts.length) setMore(output.frames, more);
    else this.#large = null;
    output.frames.end(start);
  }
}

/** What frames of a message say after the first. */
const LATER = {
  deliveryId: ABSENT,
  tag: null,
  messageFormat: ABSENT,
  state: null,
  resume: false,
} as const;
